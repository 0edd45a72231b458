"""Changes that wait, views that wait to be read, formats and digests, from outside."""

import pytest

from sspcore.engine import breaker
from sspcore.engine.change import clear, create, delete, replace, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.digest import row_digest
from sspcore.engine.options import CircuitOptions
from sspcore.errors import AlreadyExists, ChangeRejected, Full, UsageError
from sspcore.testing.oracle import Mirror
from tests.laws.world import seeded

ALL = "SELECT id, x FROM t"
TOP = "SELECT id, x FROM t ORDER BY x DESC, id LIMIT 3"


def rows(*pairs):
    return [upsert("t", key, {"x": x}) for key, x in pairs]


# Deferred


def test_what_is_put_off_is_applied_as_one_commit():
    circuit = Circuit()
    circuit.register("all", ALL)
    assert circuit.defer(rows((1, 1), (2, 2))) == 2
    assert circuit.defer(rows((1, 3))) == circuit.pending == 3
    assert circuit.rows("all") == []
    commit = circuit.flush()
    assert (commit.version, commit.updates["all"].added) == (1, ((1, 3), (2, 2)))
    assert circuit.pending == 0
    assert circuit.flush().updates == {}
    assert circuit.version == 1


def test_what_is_applied_comes_after_what_was_put_off():
    circuit = Circuit()
    circuit.defer([create("t", 1, {"x": 1})])
    commit = circuit.apply([delete("t", 1), upsert("t", 2, {"x": 2})])
    assert commit.version == 1
    assert set(circuit.tables["t"].rows) == {2}
    assert circuit.pending == 0


def test_above_the_limit_a_call_is_refused_whole():
    circuit = Circuit(options=CircuitOptions(pending_limit=3))
    circuit.defer(rows((1, 1), (2, 2)))
    with pytest.raises(Full, match="2 changes wait, 2 more would be above pending_limit = 3") as full:
        circuit.defer(rows((3, 3), (4, 4)))
    assert (full.value.depth, full.value.capacity) == (2, 3)
    assert circuit.pending == 2
    circuit.flush()
    circuit.defer(rows((3, 3), (4, 4)))


def test_a_refused_change_takes_its_own_call_out_and_no_other():
    circuit = Circuit()
    circuit.defer(rows((1, 1)))
    circuit.defer([upsert("t", 2, {"x": 2}), create("t", 1, {"x": 9})])
    circuit.defer(rows((3, 3)))
    with pytest.raises(ChangeRejected) as refused:
        circuit.flush()
    assert (refused.value.index, refused.value.change.op) == (1, "create")
    assert (circuit.version, circuit.pending, dict(circuit.tables)) == (0, 2, {})
    circuit.flush()
    assert set(circuit.tables["t"].rows) == {1, 3}


def test_a_refused_batch_leaves_what_waits():
    circuit = Circuit()
    circuit.defer(rows((1, 1)))
    with pytest.raises(ChangeRejected) as refused:
        circuit.apply([upsert("t", 5, {"x": 1}), create("t", 1, {"x": 9})])
    assert (refused.value.index, circuit.pending, circuit.version) == (1, 1, 0)


def test_no_image_is_taken_while_changes_wait():
    circuit = Circuit()
    circuit.defer(rows((1, 1)))
    with pytest.raises(UsageError, match="1 changes wait"):
        circuit.image()


# Lazy


@pytest.mark.parametrize("seed", range(8))
def test_a_lazy_view_read_at_any_time_is_what_an_eager_one_is(seed):
    scenario = seeded(seed, views=3, batches=8)
    circuit = Circuit(schemas=scenario.schemas)
    mirrors = {}
    for view_id, view in scenario.views.items():
        circuit.register(view_id, view.plan, view.params)
        mirrors[view_id] = Mirror(circuit.register(f"lazy-{view_id}", view.plan, view.params, lazy=True))
    for number, batch in enumerate(scenario.history):
        wide = {name: table.names for name, table in circuit.tables.items()}
        commit = circuit.apply(batch)
        told = {view_id: update for view_id, update in commit.updates.items() if view_id.startswith("lazy-")}
        assert not told or wide != {name: table.names for name, table in circuit.tables.items()}
        for view_id, update in told.items():  # its table has new columns
            mirrors[view_id.removeprefix("lazy-")].apply(update)
        if number % 3 == seed % 3:
            commit = circuit.flush()
            for view_id, mirror in mirrors.items():
                if f"lazy-{view_id}" in commit.updates:
                    mirror.apply(commit.updates[f"lazy-{view_id}"])
                eager = circuit.view(view_id)
                assert mirror.held == dict(zip(eager.keys(), eager.rows(), strict=True))
                assert not eager.ordered or mirror.keys == eager.keys()
        if number == 5:
            circuit = Circuit.restore(circuit.image())
            assert circuit.views["lazy-v0"].materialisation.lazy
            for view_id in mirrors:  # what an image holds is the value of now
                mirrors[view_id] = Mirror(circuit.view(f"lazy-{view_id}").snapshot())


def test_a_lazy_view_costs_a_commit_nothing_and_a_reading_one_hydration():
    circuit = Circuit()
    circuit.apply(rows((1, 1)))
    circuit.register("lazy", ALL, lazy=True)
    for x in range(5):
        circuit.apply(rows((1, x + 2)))
    assert circuit.views["lazy"].statistics.rehydrates == circuit.views["lazy"].statistics.advances == 0
    assert circuit.rows("lazy") == [(1, 6)]
    assert (circuit.view("lazy").version, circuit.view("lazy").statistics.rehydrates) == (6, 1)
    circuit.apply(rows((2, 1)))
    update = circuit.flush().updates["lazy"]
    assert (update.from_version, update.version, update.added) == (6, 8, ((2, 1),))


def test_a_lazy_view_follows_its_parameters_and_columns():
    circuit = Circuit()
    circuit.apply(rows((1, 1), (2, 2)))
    circuit.register("lazy", "SELECT * FROM t WHERE x >= $a", {"a": 2}, lazy=True)
    circuit.apply(rows((3, 3)))
    assert circuit.rebind("lazy", {"a": 3}).removed == ((2, 2),)
    circuit.apply([upsert("t", 4, {"x": 4, "y": 1})])
    assert circuit.rows("lazy") == [(3, 3, None), (4, 4, 1)]


# Formats


def test_format_ids_shows_a_digest_in_the_place_of_each_row():
    circuit = Circuit()
    circuit.apply(rows((1, 1), (2, 2)))
    snapshot = circuit.register("ids", TOP, format="ids")
    assert snapshot.columns == ("digest",)
    assert snapshot.keys == [2, 1]
    assert snapshot.rows == circuit.rows("ids") == [(row_digest((2, 2)),), (row_digest((1, 1)),)]
    update = circuit.apply(rows((1, 5))).updates["ids"]
    assert update.changes == ((1, (row_digest((1, 1)),), (row_digest((1, 5)),)),)
    assert update.placed == ((1, None),)
    restored = Circuit.restore(circuit.image())
    assert restored.rows("ids") == circuit.rows("ids")
    assert restored.view("ids").snapshot() == circuit.view("ids").snapshot()


def test_formats_of_one_query_share_their_value():
    circuit = Circuit()
    circuit.register("rows", ALL)
    circuit.register("ids", ALL, format="ids")
    assert circuit.views["rows"].materialisation is circuit.views["ids"].materialisation
    with pytest.raises(AlreadyExists):
        circuit.register("ids", ALL)
    with pytest.raises(UsageError, match="unknown format 'row'"):
        circuit.register("other", ALL, format="row")


# Digests


def test_a_digest_kept_is_the_digest_computed():
    """T21, along a history: kept by deltas, computed from scratch, restored, and reached by another way."""
    for seed in range(6):
        scenario = seeded(seed, views=2, batches=6)
        circuit = Circuit(schemas=scenario.schemas)
        for view_id, view in scenario.views.items():
            circuit.register(view_id, view.plan, view.params, digest=True)
            circuit.register(f"plain-{view_id}", view.plan, view.params)
        for batch in scenario.history:
            circuit.apply(batch)
            for view_id in scenario.views:
                assert circuit.view(view_id).digest == circuit.view(f"plain-{view_id}").digest
        other = Circuit()
        for name, table in circuit.tables.items():
            other.create_table(table.schema)
            other.deliver([(name, key, row) for key, row in reversed(table.rows.items())])
        for view_id, view in scenario.views.items():
            other.register(view_id, view.plan, view.params)
            assert other.view(view_id).digest == circuit.view(view_id).digest
            assert Circuit.restore(circuit.image()).view(view_id).digest == circuit.view(view_id).digest


def test_different_states_have_different_digests():
    circuit = Circuit()
    circuit.register("all", ALL, digest=True)
    seen = [circuit.view("all").digest]
    for x in (1, 1.0, True, "1", None):
        circuit.apply(rows((1, x)))
        seen.append(circuit.view("all").digest)
    assert len(set(seen)) == len(seen)
    circuit.apply([delete("t", 1)])
    assert circuit.view("all").digest == seen[0] == "0" * 32


def test_a_digest_survives_a_commit_that_was_rolled_back():
    circuit = Circuit()
    circuit.register("all", ALL, digest=True)
    circuit.apply(rows((1, 1)))
    before = circuit.view("all").digest
    view = circuit.views["all"]

    class Stop(BaseException):
        pass

    def interrupt(changes):
        raise Stop

    view.materialisation.steps, view.materialisation.row = {"t": interrupt}, interrupt
    with pytest.raises(Stop):
        circuit.apply(rows((1, 2)))
    assert circuit.view("all").digest == before
    circuit.apply(rows((1, 3)))
    plain = Circuit()
    plain.register("all", ALL)
    plain.apply(rows((1, 3)))
    assert circuit.view("all").digest == plain.view("all").digest


# The breaker


def test_a_big_batch_has_its_views_computed_anew_and_readers_are_told_the_same():
    """Replacing a table is cheaper to read once than to follow; so is the same batch for a view over half of it."""
    queries = {
        "all": ALL,
        "some": "SELECT id FROM t WHERE x > 500",
        "sums": "SELECT x % 7 AS k, count(*) AS n FROM t GROUP BY x % 7",
        "top": TOP,
    }
    steps = [
        rows(*[(n, n) for n in range(1_000)]),
        rows(*[(n, n + 1) for n in range(300)]),
        [replace("t", {n: {"x": n * 2} for n in range(500, 1_500)})],
        [clear("t")],
        rows(*[(n, 5) for n in range(700)]),
    ]
    followed, broken = Circuit(), Circuit()
    mirrors = {}
    for view_id, sql in queries.items():
        followed.register(view_id, sql)
        mirrors[view_id] = Mirror(broken.register(view_id, sql))
    for batch in steps:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(breaker, "FROM", 10**9)
            expected = followed.apply(batch)
        commit = broken.apply(batch)
        assert commit.updates.keys() == expected.updates.keys()
        for view_id, update in commit.updates.items():
            assert {c[0]: c for c in update.changes} == {c[0]: c for c in expected.updates[view_id].changes}
            mirrors[view_id].apply(update)
            view = broken.view(view_id)
            assert mirrors[view_id].held == dict(zip(view.keys(), view.rows(), strict=True))
            assert not view.ordered or mirrors[view_id].keys == view.keys()
    trips = [view.statistics.trips for view in broken.views.values()]
    assert all(2 <= count < len(steps) for count in trips)
    assert not any(view.statistics.trips for view in followed.views.values())
    broken.apply(rows(*[(n, 6) for n in range(20)]))
    assert trips == [view.statistics.trips for view in broken.views.values()]
