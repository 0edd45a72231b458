"""What a view's coming and going puts into its circuit's mailbox, in which order."""

from __future__ import annotations

import pytest

from sspcore import Schema, upsert
from sspcore.backpressure.block import Block
from sspcore.backpressure.mailbox import Batch, Mailbox
from sspcore.engine.options import CircuitOptions
from sspcore.errors import AlreadyExists, UnknownCircuit, UnknownView, UsageError
from sspcore.ingress.lane import Lane
from sspcore.ingress.registry import Registry
from sspcore.ingress.walk import SLICE, Errand
from sspcore.routing.broadcast import Broadcast
from sspcore.routing.dependency import Dependency
from sspcore.routing.guard import Guard


def registry(strategy=Dependency, rows=0, **options):
    made = Registry(Guard(strategy()), CircuitOptions(**options))
    made.add_circuit(Lane("a", Block(), "block", Mailbox(10)))
    if rows:
        made.base.commit(made.base.resolve([upsert("t", i, {"x": i}) for i in range(rows)]))
    return made


def begin(house, made):
    """What the runtime does with what registering gives; installing is a command behind the rows."""
    registration, walks = made
    lane = next(lane for lane in house.lanes.values() if registration in lane.views.values())
    lane.begin(Errand(walks, lambda: None), house.base)
    return registration


def whole(lane):
    return {table for table, holding in lane.tables.items() if holding.whole}


def mail(lane):
    """What is queued, told shortly."""
    return [f"{i.changes} rows" if type(i) is Batch else type(i).__name__ for i in lane.mailbox._items]


def test_a_first_view_brings_its_tables_with_their_rows():
    house = registry(rows=3)
    begin(house, house.register("a", "v", "SELECT id FROM t", None))

    assert ["CreateTable", "3 rows"] == mail(house.lanes["a"])
    assert {"t"} == whole(house.lanes["a"])


def test_a_second_view_of_the_table_brings_nothing():
    house = registry(rows=3)
    begin(house, house.register("a", "v", "SELECT id FROM t", None))
    begin(house, house.register("a", "w", "SELECT x FROM t", None))

    assert ["CreateTable", "3 rows"] == mail(house.lanes["a"])


def test_a_large_table_starts_with_one_slice_and_leaves_the_rest_to_a_walk():
    house = registry(rows=SLICE + 1)
    lane = house.lanes["a"]
    begin(house, house.register("a", "v", "SELECT id FROM t", None))

    assert ["CreateTable", f"{SLICE} rows", "Tend"] == mail(lane)
    assert set() == whole(lane)
    lane.tend(lane.mailbox._items[-1].errand, house.base)
    assert ["CreateTable", f"{SLICE} rows", "Tend", "1 rows"] == mail(lane)
    assert {"t"} == whole(lane)


def test_a_view_goes_before_the_table_only_it_read():
    house = registry()
    registration, _ = house.register("a", "v", "SELECT id FROM t", None)
    assert house.unregister(house.lanes["a"], registration)

    assert ["CreateTable", "RemoveView", "DropTable"] == mail(house.lanes["a"])
    assert not house.unregister(house.lanes["a"], registration), "twice is once"


def test_rows_routed_without_a_view_make_a_table_that_is_made_anew_for_one():
    """T58: what came as routing sent it may have gone stale since."""
    house = registry(Broadcast, rows=2)
    house.lanes["a"].receive("t", house.base)
    assert house.lanes["a"].tables["t"].partial
    begin(house, house.register("a", "v", "SELECT id FROM t", None))

    assert ["CreateTable", "DropTable", "CreateTable", "2 rows"] == mail(house.lanes["a"])


def test_a_circuit_that_is_behind_is_told_nothing():
    house = registry(rows=2)
    lane = house.lanes["a"]
    house.register("a", "v", "SELECT id FROM t", None)
    lane.fall_behind(ZeroDivisionError())
    registration, walks = house.register("a", "w", "SELECT id FROM u", None)
    house.unregister(lane, registration)
    lane.widen(Schema("t", {"x": "any", "y": "any"}))

    assert ([], []) == (walks, mail(lane))
    assert {"t"} == lane.needed()
    lane.refilled()
    assert {"t"} == whole(lane) == set(lane.tables)


def test_new_columns_are_told_where_the_table_is():
    house = registry()
    house.add_circuit(Lane("b", Block(), "block", Mailbox(10)))
    house.register("a", "v", "SELECT id FROM t", None)
    for lane in house.lanes.values():
        lane.widen(Schema("t", {"id": "any", "x": "any"}))

    assert (["CreateTable", "WidenTable"], []) == (mail(house.lanes["a"]), mail(house.lanes["b"]))


def test_a_view_over_a_view_is_kept_by_its_plan():
    house = registry()
    house.register("a", "late", "SELECT id FROM t WHERE x > 1", None)
    over, _ = house.register("a", "count", "SELECT count(*) FROM late", None)
    plain, _ = house.register("a", "plain", "SELECT count(*) FROM t", None)

    assert over.plan == over.given
    assert "SELECT count(*) FROM t" == plain.given


def test_names_are_shared_by_views_and_tables_of_all_circuits():
    house = registry(rows=1)
    house.add_circuit(Lane("b", Block(), "block", Mailbox(10)))
    with pytest.raises(AlreadyExists, match="'t' is a table"):
        house.register("a", "t", "SELECT id FROM u", None)
    with pytest.raises(UsageError, match="would read a table of the same name"):
        house.register("a", "u", "SELECT id FROM u", None)
    for circuit in ("a", "b"):
        house.register(circuit, "v", "SELECT id FROM t", None)
    with pytest.raises(AlreadyExists, match="'v' is a view"):
        house.declare(Schema("v"))
    house.unregister(house.lanes["a"], house.registration("a", "v"))
    with pytest.raises(AlreadyExists, match="'v' is a view"):
        house.declare(Schema("v"))
    house.remove_circuit(house.lanes["b"])
    house.declare(Schema("v"))


def test_what_is_not_there_is_said():
    house = registry()
    with pytest.raises(UnknownCircuit):
        house.register("b", "v", "SELECT id FROM t", None)
    with pytest.raises(UnknownView):
        house.registration("a", "v")
    with pytest.raises(AlreadyExists):
        house.add_circuit(Lane("a", Block(), "block", Mailbox(10)))


def test_a_declared_table_and_a_filled_one_outlive_their_views():
    house = registry(rows=1)
    house.declare(Schema("declared", {"x": "text"}))
    for view, table in (("v", "t"), ("w", "declared"), ("x", "never")):
        house.register("a", view, f"SELECT id FROM {table}", None)
    assert {"t", "declared", "never"} == set(house.base.tables)
    for view in ("v", "w", "x"):
        house.unregister(house.lanes["a"], house.registration("a", view))

    assert {"t", "declared"} == set(house.base.tables)


def test_a_query_known_to_a_circuit_is_not_read_again_until_names_mean_other_things():
    """A thousand readers of one query lower its text once; a view of its table's name, or a new column, makes it new."""
    house = registry()
    work = house.base.library.work
    lane = house.lanes["a"]
    sql = "SELECT id FROM t WHERE x = $x"
    plans = [house.understand(lane, sql, {"x": n}) for n in range(5)]
    assert work.read == 1 and len({id(p.template) for p in plans}) == 1
    house.base.commit(house.base.resolve([upsert("t", 1, {"x": 1, "y": 2})]))
    house.understand(lane, sql, {"x": 1})
    assert work.read == 2
    house.register("a", "t2", "SELECT id FROM t", None)
    house.understand(lane, sql, {"x": 2})
    assert work.read == 3
    house.register("a", "T", "SELECT id, x FROM t", None)
    house.understand(lane, sql, {"x": 2})
    assert work.read == 5
