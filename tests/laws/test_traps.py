"""Traps of changes, tables and views: each test names one, and `tests/planted` proves that it would be caught.

Known defects of engines of this kind. The tests are directed and quick; the laws beside them are general.
"""

from random import Random

import pytest

from sspcore.algebra.values import same
from sspcore.engine.change import Change, clear, create, delete, merge, update, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema, open_schema
from sspcore.engine.update import Snapshot
from sspcore.errors import AlreadyExists, ChangeRejected
from sspcore.plan import nodes, traverse
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.testing.oracle import Mirror, check_circuit, expect_value, plain_tables
from sspcore.wire.changes import decode_change
from tests.laws.test_operators import Bench, run
from tests.laws.world import World, rebatched, same_rows, seeded, values

OPEN = Schema("t", {"id": "any", "u": "any", "v": "any"}, open=True)
T = nodes.Scan("t", ("id", "u", "v"))
HIGH = nodes.Filter(T, Call(">", (Column(1), Constant(10))))
PAIRS = nodes.Join("inner", T, T, ((Column(1), Column(2)),))
COUNTS = nodes.Aggregate(T, (("u", Column(1)),), (("n", nodes.AggregateCall("count")),))
RANKED = nodes.TopK(T, (nodes.OrderTerm(Column(1)),))
TOP2 = nodes.TopK(T, (nodes.OrderTerm(Column(1), descending=True, nulls_first=True),), Constant(2))
ALL = {"all": T, "high": HIGH, "pairs": PAIRS, "counts": COUNTS, "ranked": RANKED, "top2": TOP2}


class Watched:
    """A circuit over table `t` with views, each with a mirror; every commit is judged."""

    def __init__(self, views=None, circuit=None, **options):
        self.circuit = circuit or Circuit(schemas=[OPEN], options=CircuitOptions(**options))
        self.mirrors = {name: Mirror(self.circuit.register(name, plan)) for name, plan in (views or {}).items()}

    def apply(self, *changes):
        commit = self.circuit.apply(changes)
        for name, view_update in commit.updates.items():
            self.mirrors[name].apply(view_update)
        check_circuit(self.circuit)
        for name, mirror in self.mirrors.items():
            view = self.circuit.view(name)
            expect_value(mirror.keys, mirror.rows(), view.bound, self.circuit.tables, f"the mirror of {name}")
        return commit


def rows(circuit, name="t"):
    return circuit.tables[name].rows


def test_rows_that_come_to_match_or_no_longer_match():
    """T1: an update that makes a row match a filter adds it, one that makes it unmatch removes it; in every plan."""
    watched = Watched(ALL)
    watched.apply(create("t", 1, {"u": 5}), create("t", 2, {"u": 50}))

    commit = watched.apply(merge("t", 1, {"u": 11}), merge("t", 2, {"u": 10}))

    assert commit.updates["high"].added == ((1, 11, None),)
    assert commit.updates["high"].removed == ((2, 50, None),)
    for seed in range(25):
        world = World(seeded(seed, views=3, batches=6))
        for batch in world.scenario.history:
            world.apply(batch)


def test_deletes_are_judged_by_the_row_that_was():
    """T2: a deleted row leaves filters, joins and groups; after deleting all rows every view is empty."""
    watched = Watched(ALL)
    watched.apply(*[create("t", n, {"u": 11, "v": 11}) for n in range(6)])
    for n in range(5):
        watched.apply(delete("t", n))
    commit = watched.apply(delete("t", 5))

    assert set(commit.updates) == set(ALL)
    assert {name: watched.circuit.rows(name) for name in ALL} == {name: [] for name in ALL}


def test_a_changed_sort_key_ranks_anew_and_a_changed_join_key_joins_anew():
    """T3: only the columns that views order and join by are changed; rows move, pairs part and meet."""
    watched = Watched({"pairs": PAIRS, "ranked": RANKED, "top2": TOP2})
    watched.apply(*[create("t", n, {"u": n, "v": 3}) for n in range(6)])
    choices = Random(3)

    for _ in range(40):
        watched.apply(merge("t", choices.randrange(6), {choices.choice("uv"): choices.randrange(5)}))

    watched.apply(*[merge("t", n, {"u": 9 - n}) for n in range(6)])
    assert [row[0] for row in watched.circuit.rows("ranked")] == [5, 4, 3, 2, 1, 0]
    assert [row[0] for row in watched.circuit.rows("top2")] == [0, 1]


def test_a_trace_cut_anyhow_into_batches_ends_alike():
    """T4: one batch, single changes and batches of three give the same rows and the same net delta."""
    watched = [Watched(ALL), Watched(ALL)]
    crossings = [merge("t", n, {"u": 11 - n}) for n in range(4)]
    for cut in watched:
        cut.apply(*[create("t", n, {"u": 9 + n}) for n in range(4)])
    watched[0].apply(*crossings)
    for change in crossings:
        watched[1].apply(change)
    assert values(watched[0].circuit) == values(watched[1].circuit)
    for seed in range(12):
        scenario = seeded(seed, views=3, batches=5)
        ends = []
        for size in (1, 3, 1000):
            world = World(scenario)
            start = {name: dict(mirror.held) for name, mirror in world.mirrors.items()}
            for batch in rebatched(scenario.history, size):
                world.apply(batch)
            ends.append((start, {name: dict(mirror.held) for name, mirror in world.mirrors.items()}))
        for start, end in ends[1:]:
            for name in scenario.views:
                assert same_rows(start[name], ends[0][0][name])
                assert same_rows(end[name], ends[0][1][name])


def test_redelivery_and_reordering_never_count_twice():
    """T5: a repeated create is refused or a counted duplicate, a delete before its create is nothing: a row is once."""
    watched = Watched(ALL)
    marked = create("t", 1, {"u": 11})._replace(source="s", seq=1)
    watched.apply(marked)

    again = watched.apply(marked)
    assert (again.stats.duplicates, again.version, again.updates) == (1, 1, {})
    with pytest.raises(ChangeRejected, match="exists already"):
        watched.apply(create("t", 1, {"u": 12}))
    watched.apply(delete("t", 1))
    assert rows(watched.circuit) == {}

    early = watched.apply(delete("t", 2))
    assert (early.stats.no_ops, early.updates) == (1, {})
    watched.apply(create("t", 2, {"u": 11}))
    assert watched.circuit.rows("high") == [(2, 11, None)]
    late = Circuit.restore(watched.circuit.image())
    assert late.register("late", HIGH).rows == [(2, 11, None)]


def test_an_update_of_an_unknown_row_is_a_row_or_is_refused():
    """T6: with `strict=False` a trace with every create made an update gives the same state; strict refuses it."""
    for seed in range(8):
        scenario = seeded(seed, views=3, batches=5)
        states = []
        for op in ("create", "update", "upsert"):
            world = World(scenario, strict=False)
            for batch in scenario.history:
                world.apply([c._replace(op=op) if c.op == "create" else c for c in batch])
            states.append({name: dict(mirror.held) for name, mirror in world.mirrors.items()})
            world.check_tables()
        for state in states[1:]:
            assert all(same_rows(state[name], states[0][name]) for name in scenario.views)

    with pytest.raises(ChangeRejected, match="no such row"):
        Circuit(schemas=[OPEN]).apply([update("t", 1, {"u": 1})])


def test_a_stale_version_never_overwrites_a_newer_row():
    """T7: messages with row versions, shuffled and repeated, end in the state of the highest version of each row."""
    for seed in range(10):
        choices = Random(seed)
        messages = [upsert("t", n, {"u": 10 * version + n})._replace(version=version)
                    for n in range(4) for version in range(1, 6)]  # fmt: skip
        messages[7] = delete("t", 1)._replace(version=3)
        messages[19] = delete("t", 3)._replace(version=5)
        sent = messages + choices.sample(messages, 8)
        choices.shuffle(sent)
        watched = Watched(ALL, strict=False)
        while sent:
            size = choices.randrange(1, 5)
            watched.apply(*sent[:size])
            del sent[:size]

        assert rows(watched.circuit) == {n: (n, 50 + n, None) for n in range(3)}
    refusing = Watched(ALL, stale="refuse")
    refusing.apply(upsert("t", 1, {"u": 2})._replace(version=2))
    with pytest.raises(ChangeRejected, match="not above 2"):
        refusing.apply(upsert("t", 1, {"u": 1})._replace(version=1))


def test_restored_operators_know_what_they_knew():
    """T8: for every prefix, image, restore, go on: joins still join, a top 2 stays at two, updates still chain."""
    history = [
        [create("t", n, {"u": n % 3, "v": n % 2}) for n in range(6)],
        [delete("t", 4), merge("t", 5, {"u": 12})],
        [create("t", 6, {"u": 20, "v": 12}), delete("t", 0)],
        [merge("t", 6, {"u": None}), create("t", 7, {"u": 12, "v": 0})],
    ]
    whole = Watched(ALL)
    images = [(whole.circuit.image(), {})]
    for batch in history:
        whole.apply(*batch)
        images.append((whole.circuit.image(), values(whole.circuit)))
    for prefix, (image, shown) in enumerate(images):
        twin = Watched(circuit=Circuit.restore(image))
        assert not shown or values(twin.circuit) == shown
        twin.mirrors = {name: Mirror(twin.circuit.view(name).snapshot()) for name in ALL}
        for batch in history[prefix:]:
            twin.apply(*batch)
        assert values(twin.circuit) == values(whole.circuit)
        assert twin.circuit.version == whole.circuit.version


def test_views_restored_are_woken_although_another_registers_first():
    """T9: restore, register, then apply: the restored views and the new one all move."""
    before = Watched({"high": HIGH, "counts": COUNTS})
    before.apply(create("t", 1, {"u": 11}))
    after = Watched(circuit=Circuit.restore(before.circuit.image()))
    after.mirrors = {name: Mirror(after.circuit.view(name).snapshot()) for name in ("high", "counts")}
    after.mirrors["late"] = Mirror(after.circuit.register("late", T))

    commit = after.apply(create("t", 2, {"u": 12}))

    assert set(commit.updates) == {"high", "counts", "late"}


IDS = ("2024:01", "x:01", "t:01", "01", "1", 1, "o'k", "ü:ü", '"', "a|b", ("a", 1), ("a", "1"), "('a', 1)", ":", "a:b")


def test_ids_are_never_parsed():
    """T15: ids with colons, quotes and the table's own name stay apart through tables, keys, joins and restore."""
    watched = Watched({"all": T, "pairs": nodes.Join("inner", T, T, ((Column(0), Column(0)),)), "counts": COUNTS})
    for n, row_id in enumerate(IDS):
        watched.apply(create("t", row_id, {"u": n}))
    restored = Circuit.restore(watched.circuit.image())

    for circuit in (watched.circuit, restored):
        assert list(rows(circuit)) == list(IDS)
        assert circuit.view("all").keys() == list(IDS)
        assert [row[0] for row in circuit.rows("all")] == list(IDS)
        assert set(circuit.view("pairs").keys()) == {(row_id, row_id) for row_id in IDS}
    for row_id in IDS:
        restored.apply([merge("t", row_id, {"v": 1}), delete("t", row_id)])
    assert restored.rows("all") == []


def test_an_ordered_view_is_in_order_after_every_commit():
    """T16: also without LIMIT; and a reader who only follows the placements shows the same order."""
    for seed in range(10):
        scenario = seeded(seed, views=2, batches=6)
        for name, view in scenario.views.items():
            first = nodes.OrderTerm(Column(0), descending=seed % 2 == 0, nulls_first=seed % 3 == 0)
            scenario.views[name] = type(view)(nodes.TopK(view.plan, (first,)), view.params)
        world = World(scenario)
        for batch in scenario.history:
            world.apply(batch)
        assert all(mirror.ordered for mirror in world.mirrors.values())


def test_what_shows_no_change_tells_no_change():
    """T18: a no-op, a column nobody reads, a child whose parents keep their values: no update, no version."""
    children = nodes.Scan("c", ("parent", "open"))
    busy = nodes.SemiJoin(T, nodes.Filter(children, Column(1)), ((Column(0), Column(0)),))
    watched = Watched({"u": nodes.Scan("t", ("id", "u")), "busy": busy, "counts": COUNTS})
    watched.apply(
        *[create("t", n, {"u": 1, "v": n}) for n in range(3)],
        *[create("c", n, {"parent": n % 2, "open": True, "note": ""}) for n in range(4)],
    )

    assert watched.apply(upsert("t", 1, {"u": 1, "v": 1}), merge("t", 2, {"u": 1}), delete("t", 9)).version == 1
    assert watched.apply(merge("t", 1, {"v": 7})).updates.keys() == {"busy"}  # the only view that shows v
    assert watched.apply(merge("c", 0, {"note": "x"}), delete("c", 1)).updates == {}
    assert watched.apply(create("c", 9, {"parent": 5, "open": True})).updates == {}
    assert watched.apply(merge("c", 3, {"open": False})).updates["busy"].removed == ((1, 1, 7),)
    changed = watched.apply(merge("t", 0, {"u": 2})).updates
    assert [len(changed[name].changes) for name in ("u", "busy", "counts")] == [1, 1, 2]


def test_registration_always_gives_a_snapshot():
    """T22: an empty view answers with an empty snapshot, and from it the updates lead to the value."""
    circuit = Circuit(schemas=[OPEN])
    for name, plan in ALL.items():
        snapshot = circuit.register(name, plan)
        assert isinstance(snapshot, Snapshot)
        assert (snapshot.rows, snapshot.version, snapshot.columns) == ([], 0, traverse.columns(plan))
    watched = Watched(circuit=circuit)
    watched.mirrors = {name: Mirror(circuit.view(name).snapshot()) for name in ALL}
    watched.apply(create("t", 1, {"u": 11, "v": 11}))
    watched.apply(clear("t"))
    assert circuit.register("all", T).rows == []


def test_an_id_means_one_query():
    """T23: the same id with another query is refused or replaced whole; registered n times, a change is told once."""
    circuit = Circuit(schemas=[OPEN])
    circuit.apply([create("t", 1, {"u": 11})])
    for _ in range(3):
        assert circuit.register("v", HIGH).rows == [(1, 11, None)]
    with pytest.raises(AlreadyExists, match="replace=True"):
        circuit.register("v", COUNTS)
    assert circuit.rows("v") == [(1, 11, None)]
    assert len(circuit.apply([create("t", 2, {"u": 12})]).updates["v"].changes) == 1

    replaced = circuit.register("v", COUNTS, replace=True)
    assert sorted(replaced.rows) == [(11, 1), (12, 1)]
    assert replaced.epoch != circuit.epoch
    update = circuit.apply([create("t", 3, {"u": 12})]).updates["v"]
    assert (update.epoch, update.changes) == (replaced.epoch, (((12,), (12, 1), (12, 2)),))


def test_an_unknown_op_is_refused_everywhere():
    """T41: no front door takes a word it does not know for another; the batch is refused whole."""
    circuit = Circuit(schemas=[OPEN])
    for op in ("insert", "UPSERT", "", None, 1):
        for batch in ([Change("t", op, 1, {"u": 1})], [create("t", 2, {}), Change("t", op, 1, {"u": 1})]):
            with pytest.raises(ChangeRejected, match="unknown op"):
                circuit.apply(batch)
        with pytest.raises(ChangeRejected, match=r"\bop\b"):
            decode_change({"table": "t", "op": op, "id": 1, "row": {"u": 1}}, open_schema)
    assert rows(circuit) == {}
    assert circuit.version == 0


def test_no_operator_emits_or_keeps_weight_zero():
    """T49: a delta holds each key once, never a change of nothing; also where both sides of a join change at once."""
    watched = Watched({"pairs": PAIRS, "left": nodes.Join("full", T, T, ((Column(1), Column(2)),))})
    watched.apply(*[create("t", n, {"u": n % 2, "v": n % 2}) for n in range(4)])
    watched.apply(*[merge("t", n, {"u": (n + 1) % 2, "v": (n + 1) % 2}) for n in range(4)])
    for seed in range(25):
        scenario = seeded(seed, views=1, batches=5)
        bench = Bench(scenario.schemas, scenario.views["v0"].bound)  # it judges every delta
        for batch in scenario.history:
            run(bench, batch)


def test_a_table_joined_with_itself_three_times():
    """T57: three occurrences of one table, changed by rows that meet each other in the same batch."""
    twice = nodes.Join("inner", T, T, ((Column(1), Column(2)),))
    thrice = nodes.Join("inner", twice, T, ((Column(4), Column(2)),))
    outer = nodes.Join("full", nodes.Join("left", T, T, ((Column(1), Column(2)),)), T, ((Column(4), Column(2)),))
    choices = Random(57)
    watched = Watched({"thrice": thrice, "outer": outer})
    for _ in range(40):
        batch = [upsert("t", choices.randrange(5), {"u": choices.randrange(3), "v": choices.randrange(3)})
                 for _ in range(choices.randrange(1, 4))]  # fmt: skip
        watched.apply(*batch, *[delete("t", choices.randrange(5)) for _ in range(choices.randrange(2))])


def test_a_view_taken_away_and_registered_again_knows_what_happened_meanwhile():
    """T58: unregister, change, register again: the view is what recomputation says, and goes on."""
    for seed in range(10):
        world = World(seeded(seed, views=2, batches=6))
        for at, batch in enumerate(world.scenario.history):
            if at in (2, 5):
                world.unregister("v0")
            world.apply(batch)
            if at in (3, 5):
                world.register("v0")
                world.check()


def test_a_change_of_type_is_a_change():
    """T59: 1 to TRUE, to 1.0, to '1' are seen by tables, views and readers, also inside lists; 1 to 1 is not."""
    steps = [1, True, 1.0, "1", (1,), (True,), (1.0,), ((1,),), ((True,),), {"k": 1}, {"k": True}, 0, False, 0.0]
    watched = Watched(ALL)
    watched.apply(create("t", 1, {"u": None}))
    for value in steps:
        for op in (merge, upsert):
            commit = watched.apply(op("t", 1, {"u": value}))
            seen = commit.updates.get("all")
            assert (op is merge) == (seen is not None), value
            if seen is not None:
                assert same(seen.updated[0][1], rows(watched.circuit)[1])
    wanted = plain_tables([OPEN], [[create("t", 1, {"u": 0.0})]])
    assert same(rows(watched.circuit)[1], wanted["t"].rows[1])
