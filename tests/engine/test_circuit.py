"""Stories of one circuit: batches, views, versions, faults. The laws are in tests/laws."""

import pytest

from sspcore.engine.change import clear, create, delete, merge, update, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema
from sspcore.errors import (
    AlreadyExists,
    ChangeRejected,
    CircuitFailed,
    PlanError,
    SchemaError,
    UnknownTable,
    UnknownView,
    UsageError,
)
from sspcore.plan.expressions import Call, Column, Constant, Param
from sspcore.plan.nodes import Aggregate, AggregateCall, Filter, OrderTerm, Project, Scan, TopK
from tests.laws.faults import break_for_good, break_steps

FLIGHTS = Schema("flights", {"carrier": "text", "delay": "integer"})
SCAN = Scan("flights", ("id", "carrier", "delay"))
LATE = Filter(SCAN, Call(">", (Column(2), Param("m"))))
COUNTS = Aggregate(SCAN, (("carrier", Column(1)),), (("n", AggregateCall("count")),))
WORST = TopK(SCAN, (OrderTerm(Column(2), True, True),), Constant(2))


def flight(key, carrier="AA", delay=0, make=create):
    return make("flights", key, {"carrier": carrier, "delay": delay})


@pytest.fixture
def circuit():
    return Circuit(schemas=[FLIGHTS])


def test_a_view_starts_with_a_snapshot_and_moves_by_updates_that_chain(circuit):
    snapshot = circuit.register("late", LATE, {"m": 60})
    assert (snapshot.rows, snapshot.version, snapshot.columns) == ([], 0, ("id", "carrier", "delay"))

    first = circuit.apply([flight("a", delay=75), flight("b", delay=10)])
    assert first.updates["late"].added == (("a", "AA", 75),)

    second = circuit.apply([flight("a", delay=80, make=update), flight("b", delay=61, make=update)])
    assert second.updates["late"].updated == ((("a", "AA", 75), ("a", "AA", 80)),)
    assert second.updates["late"].added == (("b", "AA", 61),)
    assert second.updates["late"].from_version == first.updates["late"].version == 1

    third = circuit.apply([delete("flights", "a")])
    assert third.updates["late"].removed == (("a", "AA", 80),)
    assert circuit.rows("late") == [("b", "AA", 61)]


def test_a_view_keeps_its_version_while_it_does_not_change(circuit):
    circuit.register("late", LATE, {"m": 60})
    circuit.apply([flight("a", delay=75)])

    commit = circuit.apply([flight("b", delay=1)])

    assert commit.version == circuit.version == 2
    assert commit.updates == {}
    assert circuit.view("late").version == 1


def test_a_batch_that_changes_no_table_makes_no_version(circuit):
    circuit.apply([flight("a")])

    commit = circuit.apply([flight("a", make=upsert), delete("flights", "zz")])

    assert commit.version == circuit.version == 1
    assert (commit.stats.received, commit.stats.netted, commit.stats.no_ops) == (2, 0, 2)


def test_one_batch_moves_all_views_in_one_version(circuit):
    circuit.register("late", LATE, {"m": 60})
    circuit.register("counts", COUNTS)
    circuit.register("worst", WORST)

    commit = circuit.apply([flight("a", delay=75), flight("b", "BB", 90), flight("c", delay=5)])

    assert {u.version for u in commit.updates.values()} == {1}
    assert commit.stats.views_visited == commit.stats.views_changed == 3
    assert circuit.rows("worst") == [("b", "BB", 90), ("a", "AA", 75)]
    assert sorted(circuit.rows("counts")) == [("AA", 2), ("BB", 1)]


def test_an_ordered_update_says_where_rows_are_placed(circuit):
    circuit.register("worst", WORST)
    circuit.apply([flight("a", delay=75), flight("b", "BB", 90)])

    moved = circuit.apply([flight("a", delay=95, make=update)]).updates["worst"]

    assert moved.placed == (("a", None),)
    assert circuit.rows("worst") == [("a", "AA", 95), ("b", "BB", 90)]


def test_a_row_that_only_moves_is_placed_without_a_change(circuit):
    circuit.register("names", Project(WORST, (("id", Column(0)),)))
    circuit.apply([flight("a", delay=1), flight("b", delay=2)])

    moved = circuit.apply([flight("a", delay=3, make=update)]).updates["names"]

    assert (moved.changes, moved.placed) == ((), (("a", None),))
    assert circuit.rows("names") == [("a",), ("b",)]


def test_the_same_registration_is_idempotent_and_another_is_refused(circuit):
    circuit.register("late", LATE, {"m": 60})
    circuit.register("late", LATE, {"m": 60})

    with pytest.raises(AlreadyExists, match="replace=True"):
        circuit.register("late", LATE, {"m": 61})
    with pytest.raises(AlreadyExists):
        circuit.register("late", COUNTS)
    assert len(circuit.views) == 1


def test_a_replaced_view_opens_a_new_epoch(circuit):
    before = circuit.register("late", LATE, {"m": 60})
    circuit.apply([flight("a", delay=61)])

    after = circuit.register("late", LATE, {"m": 70}, replace=True)

    assert after.epoch != before.epoch
    assert after.rows == []


def test_an_unregistered_view_is_unknown_and_its_epoch_does_not_return(circuit):
    before = circuit.register("late", LATE, {"m": 60})
    circuit.unregister("late")

    with pytest.raises(UnknownView):
        circuit.rows("late")
    with pytest.raises(UnknownView):
        circuit.unregister("late")
    assert circuit.register("late", LATE, {"m": 60}).epoch != before.epoch


@pytest.mark.parametrize(
    ("params", "said"),
    [({}, r"\$m has no value"), ({"m": 1, "k": 2}, r"no parameter \$k"), ({"m": object()}, r"\$m: a value of type")],
)
def test_parameters_must_fit(circuit, params, said):
    with pytest.raises(UsageError, match=said):
        circuit.register("late", LATE, params)
    assert not circuit.views


@pytest.mark.parametrize("limit", [-1, 1.5, "1", True])
def test_a_limit_given_as_parameter_must_be_a_count(circuit, limit):
    plan = TopK(SCAN, (), Param("n"))
    assert circuit.register("v", plan, {"n": 1}).rows == []

    with pytest.raises(UsageError):
        circuit.register("w", plan, {"n": limit})


def test_queries_of_a_wrong_kind_or_shape_are_refused(circuit):
    with pytest.raises(UsageError, match="a query is SQL text"):
        circuit.register("v", 7)
    with pytest.raises(PlanError, match=r"\$\.predicate"):
        circuit.register("v", Filter(SCAN, Column(9)))
    with pytest.raises(UsageError, match="a view id is text"):
        circuit.register("", SCAN)
    with pytest.raises(AlreadyExists, match="is a table"):
        circuit.register("flights", SCAN)
    assert not circuit.views


def test_views_and_tables_share_one_namespace(circuit):
    circuit.register("late", LATE, {"m": 60})

    with pytest.raises(AlreadyExists, match="is a view"):
        circuit.create_table(Schema("late", {}))
    with pytest.raises(ChangeRejected, match="is a view"):
        circuit.apply([create("late", 1, {})])


def test_a_query_on_a_table_nobody_declared_makes_an_open_table_unless_strict(circuit):
    circuit.register("v", Scan("other", ("id", "x")))
    assert circuit.apply([create("other", 1, {"x": 2})]).updates["v"].added == ((1, 2),)

    with pytest.raises(UnknownTable):
        Circuit(options=CircuitOptions(strict_tables=True)).register("v", Scan("other", ("id",)))


def test_a_column_that_appears_later_fills_the_views_that_already_read_it(circuit):
    circuit.register("v", Scan("other", ("id", "x", "y")))
    circuit.apply([create("other", 1, {"x": 2})])

    commit = circuit.apply([merge("other", 1, {"y": 3}), create("other", 2, {"z": 4})])

    assert commit.updates["v"].updated == (((1, 2, None), (1, 2, 3)),)
    assert commit.updates["v"].added == ((2, None, None),)
    assert not commit.updates["v"].reset


def test_a_one_off_query_keeps_nothing(circuit):
    circuit.apply([flight("a", delay=75)])

    assert circuit.query(LATE, {"m": 60}).dicts() == [{"id": "a", "carrier": "AA", "delay": 75}]
    assert circuit.query(Scan("nowhere", ("id",))).rows == []
    assert not circuit.views
    assert list(circuit.tables) == ["flights"]


def test_tables_are_declared_once_widened_at_the_end_and_dropped_when_unread(circuit):
    circuit.create_table(FLIGHTS)
    with pytest.raises(AlreadyExists):
        circuit.create_table(Schema("flights", {"carrier": "text"}))
    with pytest.raises(SchemaError, match="only be widened"):
        circuit.widen(Schema("flights", {"delay": "integer"}))

    circuit.register("late", LATE, {"m": 60})
    with pytest.raises(UsageError, match="read by view 'late'"):
        circuit.drop_table("flights")
    circuit.unregister("late")
    circuit.drop_table("flights")
    with pytest.raises(UnknownTable):
        circuit.drop_table("flights")


def test_deliver_applies_resolved_rows_as_one_commit(circuit):
    circuit.register("counts", COUNTS)

    commit = circuit.deliver([("flights", "a", ("a", "AA", 1)), ("flights", "b", ("b", "AA", 2))])
    assert commit.updates["counts"].added == (("AA", 2),)

    again = circuit.deliver([("flights", "b", ("b", "AA", 2)), ("flights", "zz", None)])
    assert again.version == commit.version

    gone = circuit.deliver([("flights", "a", None), ("flights", "b", None)])
    assert gone.updates["counts"].removed == (("AA", 2),)
    with pytest.raises(UnknownTable):
        circuit.deliver([("nowhere", 1, None)])


def test_a_view_that_raises_is_hydrated_anew_and_stays_right(circuit):
    circuit.register("counts", COUNTS)
    circuit.register("late", LATE, {"m": 60})
    break_steps(circuit.view("counts").materialisation)

    commit = circuit.apply([flight("a", delay=75)])

    assert commit.updates["counts"].added == (("AA", 1),)
    assert commit.updates["late"].added == (("a", "AA", 75),)
    assert not commit.failed
    assert circuit.view("counts").statistics.rehydrates == 1


def test_a_view_that_keeps_raising_fails_alone_and_can_be_revived(circuit, monkeypatch):
    circuit.register("counts", COUNTS)
    circuit.register("late", LATE, {"m": 60})
    break_for_good(circuit.view("counts").materialisation, monkeypatch)
    commit = circuit.apply([flight("a", delay=75)])

    assert list(commit.failed) == ["counts"]
    assert circuit.rows("late") == [("a", "AA", 75)]
    with pytest.raises(CircuitFailed, match="planted"):
        circuit.rows("counts")
    assert circuit.register("counts", COUNTS).rows == [("AA", 1)]
    assert not circuit.failed


def test_an_interrupted_commit_leaves_everything_as_it_was(circuit):
    circuit.register("counts", COUNTS)
    circuit.register("worst", WORST)
    circuit.register("open", Scan("other", ("id", "x")))
    circuit.apply([flight("a", delay=75), create("other", 1, {"x": 1})])
    image, versions = circuit.image(), {i: v.version for i, v in circuit.views.items()}
    break_steps(circuit.view("worst").materialisation, KeyboardInterrupt)

    with pytest.raises(KeyboardInterrupt):
        circuit.apply([flight("b"), clear("flights"), create("other", 2, {"y": 1}), flight("c", delay=7)])

    assert circuit.image() == image
    assert {i: v.version for i, v in circuit.views.items()} == versions
    assert circuit.rows("counts") == [("AA", 1)]
    commit = circuit.apply([flight("b", "BB", 80)])
    assert commit.updates["counts"].added == (("BB", 1),)
    assert circuit.rows("worst") == [("b", "BB", 80), ("a", "AA", 75)]


def test_a_restored_circuit_goes_on_where_the_image_was_taken(circuit):
    circuit.register("late", LATE, {"m": 60})
    circuit.register("worst", WORST)
    circuit.apply([flight("a", delay=75), flight("b", delay=90)])

    restored = Circuit.restore(circuit.image())

    for one in (circuit, restored):
        commit = one.apply([flight("c", delay=80), delete("flights", "b")])
        assert commit.updates["late"].from_version == 1
        assert one.rows("worst") == [("c", "AA", 80), ("a", "AA", 75)]
    assert restored.image() == circuit.image()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: b"nonsense", "no sspcore image"),
        (lambda data: data[:-5], "damaged"),
        (lambda data: data.replace(b"image 2", b"image 9"), "format 9"),
    ],
)
def test_bytes_that_are_no_whole_image_are_refused(circuit, spoil, said):
    with pytest.raises(UsageError, match=said):
        Circuit.restore(spoil(circuit.image()))


def test_a_restored_image_can_open_a_new_epoch(circuit):
    circuit.register("late", LATE, {"m": 60})

    assert Circuit.restore(circuit.image(), epoch="next").view("late").epoch == "next"


def test_statistics_count_what_happened(circuit):
    circuit.register("late", LATE, {"m": 60})
    circuit.apply([flight("a", delay=75), flight("b")])
    circuit.apply([flight("c")])

    statistics = circuit.statistics()

    assert statistics.tables == {"flights": 3}
    assert statistics.views["late"].rows == 1
    assert statistics.views["late"].advances == 2
    assert statistics.views["late"].updates == 1


def test_a_plan_is_explained_as_an_indented_tree(circuit):
    circuit.register("late", TopK(LATE, (OrderTerm(Column(2), True, True),), Constant(3)), {"m": 60})

    assert str(circuit.explain("late")).splitlines() == [
        "order by delay desc limit 3",
        "└─ filter (delay > $m)",
        "   └─ scan flights (id, carrier, delay)",
        "$m = 60",
        "changes of flights matter where (delay > $m)",
    ]


def test_a_view_may_not_take_the_name_of_a_table_it_would_read():
    """The table does not exist yet: the view would have made it, and then refused its rows."""
    circuit = Circuit()
    with pytest.raises(UsageError, match="'posts' would read a table of the same name"):
        circuit.register("posts", "SELECT id FROM posts")
    assert not circuit.tables and not circuit.views


def test_a_query_understood_before_a_table_grew_is_understood_anew():
    """What a text means is remembered; not what `*` meant before there were more columns."""
    circuit = Circuit()
    assert circuit.query("SELECT * FROM t").columns == ("id",)
    assert circuit.explain("SELECT x FROM t").warnings
    circuit.apply([upsert("t", 1, {"x": 2})])
    assert circuit.query("SELECT * FROM t").columns == ("id", "x")
    assert not circuit.explain("SELECT x FROM t").warnings
    circuit.apply([upsert("t", 2, {"y": 3})])
    assert circuit.register("all", "SELECT * FROM t").columns == ("id", "x", "y")
