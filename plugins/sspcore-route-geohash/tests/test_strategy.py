"""Regions: the longest prefix counts, rows that move leave, rows without a place go as configured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.abc import ALL, Resolved
from sspcore.errors import ChangeRejected, UsageError
from sspcore_route_geohash import Geohash, GeohashOptions, encode

CIRCUITS = ("city", "east", "rest")
COLUMNS = ("id", "latitude", "longitude")
REGIONS = {"dr5": "city", "dr": "east", "dp": ["east", "rest"]}

CITY, EAST, BOTH, AFAR = (40.7, -74.0), (42.4, -71.1), (43.6, -79.4), (52.5, 13.4)


def told(circuits=CIRCUITS, **options):
    strategy = Geohash(GeohashOptions(**{"regions": REGIONS, "default": "rest"} | options))
    for circuit in circuits:
        strategy.circuit_added(circuit)
        strategy.view_added(circuit, "all", {"cabs": ALL, "stands": ALL})
    return strategy


def route(strategy, old, new, table="cabs", columns=COLUMNS):
    images = [None if place is None else (1, *place) for place in (old, new)]
    (targets,) = strategy.route([Resolved(table, 1, *images, columns)])
    return dict(targets)


@pytest.mark.parametrize(
    ("place", "geohash", "homes"),
    [(CITY, "dr5", ["city"]), (EAST, "drt", ["east"]), (BOTH, "dpz", ["east", "rest"]), (AFAR, "u33", ["rest"])],
)
def test_the_longest_prefix_counts(place, geohash, homes):
    assert geohash == encode(*place, 3)
    assert homes == [circuit for circuit, _ in route(told(), None, place).items()]


def test_a_row_that_moves_leaves_its_old_region():
    strategy = told()
    assert {"city": "retract", "east": "put"} == route(strategy, CITY, EAST)
    assert {"east": "put", "rest": "put"} == route(strategy, EAST, BOTH), "it stays in one, and enters another"
    assert {"east": "retract", "rest": "put"} == route(strategy, BOTH, AFAR)
    assert {"rest": "retract"} == route(strategy, AFAR, None)


places = st.none() | st.tuples(
    st.none() | st.floats(30, 55).map(lambda value: round(value, 1)) | st.sampled_from(("north", True, 91)),
    st.none() | st.floats(-82, -68).map(lambda value: round(value, 1)),
)


@given(
    old=places, new=places, table=st.sampled_from(("cabs", "stands")), whole=st.sampled_from(((), ("rest",))),
    placeless=st.sampled_from(("everywhere", "default", "refuse")), default=st.sampled_from((None, "rest")),
)  # fmt: skip
def test_route_is_what_the_shares_say(old, new, table, whole, placeless, default):
    """Put where a circuit holds the new image, retract where it held the old one only; the reasons agree."""
    if old is new is None or (placeless == "default" and default is None):
        return
    strategy = told(placeless=placeless, default=default, whole=whole, everywhere=("stands",))
    images = [None if place is None else (1, *place) for place in (old, new)]

    def holders(image):
        return {circuit for circuit in CIRCUITS if strategy.holds(circuit, Resolved(table, 1, None, image, COLUMNS))}

    before, after = map(holders, images)
    row = Resolved(table, 1, *images, COLUMNS)
    try:
        (targets,) = strategy.route([row])
    except ChangeRejected:
        assert after <= set(whole), "nobody else would hold a row that is refused"
        return
    assert dict.fromkeys(after, "put") | dict.fromkeys(before - after, "retract") == dict(targets)
    reasons = strategy.explain(row)
    assert set(CIRCUITS) == {reason.circuit for reason in reasons}
    assert set(dict(targets)) == {reason.circuit for reason in reasons if reason.routed}


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (AFAR, {"default": None}, "row 1 of 'cabs' lies in u33, in no region; add a region whose geohash begins this"),
        ((None, 1.0), {"placeless": "refuse"}, "has no place: 'latitude' or 'longitude' is NULL or missing; fill them"),
        ((91, 0), {}, "has no place on Earth: latitude 91, longitude 0; these are numbers of degrees"),
        (("40.7", -74.0), {}, "has no place on Earth: latitude '40.7'"),
        ((True, False), {}, "has no place on Earth: latitude True"),
        ((float("nan"), 0.0), {}, "has no place on Earth: latitude nan"),
        (EAST, {"circuits": ("city",)}, "lies in drt, region dr, whose circuit 'east' does not exist; create it first"),
        (AFAR, {"circuits": ("city",)}, "lies in u33, outside all regions, whose circuit 'rest' does not exist"),
    ],
)
def test_a_row_without_a_home_is_refused(image, options, message):
    with pytest.raises(ChangeRejected, match=message):
        route(told(**options), None, image)


def test_a_row_that_would_be_refused_can_still_be_put_right():
    """As when the strategy is new over rows that are old."""
    strategy = told(default=None)
    assert {"city": "put"} == route(strategy, (91, 0), CITY)
    assert {} == route(strategy, AFAR, None)


def test_rows_without_a_place_go_as_configured():
    assert dict.fromkeys(CIRCUITS, "put") == route(told(), None, (None, None))
    assert dict.fromkeys(CIRCUITS, "put") == route(told(), None, (), columns=("id",)), "the table has no such columns"
    assert {"city": "put", "east": "retract", "rest": "retract"} == route(told(), (None, None), CITY), "it gets a place"
    assert {"rest": "put"} == route(told(placeless="default"), None, (None, None))
    assert dict.fromkeys(CIRCUITS, "put") == route(told(everywhere=("stands",)), None, AFAR, "stands")


def test_a_column_that_a_table_gets_later_moves_no_row():
    """Rows that were there have NULL in it, and are where they were."""
    strategy = told(placeless="default")
    short, long = Resolved("cabs", 1, None, (1,), ("id",)), Resolved("cabs", 1, None, (1, None, None), COLUMNS)
    for circuit in CIRCUITS:
        assert strategy.holds(circuit, short) == strategy.holds(circuit, long)


def test_columns_may_have_other_names():
    strategy = told(latitude="lat", longitude="lon")
    assert {"city": "put"} == route(strategy, None, CITY, columns=("id", "lat", "lon"))


def test_rows_on_the_same_way_share_one_answer():
    """The runtime looks into an answer once: many rows of a region cost one look at its readers."""
    rows = [Resolved("cabs", n, None, (n, 40.7 + n / 10_000, -74.0), COLUMNS) for n in range(100)]
    assert 1 == len({id(targets) for targets in told().route(rows)})


# Who reads what

events = st.lists(
    st.tuples(
        st.sampled_from(("add", "add", "remove", "change", "settle", "leave", "come")), st.sampled_from("ab"),
        st.sampled_from("xy"), st.sets(st.sampled_from("tu")),
    ),
    min_size=8, max_size=40,
)  # fmt: skip


@given(script=events)
def test_only_circuits_that_read_a_table_get_its_rows(script):
    strategy = Geohash(GeohashOptions({"s": "a"}, everywhere=("t", "u")))
    model = {"a": {}, "b": {}}  # circuit → view → what it was told since it settled
    for circuit in model:
        strategy.circuit_added(circuit)
    for event, circuit, view, tables in script:
        views = model.get(circuit)
        if event == "come" and views is None:
            model[circuit] = {}
            strategy.circuit_added(circuit)
        elif views is None:
            continue
        elif event == "leave":
            del model[circuit]
            strategy.circuit_removed(circuit)
        elif event == "add":
            views[view] = [tables]
            strategy.view_added(circuit, view, dict.fromkeys(tables, ALL))
        elif view not in views:
            continue
        elif event == "remove":
            del views[view]
            strategy.view_removed(circuit, view)
        elif event == "change":
            views[view].append(tables)
            strategy.view_changed(circuit, view, {}, dict.fromkeys(tables, ALL))
        else:
            views[view] = views[view][-1:]
            strategy.view_settled(circuit, view)
        for table in "tu":
            (targets,) = strategy.route([Resolved(table, 1, None, (1,), ("id",))])
            readers = {
                c for c, views in model.items() if any(table in told for tell in views.values() for told in tell)
            }
            assert dict.fromkeys(readers, "put") == dict(targets)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regions": {}}, "there are no regions; give some"),
        ({"regions": {"": "a"}}, "a geohash has 1 to 12 characters, not ''"),
        ({"regions": {"0" * 13: "a"}}, "a geohash has 1 to 12 characters"),
        ({"regions": {"dl5": "a"}}, "'dl5' is no geohash, for its 'l'; geohashes do without a, i, l and o"),
        ({"regions": {"DR5": "a"}}, "'DR5' is no geohash, for its 'D'; write it in lower case"),
        ({"regions": {"dr5": 7}}, r"regions.dr5: a circuit's name is text, not 7"),
        ({"regions": {"dr5": []}}, r"regions.dr5: a circuit's name is text, not \[\]"),
        ({"regions": {"dr5": ["a", ""]}}, r"regions.dr5: a circuit's name is text, not ''"),
        (
            {"regions": {"s": "a"}, "placeless": "somewhere"},
            "placeless is one of everywhere, default, refuse, not 'some",
        ),
        ({"regions": {"s": "a"}, "placeless": "default"}, "needs a default circuit"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(UsageError, match=message):
        GeohashOptions(**options)
