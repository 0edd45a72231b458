"""Shadow: a delivers whatever b does, and no difference goes unnoticed."""

from __future__ import annotations

import pytest
from hypothesis import given

from sspcore import hookimpl
from sspcore.abc import ALL, Resolved, StrategySpec
from sspcore.errors import ConfigError
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plugins import Plugins, routing_strategies
from sspcore.routing.broadcast import Broadcast
from sspcore.routing.dependency import Dependency
from sspcore.routing.interest import Region
from sspcore.routing.predicate import Predicate
from sspcore.routing.shadow import Shadow
from tests.routing.test_strategies import Model, apply, steps

rows = [Resolved(table, 1, old, new) for table in "tuv" for old, new in ((None, (1,)), ((1,), (2,)), ((2,), None))]


class Forgetful(Dependency):
    """Looks at the new image only: the fault a migration must show."""

    def route(self, rows):
        return [() if row.new is None else targets for row, targets in zip(rows, super().route(rows), strict=True)]


class Broken(Dependency):
    """Fails at one event."""

    def __init__(self, event):
        super().__init__()
        setattr(self, event, self.fail)

    def fail(self, *args):
        raise RuntimeError("no idea")


def two(b, **more):
    told = []
    shadow = Shadow(Dependency(), b, report=told.append, **more)
    for circuit in ("main", "ops"):
        shadow.circuit_added(circuit)
    shadow.view_added("ops", "late", {"t": ALL})
    return shadow, told


@given(script=steps)
def test_every_difference_is_reported_and_nothing_else(script):
    shadow = Shadow(Dependency(), Broadcast())
    apply(Model(shadow), script)
    first, second = shadow.a.route(rows), shadow.b.route(rows)
    assert first == shadow.route(rows), "a's answer"

    wanted = [row for row, x, y in zip(rows, first, second, strict=True) if set(x) != set(y)]
    assert wanted == [d.row for d in shadow.differences]
    assert len(wanted) == shadow.different


def test_a_strategy_that_forgets_the_old_image_is_found_out():
    shadow, told = two(Forgetful())
    shadow.route(rows)

    assert ["t 1, (2,) -> None: delivered to ops (retract), b would to nobody"] == told


def test_only_so_many_are_reported_and_all_are_counted():
    shadow, told = two(Broadcast(), most=2)
    shadow.route(rows)

    assert 9 == shadow.different
    assert 2 == len(shadow.differences)
    assert "more than 2 rows differ: from now on they are only counted" == told[2]
    assert 3 == len(told)


@pytest.mark.parametrize("event", ["route", "view_added", "circuit_added", "explain"])
def test_a_watched_strategy_that_fails_changes_nothing_of_what_is_delivered(event):
    shadow, told = two(Broken(event))

    assert [(("ops", "put"),), (("ops", "put"),), (("ops", "retract"),), *[()] * 6] == list(shadow.route(rows))
    assert [("main", False), ("ops", True)] == [(r.circuit, r.routed) for r in shadow.explain(rows[0])]
    assert [f"b: {event} failed with RuntimeError: no idea"] == [text.partition(";")[0] for text in told]


def test_a_watched_strategy_that_missed_a_view_is_watched_no_more():
    """Its answers would differ for a reason already told."""
    shadow, told = two(Broken("view_added"))
    shadow.route(rows)

    assert 0 == shadow.different
    assert told[0].endswith("it is watched no more")


def test_nonsense_from_the_watched_one_is_its_failure():
    shadow, told = two(Dependency())
    shadow.b.route = lambda rows: []
    assert 9 == len(shadow.route(rows))
    assert ["b: route failed with ValueError: 0 answers for 9 rows"] == told


class Plugin:
    @hookimpl
    def sspcore_routing_strategies(self):
        return [StrategySpec("forgetful", Forgetful)]


def test_it_is_made_of_any_strategies_there_are_with_their_options():
    options = {"a": "hybrid", "a_options": {"fallback": "broadcast"}, "b": "forgetful"}
    shadow = Plugins([Plugin()]).strategy("shadow", options)

    assert "broadcast" == shadow.a.options.fallback
    assert isinstance(shadow.b, Forgetful)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"a": "hybrid"}, r"the key 'b' is missing @ \$.routing"),
        ({"a": "hybrid", "b": "dependncy"}, r"unknown strategy 'dependncy' @ \$.routing.b.strategy; did you mean"),
        ({"a": "hybrid", "b": "shadow"}, r"'shadow' is made of plain ones, not of 'shadow' @ \$.routing.b"),
        ({"a": "hybrid", "b": "hybrid", "b_options": {"fallbak": "drop"}}, r"unknown key 'fallbak' .* @ \$.routing.b"),
        ({"a": "hybrid", "b": "broadcast", "most": -1}, "number of reports"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ConfigError, match=message):
        Plugins().strategy("shadow", options)


def test_its_factory_makes_one_in_code():
    from sspcore.routing.shadow import ShadowOptions

    made = routing_strategies()["shadow"](ShadowOptions("dependency", "broadcast"))
    assert isinstance(made.b, Broadcast)


def concerned(shadow):
    for circuit in ("main", "ops"):
        shadow.circuit_added(circuit)
    shadow.view_added("ops", "mine", {"t": Region(Call("=", (Column(0), Constant(1))))})
    shadow.route([Resolved("t", 1, *images) for images in (((1,), (2,)), (None, (2,)), (None, (1,)), ((1,), None))])
    return [(d.row.old, d.row.new) for d in shadow.differences]


class NewImageOnly(Predicate):
    """Asks what a row is, not what it was."""

    def route(self, rows):
        return super().route([row if row.new is None else row._replace(old=None) for row in rows])


@pytest.mark.parametrize(("a", "b", "selects"), [(Dependency, Predicate, False), (Predicate, Dependency, True)])
def test_rows_nobody_needs_are_no_difference(a, b, selects):
    """A reader of the whole table gets more than one of some rows: neither is wrong."""
    shadow = Shadow(a(), b())
    assert [] == concerned(shadow)
    assert selects == bool(getattr(shadow, "selects", lambda table: False)("t"))


@pytest.mark.parametrize(("a", "b"), [(Dependency, NewImageOnly), (Predicate, NewImageOnly)])
def test_a_row_that_left_and_is_not_routed_is_one(a, b):
    """T43, found before the migration."""
    assert [((1,), (2,))] == concerned(Shadow(a(), b()))


def test_a_reader_left_out_by_the_watched_is_one():
    assert [((1,), None)] == concerned(Shadow(Predicate(), Forgetful()))
