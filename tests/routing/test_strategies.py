"""Every strategy that comes with the library, asked the same questions: does it ever lose a row, does it ever guess?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.abc import ALL, Resolved
from sspcore.plugins import Plugins
from sspcore.routing.broadcast import Broadcast
from sspcore.routing.dependency import Dependency
from sspcore.routing.hybrid import Hybrid, HybridOptions

OPTIONS = {"shadow": {"a": "dependency", "b": "broadcast"}}
"""Options of those that cannot do without."""
STRATEGIES = sorted(set(Plugins().strategies) - {"routed", "sharded"})
"""Those that give every reader the whole table; for shares see tests/routing/test_partitions.py."""
CIRCUITS = ("a", "b", "c")
TABLES = ("t", "u", "v")

put = Resolved("t", 1, ("old",), ("new",))
gone = Resolved("t", 1, ("old",), None)


def made(name):
    return Plugins().strategy(name, OPTIONS.get(name, {}))


circuits = st.sampled_from(CIRCUITS)
views = st.sampled_from(("x", "y"))
tables = st.sets(st.sampled_from(TABLES), max_size=3)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("circuit_added"), circuits),
        st.tuples(st.just("circuit_removed"), circuits),
        st.tuples(st.just("view_added"), circuits, views, tables),
        st.tuples(st.just("view_removed"), circuits, views),
        st.tuples(st.just("view_changed"), circuits, views, tables),
        st.tuples(st.just("view_settled"), circuits, views),
    ),
    max_size=30,
)


class Model:
    """What must be routed, told naively: circuit → view → tables it needs now."""

    def __init__(self, strategy):
        self.strategy = strategy
        self.needs = {}
        self.new = {}

    def step(self, event, circuit, *more):
        if (event == "circuit_added") == (circuit in self.needs):
            return  # the runtime adds what is not there and speaks only of what is
        if event in ("view_changed", "view_settled") and more[0] not in self.needs[circuit]:
            return
        if event == "circuit_added":
            self.needs[circuit] = {}
            self.strategy.circuit_added(circuit)
        elif event == "circuit_removed":
            del self.needs[circuit]
            self.strategy.circuit_removed(circuit)
        elif event == "view_added":
            self.needs[circuit][more[0]] = set(more[1])
            self.new.pop((circuit, more[0]), None)
            self.strategy.view_added(circuit, more[0], dict.fromkeys(more[1], ALL))
        elif event == "view_removed":
            self.needs[circuit].pop(more[0], None)
            self.new.pop((circuit, more[0]), None)
            self.strategy.view_removed(circuit, more[0])
        elif event == "view_changed":
            old = self.needs[circuit][more[0]]
            self.new[circuit, more[0]] = set(more[1])
            self.needs[circuit][more[0]] = old | more[1]
            self.strategy.view_changed(circuit, more[0], dict.fromkeys(old, ALL), dict.fromkeys(more[1], ALL))
        else:
            self.needs[circuit][more[0]] = self.new.pop((circuit, more[0]), self.needs[circuit][more[0]])
            self.strategy.view_settled(circuit, more[0])

    def readers(self, table):
        return {circuit for circuit, held in self.needs.items() if any(table in needed for needed in held.values())}


def apply(model, script):
    for event, circuit, *more in script:
        if event != "circuit_added" and circuit not in model.needs:
            continue
        model.step(event, circuit, *more)


@pytest.mark.parametrize("name", STRATEGIES)
@given(script=steps)
def test_no_reader_of_a_table_is_ever_left_out(name, script):
    """T9, T43: whatever came and went, each circuit that reads the table gets the row, entering, changing, leaving."""
    model = Model(made(name))
    apply(model, script)
    law(model)


def law(model):
    """What every strategy owes the readers of a table, and may not do to others."""
    for table in TABLES:
        rows = [Resolved(table, 1, None, (1,)), Resolved(table, 1, (1,), (2,)), Resolved(table, 1, (2,), None)]
        routing = model.strategy.route(rows)
        assert 3 == len(routing)
        for row, targets in zip(rows, routing, strict=True):
            wanted = "retract" if row.new is None else "put"
            assert model.readers(table) <= {circuit for circuit, kind in targets if kind == wanted}
            assert {wanted} >= {kind for _, kind in targets}
            assert len(targets) == len({circuit for circuit, _ in targets}), "twice to one circuit"
            assert {circuit for circuit, _ in targets} <= model.needs.keys(), "to a circuit that is gone"


class FallbackFirst(Hybrid):
    """Sends to the default what others read."""

    def route(self, rows):
        return [(("a", "retract" if row.new is None else "put"),) for row in rows]


class OldImageUnseen(Hybrid):
    """Rows that go are told to nobody."""

    def route(self, rows):
        return [() if row.new is None else targets for row, targets in zip(rows, super().route(rows), strict=True)]


class PutsWhatGoes(Hybrid):
    """Rows that go are put."""

    def route(self, rows):
        return [tuple([(circuit, "put") for circuit, _ in targets]) for targets in super().route(rows)]


class RemembersTheDead(Hybrid):
    """Circuits that are gone still get rows."""

    def circuit_removed(self, circuit):
        self._readers.circuit_removed(circuit)


@pytest.mark.parametrize("fault", [FallbackFirst, OldImageUnseen, PutsWhatGoes, RemembersTheDead])
def test_planted_faults_break_the_law(fault):
    script = [("circuit_added", "a"), ("circuit_added", "b"), ("view_added", "b", "x", {"t"}), ("circuit_added", "c"),
              ("circuit_removed", "c")]  # fmt: skip
    options = HybridOptions(broadcast=("u",))
    right, wrong = Model(Hybrid(options)), Model(fault(options))
    for model in (right, wrong):
        apply(model, script)
    law(right)
    with pytest.raises(AssertionError):
        law(wrong)


@given(script=steps)
def test_dependency_routes_to_readers_and_nobody_else(script):
    model = Model(Dependency())
    apply(model, script)
    for table in TABLES:
        ((*targets,),) = model.strategy.route([Resolved(table, 1, None, (1,))])
        assert model.readers(table) == {circuit for circuit, _ in targets}


@pytest.mark.parametrize("name", STRATEGIES)
def test_explain_agrees_with_route(name):
    strategy = made(name)
    for circuit in CIRCUITS:
        strategy.circuit_added(circuit)
    strategy.view_added("b", "late", {"t": ALL})
    for row in (put, gone, Resolved("u", 1, None, (1,))):
        (targets,) = strategy.route([row])
        reasons = strategy.explain(row)
        assert {circuit for circuit, _ in targets} == {r.circuit for r in reasons if r.routed}
        assert set(CIRCUITS) == {r.circuit for r in reasons}
        assert all(r.why for r in reasons)


def test_explain_names_the_views_that_read_the_table():
    strategy = Dependency()
    strategy.circuit_added("a")
    strategy.view_added("a", "late", {"t": ALL})
    strategy.view_added("a", "all", {"t": ALL, "u": ALL})

    assert ["read by all, late"] == [r.why for r in strategy.explain(put)]


def test_a_row_nobody_reads_goes_nowhere():
    strategy = Dependency()
    strategy.circuit_added("a")
    strategy.view_added("a", "late", {"t": ALL})
    strategy.view_removed("a", "late")

    assert [()] == list(strategy.route([put]))


def test_broadcast_does_not_ask_who_reads():
    strategy = Broadcast()
    strategy.circuit_added("a")
    strategy.circuit_added("b")

    assert [(("a", "put"), ("b", "put")), (("a", "retract"), ("b", "retract"))] == list(strategy.route([put, gone]))


@pytest.mark.parametrize("name", STRATEGIES)
def test_work_per_row_does_not_grow_with_views(name):
    """One lookup a row: the same tuple of targets is handed out for every row of a table, not built anew."""
    strategy = made(name)
    strategy.circuit_added("a")
    for number in range(100):
        strategy.view_added("a", f"view{number}", {"t": ALL})
    routing = strategy.route([put] * 1000)

    assert 1 == len({id(targets) for targets in routing})
