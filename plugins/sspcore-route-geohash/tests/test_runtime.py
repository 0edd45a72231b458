"""In a runtime, chosen by configuration: views are views of a region, whatever moves, comes late or is refused."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import sspcore
import sspcore_route_geohash
from sspcore_route_geohash import encode

REGIONS = {"regions": {"dr5": "city", "dr": "main"}, "default": "main"}
CONFIG = {
    "routing": {"strategy": "geohash", **REGIONS},
    "circuit": [{"name": "city", "views": [{"id": "here", "sql": "SELECT id, latitude, longitude FROM cabs"}]}],
    "ingress": {"strict": False},
}
COORDINATES = (40.7, 42.4, 52.5), (-74.0, -71.1, 13.4)


def open_runtime(config=CONFIG):
    return sspcore.open_runtime(config, plugins=[sspcore_route_geohash])


places = st.fixed_dictionaries(
    {"latitude": st.none() | st.sampled_from(COORDINATES[0]), "longitude": st.sampled_from(COORDINATES[1])}
)
steps = st.one_of(
    st.tuples(st.just(sspcore.upsert), st.integers(0, 3), places),
    st.tuples(st.just(sspcore.merge), st.integers(0, 3), places),
    st.tuples(st.just(sspcore.delete), st.integers(0, 3)),
    st.tuples(st.just("register"), st.sampled_from(("city", "main"))),
    st.tuples(st.just("route by"), st.sampled_from(("geohash", "dependency"))),
)


@settings(deadline=None)
@given(script=st.lists(steps, max_size=15))
def test_each_circuit_shows_its_region(script):
    """Whatever moves, whichever view comes late, and also where the strategy is changed in between."""
    trio.run(tell, script)


async def tell(script):
    rows, views, strategy = {}, {"city": ["here"], "main": []}, "geohash"
    async with open_runtime() as runtime:
        for act, about, *values in script:
            if act == "register":
                name = f"v{len(views[about])}"
                views[about].append(name)
                await runtime.register(name, "SELECT id, latitude, longitude FROM cabs", circuit=about)
                continue
            if act == "route by":
                strategy = about
                await runtime.set_routing(about, REGIONS if about == "geohash" else {})
                continue
            await runtime.ingest(act("cabs", about, *values))
            if act is sspcore.delete:
                rows.pop(about, None)
            else:
                (place,) = values
                rows[about] = (about, place["latitude"], place["longitude"])
        for circuit, names in views.items():
            everything = strategy == "dependency"
            share = [row for row in rows.values() if everything or row[1] is None or circuit == home(row)]
            for name in names:
                assert sorted(share) == sorted(await runtime.rows(name, circuit=circuit)), (circuit, name)


def home(row):
    return "city" if encode(row[1], row[2], 3) == "dr5" else "main"


async def test_a_row_that_is_refused_changes_nothing():
    routing = {"strategy": "geohash", "regions": {"dr5": "city"}}
    async with open_runtime(CONFIG | {"routing": routing}) as runtime:
        inside, outside = [
            sspcore.upsert("cabs", n, {"latitude": latitude, "longitude": -74.0}) for n, latitude in ((1, 40.7), (2, 0))
        ]
        with pytest.raises(sspcore.errors.ChangeRejected, match="row 2 of 'cabs' lies in d.., in no region"):
            await runtime.ingest([inside, outside])
        assert [] == await runtime.rows("here", circuit="city")
        await runtime.ingest(inside)
        assert [(1, 40.7, -74.0)] == await runtime.rows("here", circuit="city")


async def test_a_slip_in_the_configuration_names_its_place():
    for routing, message in (
        ({"strategy": "geohash"}, r"the key 'regions' is missing @ \$\.routing"),
        ({"strategy": "geohash", "regions": {"dla": "x"}}, r"'dla' is no geohash, for its 'l'.* @ \$\.routing"),
        ({"strategy": "geohash", "regions": {"s": "x"}, "latitud": "y"}, "unknown key 'latitud'.*'latitude'"),
    ):
        with pytest.raises(sspcore.errors.ConfigError, match=message):
            async with open_runtime({"routing": routing}):
                pass
