"""The door: what is admitted, what is refused, and that a refusal leaves no trace."""

import pytest

from sspcore.engine.change import Change, clear, create, delete, merge, replace, update, upsert
from sspcore.engine.door import Door
from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema
from sspcore.engine.table import Table
from sspcore.errors import ChangeRejected


class Tables:
    """A door with its tables and marks, and one call for `resolve` and `commit`."""

    def __init__(self, *schemas, **options):
        self.tables = {schema.table: Table(schema) for schema in schemas}
        self.marks = {}
        self.door = Door(self.tables, CircuitOptions(**options), self.marks, {"a_view"})

    def apply(self, *changes):
        resolution = self.door.resolve(changes)
        self.door.commit(resolution)
        return resolution

    def rows(self, name):
        return self.tables[name].rows

    def state(self):
        return {name: (t.names, dict(t.rows), dict(t.versions)) for name, t in self.tables.items()}, dict(self.marks)


DECLARED = Schema("t", {"x": "integer", "y": "text"})


def test_a_batch_is_netted_to_last_state_and_no_ops_are_dropped():
    tables = Tables(DECLARED)
    tables.apply(create("t", "a", {"x": 1}), create("t", "b", {"x": 2}))

    resolution = tables.apply(
        update("t", "a", {"x": 5}), update("t", "a", {"x": 1}), delete("t", "b"), create("t", "c", {}), delete("t", "c")
    )

    assert resolution.net == {"t": [("b", ("b", 2, None), None)]}
    assert tables.rows("t") == {"a": ("a", 1, None)}
    assert resolution.no_ops == 2


def test_update_replaces_and_merge_patches():
    tables = Tables(DECLARED)
    tables.apply(create("t", "a", {"x": 1, "y": "old"}))

    tables.apply(merge("t", "a", {"x": 2}))
    assert tables.rows("t")["a"] == ("a", 2, "old")

    tables.apply(merge("t", "a", {"y": None}))
    assert tables.rows("t")["a"] == ("a", 2, None)

    tables.apply(update("t", "a", {"y": "new"}))
    assert tables.rows("t")["a"] == ("a", None, "new")


def test_clear_and_replace_change_whole_tables():
    tables = Tables(DECLARED)
    tables.apply(create("t", "a", {"x": 1}), create("t", "b", {"x": 2}))

    resolution = tables.apply(replace("t", {"b": {"x": 2}, "c": {"x": 3}}))
    assert sorted(key for key, _, _ in resolution.net["t"]) == ["a", "c"]

    tables.apply(clear("t"))
    assert tables.rows("t") == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (create("t", "a", {"x": 1}), "exists already.*upsert"),
        (update("t", "z", {"x": 1}), "no such row to update"),
        (merge("t", "z", {"x": 1}), "no such row to merge"),
        (Change("t", "creat", "z", {}), "unknown op 'creat'; did you mean 'create'"),
        (Change("t", None, "z", {}), "unknown op None"),
        (Change(None, "create", "z", {}), "names its table"),
        (Change("a_view", "create", "z", {}), "is a view"),
        (create("t", None, {}), "an id is text"),
        (create("t", 1.5, {}), "an id is text"),
        (create("t", "z", None), "a row is a mapping"),
        (create("t", "z", ("z", 1)), "2 cells, the table 3 columns"),
        (create("t", "z", {"x": "1"}), "column 'x' of table 't': '1' is no integer"),
        (create("t", "z", {"w": 1}), "unknown column 'w'"),
        (create("t", "z", {"id": "y"}), "key column 'id' says 'y'"),
        (merge("t", "a", {"id": "y"}), "key column 'id' says 'y'"),
        (Change("t", "delete", "a", {"x": 1}), "carries no row"),
        (Change("t", "clear", "a"), "neither id nor row"),
        (Change("t", "replace", None, [1]), "mapping {id: row}"),
        (Change("t", "upsert", "z", {}, version="1"), "row version is an integer"),
        (Change("t", "upsert", "z", {}, seq="1", source="s"), "a mark is"),
        ("no change", "a batch holds changes, not str"),
    ],
)
def test_a_bad_change_refuses_its_whole_batch_naming_its_place(change, said):
    tables = Tables(DECLARED)
    tables.apply(create("t", "a", {"x": 1}))
    before = tables.state()

    with pytest.raises(ChangeRejected, match=said) as caught:
        tables.apply(upsert("t", "q", {"x": 9}), upsert("new", 1, {"x": 9}), change, upsert("t", "r", {}))

    assert caught.value.index == 2
    assert tables.state() == before


def test_without_strictness_create_and_update_act_as_upsert_and_merge_creates():
    tables = Tables(DECLARED, strict=False)

    tables.apply(update("t", "a", {"x": 1}), create("t", "a", {"x": 2}), merge("t", "b", {"y": "new"}))

    assert tables.rows("t") == {"a": ("a", 2, None), "b": ("b", None, "new")}


def test_an_open_table_widens_in_order_and_pads_its_rows():
    tables = Tables()
    tables.apply(create("t", 1, {"x": 1}))

    tables.apply(create("t", 2, {"y": 2}), merge("t", 1, {"z": True}))

    assert tables.tables["t"].names == ("id", "x", "y", "z")
    assert tables.rows("t") == {1: (1, 1, None, True), 2: (2, None, 2, None)}


def test_a_refused_batch_forgets_the_columns_it_would_have_added():
    tables = Tables()
    tables.apply(create("t", 1, {"x": 1}))
    with pytest.raises(ChangeRejected):
        tables.apply(create("t", 2, {"y": 2}), create("t", 1, {}))

    tables.apply(create("t", 2, {"w": 2}))

    assert tables.tables["t"].names == ("id", "x", "w")


def test_columns_rows_and_tables_are_bounded_on_request():
    with pytest.raises(ChangeRejected, match="more than 2 columns"):
        Tables(max_columns=2).apply(create("t", 1, {"a": 1, "b": 2}))
    with pytest.raises(ChangeRejected, match="above max_rows = 1"):
        Tables(max_rows=1).apply(create("t", 1, {}), create("t", 2, {}))
    with pytest.raises(ChangeRejected, match="unknown table"):
        Tables(strict_tables=True).apply(create("t", 1, {}))


def test_redelivery_by_source_and_seq_is_a_no_op():
    tables = Tables(DECLARED)
    first = [Change("t", "create", "a", {"x": 1}, seq=7, source="s"), Change("t", "create", "b", {}, seq=8, source="s")]
    tables.apply(*first)

    again = tables.apply(*first, Change("t", "merge", "a", {"x": 2}, seq=9, source="s"))

    assert again.duplicates == 2
    assert tables.rows("t")["a"] == ("a", 2, None)
    assert tables.marks == {"s": 9}


def test_a_stale_row_version_is_ignored_or_refused_as_configured():
    changes = [Change("t", "upsert", "a", {"x": 2}, version=2), Change("t", "upsert", "a", {"x": 1}, version=1)]
    tables = Tables(DECLARED)
    assert tables.apply(*changes).no_ops == 1
    assert tables.rows("t")["a"] == ("a", 2, None)

    with pytest.raises(ChangeRejected, match="row version 1 is not above 2"):
        Tables(DECLARED, stale="refuse").apply(*changes)


def test_a_versioned_delete_leaves_a_tombstone_that_stops_older_changes():
    tables = Tables(DECLARED)
    tables.apply(Change("t", "upsert", "a", {"x": 1}, version=1), Change("t", "delete", "a", version=3))

    tables.apply(Change("t", "upsert", "a", {"x": 2}, version=2))
    assert tables.rows("t") == {}

    tables.apply(Change("t", "upsert", "a", {"x": 4}, version=4))
    assert tables.rows("t") == {"a": ("a", 4, None)}


def test_a_composite_key_is_a_tuple_that_fills_its_columns():
    tables = Tables(Schema("t", {"x": "text", "a": "integer", "b": "text"}, key=("a", "b")))
    tables.apply(create("t", (1, "u"), {"x": "v"}), create("t", [2, "w"], ("v", 2, "w")))
    assert tables.rows("t") == {(1, "u"): ("v", 1, "u"), (2, "w"): ("v", 2, "w")}

    with pytest.raises(ChangeRejected, match="a tuple of 2"):
        tables.apply(create("t", "1|u", {"x": "v"}))


def test_an_id_outside_the_row_is_no_column():
    tables = Tables(Schema("t", {"x": "integer"}, key=None))
    tables.apply(create("t", "r1", {"x": 1}), create("t", "r2", {"x": 1}))

    assert tables.rows("t") == {"r1": (1,), "r2": (1,)}


@pytest.mark.parametrize(("before", "after"), [(1, True), (0.0, 0), (1, 1.0), ("a", None), ((1,), (True,))])
def test_a_change_of_type_alone_is_a_change(before, after):
    tables = Tables()
    tables.apply(create("t", 1, {"x": before}))

    assert tables.apply(update("t", 1, {"x": after})).net
    assert not tables.apply(update("t", 1, {"x": after})).net
