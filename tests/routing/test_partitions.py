"""Shares: who holds a row, who must give it up, and that both depend on nothing but the row and the configuration."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.abc import ALL, Address, Resolved
from sspcore.errors import ChangeRejected, ConfigError, UsageError
from sspcore.plugins import Plugins
from sspcore.routing.routed import Routed, RoutedOptions
from sspcore.routing.sharded import Sharded, ShardedOptions, spelled

CIRCUITS = ("a", "b", "c")
COLUMNS = ("id", "home", "x")


def told(strategy):
    for circuit in CIRCUITS:
        strategy.circuit_added(circuit)
        strategy.view_added(circuit, "all", {"t": ALL, "u": ALL})
    return strategy


def routed(function=None, **options):
    return told(Routed(RoutedOptions(**options), function))


def route(strategy, old, new, table="t"):
    (targets,) = strategy.route([Resolved(table, 1, old, new, COLUMNS)])
    return set(targets)


STRATEGIES = {
    "by column": lambda: routed(column="home", default="a", tables={"u": "*"}),
    "whole": lambda: routed(column="home", default="a", whole=("b",)),
    "several": lambda: routed(lambda table, key, row: ("a", "b") if row["x"] == 1 else None, default="c"),
    "sharded": lambda: told(Sharded(ShardedOptions(("a", "b"), "x"))),
}
images = st.one_of(st.none(), st.tuples(st.just(1), st.sampled_from((None, *CIRCUITS)), st.integers(0, 3)))


@pytest.mark.parametrize("make", STRATEGIES.values(), ids=STRATEGIES)
@given(old=images, new=images, table=st.sampled_from("tu"))
def test_route_is_what_the_shares_say(make, old, new, table):
    strategy = make()
    before = {c for c in CIRCUITS if strategy.holds(c, Resolved(table, 1, None, old, COLUMNS))}
    after = {c for c in CIRCUITS if strategy.holds(c, Resolved(table, 1, None, new, COLUMNS))}
    if old is None and new is None:
        return
    wanted = {(c, "put") for c in after} | {(c, "retract") for c in before - after}

    assert wanted <= route(strategy, old, new, table)
    assert {c for c, _ in route(strategy, old, new, table) - wanted} <= {c for c in CIRCUITS if strategy.whole(c)}
    reasons = strategy.explain(Resolved(table, 1, old, new, COLUMNS))
    assert {c for c, _ in route(strategy, old, new, table)} == {r.circuit for r in reasons if r.routed}
    assert all(r.why for r in reasons)


def test_only_circuits_that_read_the_table_get_its_rows():
    strategy = routed(column="home")
    assert {("a", "retract"), ("b", "put")} == route(strategy, (1, "a", 0), (1, "b", 0))
    strategy.view_removed("b", "all")
    assert {("a", "retract")} == route(strategy, (1, "a", 0), (1, "b", 0))
    strategy.view_added("b", "other", {"t": ALL})
    assert {("a", "retract"), ("b", "put")} == route(strategy, (1, "a", 0), (1, "b", 0))
    strategy.view_changed("b", "other", {"t": ALL}, {"u": ALL})
    assert {("a", "retract"), ("b", "put")} == route(strategy, (1, "a", 0), (1, "b", 0)), "until it has settled"
    strategy.view_settled("b", "other")
    assert {("a", "retract")} == route(strategy, (1, "a", 0), (1, "b", 0))


def test_a_row_that_goes_the_way_of_another_is_not_looked_up_among_the_readers_again():
    strategy = routed(column="home")
    rows = [Resolved("t", key, None, (key, "b", 0), COLUMNS) for key in range(100)]

    assert 1 == len({id(targets) for targets in strategy.route(rows)})


def test_resolvers_are_asked_in_order():
    strategy = routed(
        lambda table, key, row: "b" if row["x"] else None,
        column="home", names={"eu": "c", "7": "c"}, tables={"u": ["a", "b"]}, default="c",
    )  # fmt: skip
    assert {("a", "put")} == route(strategy, None, (1, "a", 1)), "the column"
    assert {("c", "put")} == route(strategy, None, (1, "eu", 1)), "by its other name"
    assert {("c", "put")} == route(strategy, None, (1, 7, 1)), "an integer, by its digits"
    assert {("a", "put"), ("b", "put")} == route(strategy, None, (1, None, 1), "u"), "the table"
    assert {("b", "put")} == route(strategy, None, (1, None, 1)), "the function"
    assert {("c", "put")} == route(strategy, None, (1, None, 0)), "the default"


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ((1, None, 0), "row 1 of 't' names no circuit: column 'home' is NULL or missing"),
        ((1, 1.5, 0), "names no circuit: 1.5 in column 'home'"),
        ((1, True, 0), "names no circuit: True in column 'home'"),
        ((1, "", 0), "names no circuit: '' in column 'home'"),
        ((1, "z", 0), "belongs to circuit 'z', which does not exist; create it first"),
    ],
)
def test_a_row_without_a_circuit_is_refused(image, message):
    with pytest.raises(ChangeRejected, match=message):
        route(routed(column="home"), None, image)


def addressed(**given):
    return Resolved("t", 1, None, (1, "a", 0), COLUMNS, Address(**given))


def test_the_change_is_asked_first():
    strategy = routed(by_change=True, column="home", names={"eu": "c"}, whole=("a",))
    for address, wanted in (
        ({"targets": ("b", "c"), "tenant": "eu"}, {"a", "b", "c"}),
        ({"targets": ("*",)}, {"a", "b", "c"}),
        ({"tenant": "eu"}, {"a", "c"}),
        ({"tenant": "b"}, {"a", "b"}),
        ({}, {"a"}),
    ):
        row = addressed(**address)
        assert wanted == {c for c in CIRCUITS if strategy.holds(c, row)} == {c for c, _ in strategy.route([row])[0]}


def test_a_row_that_only_moves_leaves_its_old_home():
    strategy = routed(by_change=True)
    row = Resolved("t", 1, (1, None, 0), (1, None, 0), COLUMNS, Address(tenant="b"), Address(("a", "c")))

    assert {("a", "retract"), ("b", "put"), ("c", "retract")} == set(strategy.route([row])[0])


def test_a_row_that_came_in_under_another_strategy_is_given_an_address():
    strategy = routed(by_change=True)

    assert {("b", "put")} == set(strategy.route([addressed(tenant="b")._replace(old=(1, None, 1))])[0])
    assert set() == route(strategy, (1, None, 1), None), "or goes"


def test_addresses_are_asked_only_where_configured():
    assert routed(by_change=True).addressed("t")
    assert not hasattr(routed(column="home"), "addressed")
    strategy = routed(column="home")
    assert strategy.holds("a", addressed(tenant="b")) and not strategy.holds("b", addressed(tenant="b"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"row 1 of 't' names no circuit: no change gave it targets or a tenant; "
             r"give the change a tenant \(change._replace\(tenant=\"…\"\)\), list the table under tables, or"),
        ({"column": "home"}, "no change gave it targets or a tenant, and column 'home' is NULL or missing; give"),
    ],
)  # fmt: skip
def test_a_change_without_tenant_is_told_what_was_asked(options, message):
    with pytest.raises(ChangeRejected, match=message):
        route(routed(by_change=True, **options), None, (1, None, 0))
    with pytest.raises(ChangeRejected, match="belongs to circuit 'mian', which does not exist"):
        routed(by_change=True).route([addressed(tenant="mian")])


def test_a_row_whose_circuit_is_gone_may_still_leave():
    strategy = routed(column="home")
    strategy.circuit_removed("b")

    assert set() == route(strategy, (1, "b", 0), None)
    assert {("a", "put")} == route(strategy, (1, "b", 0), (1, "a", 0))


def test_homes_do_not_depend_on_the_circuits_there_are():
    alone, all_of_them = Sharded(ShardedOptions(CIRCUITS)), told(Sharded(ShardedOptions(CIRCUITS)))
    for key in range(100):
        assert alone.homes("t", key, (key,), ("id",)) == all_of_them.homes("t", key, (key,), ("id",))


def test_the_shard_of_a_key_is_the_same_in_every_process():
    """Text is hashed differently by each Python unless told; the ring is not."""
    code = (
        "from sspcore.routing.sharded import *; s = Sharded(ShardedOptions(('a', 'b', 'c')));"
        "print(''.join(s.homes('t', f'k{n}', (), ())[0] for n in range(40)))"
    )
    here = Sharded(ShardedOptions(CIRCUITS))
    wanted = "".join(here.homes("t", f"k{n}", (), ())[0] for n in range(40))
    for seed in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        assert wanted == found.stdout.strip(), found.stderr


def test_shares_are_even_and_another_shard_takes_only_what_it_needs():
    three, four = Sharded(ShardedOptions(("a", "b", "c"))), Sharded(ShardedOptions(("a", "b", "c", "d")))
    before = [three.homes("t", key, (), ()) for key in range(4_000)]
    after = [four.homes("t", key, (), ()) for key in range(4_000)]

    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert {("d",)} == set(moved), "no row moves between shards that stay"
    assert 700 < len(moved) < 1_300
    assert all(1_000 < before.count((circuit,)) < 1_700 for circuit in "abc")


def test_equal_values_are_spelled_equally_and_others_are_not():
    alike = [(1, 1.0, Decimal("1.00")), (0.5, Decimal("0.5")), (float("nan"), Decimal("nan"))]
    for values in alike:
        assert 1 == len({spelled(value) for value in values})
    different = [None, True, 1, "1", "n1/1", (1,), ("1",), (1, 2), ((1, 2),), (1, (2,)), ("a", "b"), ("a1:b",), 10**30]
    assert len(different) == len({spelled(value) for value in different})


@pytest.mark.parametrize(
    ("strategy", "options", "message"),
    [
        ("routed", {}, r"routed needs to know by what"),
        ("routed", {"column": ""}, "a name cannot be ''"),
        ("routed", {"tables": {"t": 7}}, r"tables.t: a circuit's name is text, not 7 @ \$.routing"),
        ("routed", {"tables": {"t": ["a", ""]}}, "tables.t: a circuit's name is text, not ''"),
        ("routed", {"names": {"eu": ["a"]}}, "names.eu: a circuit's name is text"),
        ("routed", {"colum": "x"}, r"unknown key 'colum' \(did you mean 'column'\?\)"),
        ("sharded", {}, "the key 'circuits' is missing"),
        ("sharded", {"circuits": []}, "one at least"),
        ("sharded", {"circuits": ["a", "a"]}, "listed twice"),
        ("sharded", {"circuits": "ab"}, "a list of texts is expected"),
    ],
)
def test_options_are_checked(strategy, options, message):
    with pytest.raises((ConfigError, UsageError), match=message):
        Plugins().strategy(strategy, options)
