"""Rows go where their changes say: whatever happens, each view is its plan over the rows addressed to its circuit.

The model beside the runtime keeps rows, versions, marks and addresses of its own, change by change, in the order in
which batches got in. It is checked itself: its rows are the base tables'.
"""

from __future__ import annotations

import logging
from contextlib import suppress

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from sspcore import clear, delete, merge, replace, upsert
from sspcore.errors import ChangeRejected
from sspcore.ingress import refill, walk
from sspcore.ingress.addresses import Addresses, NotingDoor
from sspcore.ingress.admission import Admission
from sspcore.ingress.base_tables import BaseTables
from sspcore.ingress.lane import Lane
from sspcore.ingress.registry import Registry
from sspcore.routing.routed import Routed
from sspcore.testing.oracle import LawBroken
from tests.profiles import scaled
from tests.runtime.test_interleavings import Story, asking, steps, told
from tests.runtime.test_partitions import QUERIES, SCHEMAS, judge
from tests.runtime.tools import balanced, fail, open_test

BY_CHANGE = {"by_change": True, "tables": {"u": "*"}, "names": {"eu": "ops"}}
LENIENT = BY_CHANGE | {"column": "home", "default": "main"}
OTHERS = [
    ("routed", BY_CHANGE), ("routed", LENIENT), ("routed", LENIENT | {"whole": ["main"], "names": {"eu": "main"}}),
    ("dependency", {}),
    ("shadow", {"a": "dependency", "b": "routed", "b_options": BY_CHANGE}),
]  # fmt: skip


class Model:
    """What is where, by the words of the documentation."""

    def __init__(self):
        self.rows = {"t": {}, "u": {}}
        self.addresses = {}
        self.versions = {}
        self.marks = {}
        self.options = None
        self.keeps = False

    def follow(self, strategy):
        """Another strategy: addresses that nobody asked for are not known."""
        options = getattr(strategy, "options", None)
        self.options = options if hasattr(options, "by_change") else None
        self.keeps = callable(getattr(strategy, "addressed", None))
        if not self.keeps:
            self.addresses = {}

    def admitted(self, changes):
        marks, stamped = dict(self.marks), {}
        for change in changes:
            if change.source is not None:
                if marks.get(change.source, -1) >= change.seq:
                    continue
                self.marks[change.source] = max(change.seq, self.marks.get(change.source, -1))
            self._apply(change, stamped)
        for place, version in stamped.items():
            if version is None:
                self.versions.pop(place, None)
            else:
                self.versions[place] = version
        self.addresses = {place: to for place, to in self.addresses.items() if place[1] in self.rows[place[0]]}

    def _apply(self, change, stamped):
        table, op, place = change.table, change.op, (change.table, change.id)
        address = (change.targets, change.tenant) if self.keeps and (change.targets or change.tenant) else None
        rows = self.rows[table]
        if op in ("clear", "replace"):
            for key in rows:
                self.addresses.pop((table, key), None)
            self.rows[table] = {key: _row(table, key, {}, row) for key, row in (change.row or {}).items()}
            if address:
                self.addresses |= {(table, key): address for key in change.row or ()}
            return
        if change.version is not None:
            held = stamped.get(place, self.versions.get(place))
            if held is not None and change.version <= held:
                return
            stamped[place] = change.version
        if op == "delete":
            if rows.pop(change.id, None) is not None and change.version is None and place in self.versions:
                stamped[place] = None
            self.addresses.pop(place, None)
            return
        before = rows.get(change.id, {}) if op == "merge" else {}
        rows[change.id] = _row(table, change.id, before, change.row)
        if address:
            self.addresses[place] = address

    def belongs(self, circuit, table, row):
        """Whether a row is the circuit's."""
        options = self.options
        if options is None or circuit in options.whole:
            return True
        targets, tenant = self.addresses.get((table, row["id"]), ((), None))
        if targets:
            return circuit in targets or "*" in targets
        if tenant is not None:
            return circuit == options.names.get(tenant, tenant)
        if options.column is not None and row.get(options.column) is not None:
            return circuit == row[options.column]
        return table in options.tables or circuit == options.default


def _row(table, key, before, given):
    columns = ("id", "home", "x") if table == "t" else ("id", "y")
    return dict.fromkeys(columns) | before | given | {"id": key}


@pytest.fixture
def model(monkeypatch):
    return watched(monkeypatch)


def watched(patch):
    """A model that is told what a runtime admits, and which strategy is in force."""
    made = Model()
    attempt, reroute, created = Admission._attempt, Registry.reroute, Registry.__init__

    def attempting(self, changes, *more):
        outcome = attempt(self, changes, *more)
        if not isinstance(outcome, tuple):
            made.admitted(changes)
        return outcome

    def rerouting(self, router):
        changed = reroute(self, router)
        made.follow(router.strategy)
        return changed

    def creating(self, router, options):
        created(self, router, options)
        made.follow(router.strategy)

    patch.setattr(Admission, "_attempt", attempting)
    patch.setattr(Registry, "reroute", rerouting)
    patch.setattr(Registry, "__init__", creating)
    return made


def check(runtime, model):
    """The law. The addresses kept are those of the model: none too many stay in memory."""
    base = runtime._registry.base
    for name, table in base.tables.items():
        held = {key: dict(zip(table.names, row, strict=True)) for key, row in table.rows.items()}
        assert model.rows[name] == held, "the model is not the runtime's truth"
    kept = {(table, key): tuple(to) for table, held in base.addresses._held.items() for key, to in held.items()}
    if kept != model.addresses:
        raise LawBroken(f"addresses are {kept}, not {model.addresses}")
    judge(runtime, model.belongs)


ids = st.integers(0, 4)
rows = st.fixed_dictionaries({"home": st.sampled_from(("main", "ops", None)), "x": st.sampled_from((None, 1))})
marks = st.one_of(
    st.just({}), st.just({}), st.builds(lambda version: {"version": version}, st.integers(0, 4)),
    st.builds(lambda seq: {"source": "s", "seq": seq}, st.integers(0, 6)),
)  # fmt: skip
addresses = st.one_of(
    st.just({}),
    st.builds(lambda tenant: {"tenant": tenant}, st.sampled_from(("main", "ops", "eu"))),
    st.builds(lambda targets: {"targets": targets}, st.sampled_from((("main",), ("ops",), ("main", "ops"), ("*",)))),
    st.just({"targets": ("main",), "tenant": "ops"}),
)
changes = st.one_of(
    st.builds(lambda key, row: upsert("t", key, row), ids, rows),
    st.builds(lambda key, row: upsert("t", key, row), ids, rows),
    st.builds(lambda key, x: merge("t", key, {"x": x}), ids, st.sampled_from((None, 1, 2))),
    st.builds(lambda key: merge("t", key, {}), ids),
    st.builds(lambda key: delete("t", key), ids),
    st.builds(lambda key, y: upsert("u", key, {"y": y}), st.integers(1, 2), st.sampled_from("ab")),
    st.builds(lambda held: replace("t", held), st.dictionaries(ids, rows, max_size=3)),
    st.just(clear("t")),
)
addressed = st.builds(lambda change, mark, to: change._replace(**mark, **to), changes, marks, addresses)
batches = st.lists(addressed, min_size=1, max_size=5).flatmap(
    lambda batch: st.builds(lambda again: batch + again, st.lists(st.sampled_from(batch), max_size=2))
)  # the very same changes again, too
scripts = st.lists(
    st.one_of(steps, steps, steps, st.tuples(st.just("reroute"), st.sampled_from(OTHERS))), min_size=5, max_size=40
)


class Addressed(Story):
    """A story in which strategies change too."""

    async def _reroute(self, strategy):
        self.start(lambda: self.runtime.set_routing(*strategy))


async def tell(model, history, script, options, capacity):
    config = {
        "routing": {"strategy": "routed", **options}, "ingress": {"strict": False},
        "backpressure": {"capacity": capacity},
    }  # fmt: skip
    async with told(config, asking(QUERIES, history), script, Addressed, schemas=SCHEMAS) as story:
        check(story.runtime, model)


@pytest.mark.parametrize("options", [BY_CHANGE, LENIENT], ids=["or refused", "or by column"])
@scaled(1)
@given(
    history=st.lists(batches, max_size=10), script=scripts, capacity=st.sampled_from((1, 10_000)),
    slice=st.sampled_from((1, 3, 512)),
)  # fmt: skip
def test_whatever_happens_rows_are_where_their_changes_said(options, history, script, capacity, slice):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "SLICE", slice)
        model = watched(patch)
        trio.run(tell, model, history, script, options, capacity, clock=MockClock(autojump_threshold=0))


async def life(runtime, look):
    """What addresses must survive, in order."""
    await runtime.create_circuit("ops")
    for circuit in ("main", "ops"):
        await runtime.register("v0", QUERIES["v0"], circuit=circuit)
    row = {"home": None, "x": 1}
    await runtime.ingest([upsert("t", key, row)._replace(tenant="main", version=5) for key in range(6)])
    look()
    await runtime.ingest([upsert("t", 0, row)._replace(tenant="ops", version=6), merge("t", 1, {"x": 2})])
    look()
    await runtime.ingest(upsert("t", 2, row)._replace(tenant="ops", version=4))
    look()
    again = upsert("t", 3, row)._replace(tenant="ops", source="s", seq=1, version=6)
    await runtime.ingest(again)
    await runtime.ingest(upsert("t", 3, row)._replace(tenant="main", version=7))
    await runtime.ingest(again._replace(version=None))
    look()
    twice = upsert("t", 4, row)._replace(tenant="ops", version=8)
    await runtime.ingest([twice, twice])
    look()
    with suppress(ChangeRejected):
        await runtime.ingest([upsert("t", 1, row)._replace(tenant="ops"), upsert("t", 9, row)])
    look()
    fail(runtime, "ops")
    await runtime.settle()
    look()
    await runtime.register("v1", QUERIES["v1"], circuit="ops")
    look()
    await runtime.unregister("v0", circuit="ops")
    await runtime.unregister("v1", circuit="ops")
    await runtime.ingest([upsert("t", 5, row)._replace(tenant="eu"), delete("t", 4)])
    await runtime.register("v0", QUERIES["v0"], circuit="ops")
    look()
    await runtime.ingest(upsert("t", 4, row)._replace(targets=("main", "ops")))
    look()
    await runtime.ingest([delete("t", 0), upsert("t", 0, row)._replace(tenant="main"), merge("t", 4, {"x": 7})])
    look()
    await runtime.ingest(replace("t", {5: row})._replace(tenant="main"))
    look()
    await runtime.ingest(clear("t"))
    look()


async def test_a_whole_life(model, autojump_clock):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    async with open_test({"routing": {"strategy": "routed", **BY_CHANGE}}, schemas=SCHEMAS) as runtime:
        await life(runtime, lambda: check(runtime, model))
        assert 1 == runtime.statistics().duplicates
        balanced(runtime)


def lost_on_merge(patch):
    follow = Addresses._follow

    def broken(self, draft, change):
        follow(self, draft, change)
        if change.op == "merge" and not change.tenant:
            draft[change.id] = None

    patch.setattr(Addresses, "_follow", broken)


def moved_by_a_stale_change(patch):
    patch.delattr(NotingDoor, "_newer")


def moved_by_a_duplicate(patch):
    patch.delattr(NotingDoor, "_seen")


def judged_by_the_object(patch):
    """The same change twice in a batch: once it counts, once it is older than its row."""
    patch.setattr("sspcore.ingress.addresses.map", lambda of, items: range(len(items)), raising=False)


def not_found_again_by_a_refill(patch):
    refilled = refill.refill

    def broken(lane, *more):
        lane.share = lambda row, share=lane.share: share(row._replace(address=None))
        return refilled(lane, *more)

    patch.setattr("sspcore.runtime.supervisor.refill", broken)


def not_found_by_a_late_view(patch):
    walked = Lane.walk

    def broken(self, walk, base):
        share, self.share = self.share, lambda row: share(row._replace(address=None))
        try:
            return walked(self, walk, base)
        finally:
            self.share = share

    patch.setattr(Lane, "walk", broken)


def rows_that_only_move_are_forgotten(patch):
    patch.setattr(Addresses, "_moves", lambda self, after, resolution: {})


def not_retracted_where_it_was(patch):
    route = Routed.route
    patch.setattr(Routed, "route", lambda self, rows: route(self, [row._replace(was=row.address) for row in rows]))


def kept_for_a_row_that_went(patch):
    follow = Addresses._follow
    patch.setattr(
        Addresses, "_follow", lambda self, draft, change: change.op == "delete" or follow(self, draft, change)
    )


def moved_by_a_refused_batch(patch):
    resolve = Addresses.resolve

    def broken(self, changes):
        resolution, addressing = resolve(self, changes)
        if addressing is not None:
            self.commit(addressing)
        return resolution, addressing

    patch.setattr(Addresses, "resolve", broken)


def not_written(patch):
    commit = BaseTables.commit
    patch.setattr(BaseTables, "commit", lambda self, resolution, addressing=None: commit(self, resolution))


FAULTS = [
    lost_on_merge, moved_by_a_stale_change, moved_by_a_duplicate, judged_by_the_object, not_found_again_by_a_refill,
    not_found_by_a_late_view, rows_that_only_move_are_forgotten, not_retracted_where_it_was, kept_for_a_row_that_went,
    moved_by_a_refused_batch, not_written,
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_planted_faults_are_caught(fault, model, autojump_clock, monkeypatch):
    logging.getLogger("sspcore.runtime").setLevel(logging.CRITICAL)
    fault(monkeypatch)
    async with open_test({"routing": {"strategy": "routed", **BY_CHANGE}}, schemas=SCHEMAS) as runtime:
        with pytest.raises((LawBroken, ChangeRejected)):
            await life(runtime, lambda: check(runtime, model))
