"""The predicate strategy: exactly the circuits an interest of whose views meets the old or the new image.

The model keeps, naively, every interest that counts, and evaluates each by the specification's own evaluator.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sspcore.abc import ALL, Resolved
from sspcore.engine.interpret_expressions import evaluate
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.routing import predicate as module
from sspcore.routing.any_of import AnyOf
from sspcore.routing.interest import Region
from sspcore.routing.ledger import Ledger
from sspcore.routing.predicate import Predicate
from tests.index.predicates import Maker
from tests.profiles import scaled

CIRCUITS = ("a", "b", "c")
VIEWS = ("x", "y")
TABLES = ("t", "u")


def true(region, row):
    return region is ALL or evaluate(region.condition, row) is True


class Model:
    """(circuit, view) → all interests that count, the newest last."""

    def __init__(self):
        self.views = {}
        self.circuits = set()

    def interests(self, circuit, table):
        return [
            told[table] for (owner, _), all_told in self.views.items() if owner == circuit
            for told in all_told if table in told
        ]  # fmt: skip

    def route(self, row):
        """What must be answered, as a set."""
        targets = set()
        for circuit in self.circuits:
            mine = self.interests(circuit, row.table)
            if row.new is not None and any(true(region, row.new) for region in mine):
                targets.add((circuit, "put"))
            elif row.old is not None and any(true(region, row.old) for region in mine):
                targets.add((circuit, "retract"))
        return targets


class World:
    """One script for the strategy and the model."""

    def __init__(self, seed, *strategies):
        self.maker = Maker(seed)
        self.strategies = strategies
        self.model = Model()
        self.regions = [ALL] + [Region(self.maker.predicate()) for _ in range(6)]

    def interests(self):
        choice = self.maker.random.choice
        return {table: choice(self.regions) for table in TABLES if choice((True, True, False))}

    def tell(self, event, *args):
        for strategy in self.strategies:
            getattr(strategy, event)(*args)

    def step(self):
        choice, views = self.maker.random.choice, self.model.views
        circuit, view = choice(CIRCUITS), choice(VIEWS)
        if circuit not in self.model.circuits:
            self.model.circuits.add(circuit)
            self.tell("circuit_added", circuit)
            return
        event = choice(("add", "add", "add", "change", "change", "settle", "remove", "gone", "circuit"))
        known = (circuit, view) in views
        if event == "circuit" and choice((True, False, False, False)):
            self.model.circuits.discard(circuit)
            self.model.views = {key: told for key, told in views.items() if key[0] != circuit}
            self.tell("circuit_removed", circuit)
        elif event == "add" and not known:
            told = self.interests()
            views[circuit, view] = [told]
            self.tell("view_added", circuit, view, told)
        elif event in ("change", "gone") and known:
            told = self.interests() if event == "change" else {}
            before = views[circuit, view][-1]
            views[circuit, view].append(told)
            self.tell("view_changed", circuit, view, before, told)
        elif event == "settle" and known:
            del views[circuit, view][:-1]
            self.tell("view_settled", circuit, view)
        elif event == "remove" and known:
            del views[circuit, view]
            self.tell("view_removed", circuit, view)

    def rows(self):
        choice = self.maker.random.choice
        rows = []
        for number in range(6):
            old = self.maker.row()
            new = self.maker.moved(old)
            form = choice(("create", "delete", "update", "update"))
            rows.append(Resolved(
                choice(TABLES), number, None if form == "create" else old, None if form == "delete" else new
            ))  # fmt: skip
        return rows


@scaled(2)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 40))
def test_exactly_the_interests(seed, steps):
    """T43: what leaves is retracted, what enters or stays is put, nobody else hears of it; the ledger agrees."""
    predicate, ledger = Predicate(), Ledger()
    world = World(seed, predicate, ledger)
    for _ in range(steps):
        world.step()
        rows = world.rows()
        routing = predicate.route(rows)
        assert len(rows) == len(routing)
        for row, targets in zip(rows, routing, strict=True):
            assert world.model.route(row) == set(targets)
            assert len(targets) == len(set(targets)), "twice to one circuit"
            assert set(targets) == set(ledger.targets(row))
            routed = {reason.circuit for reason in predicate.explain(row) if reason.routed}
            assert routed == {circuit for circuit, _ in targets}


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_an_index_that_cannot_tell_changes_nothing(seed):
    """Exact also then: more circuits than concerned would hold rows that go stale."""
    predicate = Predicate()
    world = World(seed, predicate)
    for _ in range(30):
        world.step()

    def broken(*args):
        raise RuntimeError("no idea")

    for postings in predicate._tables.values():
        postings.index.route = postings.index.route2 = broken
    for row in world.rows():
        assert world.model.route(row) == set(predicate.route([row])[0])


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 60))
def test_any_of_many_regions_is_any_of_each(seed, steps):
    """Whether few are asked one by one or many by an index: a row is in when it is in one that somebody has."""
    maker = Maker(seed)
    regions = [Region(maker.predicate()) for _ in range(14)]
    held, wanted = [], AnyOf()
    for _ in range(steps):
        region = maker.random.choice([*regions, ALL] if maker.random.random() < 0.1 else regions)
        if held.count(region) and maker.random.random() < 0.4:
            held.remove(region)
            assert wanted.remove(region) == (region not in held)
        else:
            assert wanted.add(region) == (region not in held)
            held.append(region)
        row = maker.row()
        assert wanted.matches(row) == any(true(each, row) for each in held)
        assert set(wanted) == set(held) and wanted.everything == (ALL in held)


class NewImageOnly(Predicate):
    """Asks what the row is now, not what it was."""

    def route(self, rows):
        return super().route([row._replace(old=None) if row.new is not None else row for row in rows])


class OldOnesForgotten(Predicate):
    """Takes a change of interests for settled."""

    def view_changed(self, circuit, view, old, new):
        super().view_changed(circuit, view, old, new)
        super().view_settled(circuit, view)


class NeverSettled(Predicate):
    """Goes on routing by interests nobody has any more."""

    def view_settled(self, circuit, view):
        pass


class OneViewForAll(Predicate):
    """Takes an interest away with the first view that had it."""

    def view_removed(self, circuit, view):
        super().view_removed(circuit, view)
        for other in VIEWS:
            super().view_removed(circuit, other)


class PutWhereItLeft(Predicate):
    """Sends the new image where only the old one was wanted."""

    def route(self, rows):
        return [
            tuple([(circuit, "put" if row.new is not None else kind) for circuit, kind in targets])
            for row, targets in zip(rows, super().route(rows), strict=True)
        ]  # fmt: skip


FAULTS = [NewImageOnly, OldOnesForgotten, NeverSettled, OneViewForAll, PutWhereItLeft]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_planted_faults_are_caught(fault):
    for seed in range(30):
        strategy = fault()
        world = World(seed, strategy)
        for _ in range(25):
            world.step()
            for row in world.rows():
                if world.model.route(row) != set(strategy.route([row])[0]):
                    return
    raise AssertionError("not caught")


def owned_by(owner):
    return {"t": Region(Call("=", (Column(1), Constant(owner))), ("id", "owner"))}


def test_rows_for_the_same_circuits_share_their_targets():
    """Admission looks into a tuple of targets once."""
    predicate = Predicate()
    for circuit in CIRCUITS:
        predicate.circuit_added(circuit)
        predicate.view_added(circuit, "x", owned_by("ab"[circuit == "b"]))
    rows = [Resolved("t", number, None, (number, "a")) for number in range(2)]
    one, other = predicate.route(rows)

    assert one is other and {("a", "put"), ("c", "put")} == set(one)


def test_combinations_remembered_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    predicate = Predicate()
    predicate.circuit_added("a")
    predicate.view_added("a", "all", {"t": ALL})
    for owner in range(9):
        predicate.view_changed("a", "x", {}, owned_by(owner))
    for owner in range(9):
        assert (("a", "put"),) == predicate.route([Resolved("t", 1, None, (1, owner))])[0]
    assert 2 >= len(predicate._tables["t"]._ways)


def test_explain_says_which_view_and_why_not():
    predicate = Predicate()
    for circuit in CIRCUITS:
        predicate.circuit_added(circuit)
    predicate.view_added("a", "mine", owned_by("ann"))
    predicate.view_added("b", "other", owned_by("bob"))
    why = {r.circuit: (r.routed, r.why) for r in predicate.explain(Resolved("t", 1, (1, "ann"), (1, "bob")))}

    assert (True, "the old image meets (owner = 'ann') of mine, the new one does not: retract") == why["a"]
    assert (True, "the row meets (owner = 'bob') of other") == why["b"]
    assert (False, "no view of it reads t") == why["c"]
    (_, reason, _) = predicate.explain(Resolved("t", 1, None, (1, "ann")))
    assert "the row meets none of its interests in t: (owner = 'bob') of other" == reason.why


def test_a_table_nobody_reads_leaves_nothing_behind():
    predicate = Predicate()
    predicate.circuit_added("a")
    predicate.view_added("a", "mine", owned_by("ann"))
    predicate.view_removed("a", "mine")

    assert {} == predicate._tables and () == predicate.route([Resolved("t", 1, None, (1, "ann"))])[0]
