"""The door under fire: any change with any content is applied, or refused whole with a clear error and no trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import canonical, same
from sspcore.engine.change import Change, upsert
from sspcore.engine.door import Door
from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema, check_id, typed
from sspcore.engine.table import Table
from sspcore.errors import ChangeRejected
from sspcore.testing.strategies import batches, changes
from tests.profiles import fuzz

SCHEMAS = (
    Schema("a", {"u": "any"}, open=True),
    Schema("a", {"u": "integer", "v": "real", "w": "json"}),
    Schema("a", {"k": "integer", "l": "text", "u": "any", "v": "decimal"}, ("k", "l")),
    Schema("a", {"u": "boolean", "v": "timestamp", "w": "bytes"}, None),
)
OPTIONS = (
    CircuitOptions(),
    CircuitOptions(strict=False),
    CircuitOptions(stale="refuse", max_columns=3),
    CircuitOptions(strict_tables=True, max_rows=2),
)


def state(door):
    tables = {n: (t.schema, t.names, dict(t.rows), dict(t.versions)) for n, t in door.tables.items()}
    return tables, dict(door.marks)


def judged(door, batch):
    """(resolution, None) or (None, the refusal); anything else raised is a bug."""
    try:
        return door.resolve(batch), None
    except ChangeRejected as error:
        return None, error


def check_tables(door):
    """Every row is canonical, laid out and typed by its schema, and carries its id in its key columns."""
    for table in door.tables.values():
        for key, row in table.rows.items():
            assert same(check_id(key), key)
            assert len(row) == len(table.names)
            for value, kind in zip(row, table.schema.columns.values(), strict=True):
                assert same(typed(value, kind), value)
                assert same(canonical(value), value)
            held = dict(zip(table.names, row, strict=True))
            parts = key if isinstance(table.schema.key, tuple) else (key,)
            for column, part in zip(table.schema.key_columns, parts, strict=False):
                assert same(held[column], part)


@pytest.mark.fuzz
@fuzz()
@given(st.sampled_from(SCHEMAS), st.sampled_from(OPTIONS), batches())
def test_any_change_is_applied_or_refused_without_a_trace(schema, options, trace):
    door = Door({"a": Table(schema)}, options, {}, {"view"})
    key = (1, "p") if isinstance(schema.key, tuple) else 1
    door.commit(door.resolve([upsert("a", key, {})]))
    for batch in trace:
        before = state(door)
        resolution, error = judged(door, batch)
        assert state(door) == before
        if error is not None:
            if "max_rows" in str(error):  # the fault of the batch, not of one change
                assert error.index is None
            else:
                assert batch[error.index] is error.change
            assert len(str(error)) < 2_000
            assert error.as_dict()["code"] == "change_rejected"
            continue
        door.commit(resolution)
        check_tables(door)
        for name, net in resolution.net.items():
            for row_id, old, new in net:
                was = before[0][name][2].get(row_id) if name in before[0] else None
                assert (old is None) == (was is None)
                assert old is None or same(old[: len(was)], was)
                assert door.tables[name].rows.get(row_id) is new
                assert old is not new
        assert resolution.received == len(batch)


@pytest.mark.fuzz
@fuzz()
@given(st.lists(changes() | st.sampled_from((1, None, "a", ("a", "upsert", 1), {"table": "a"})), max_size=3))
def test_what_is_no_change_at_all_is_refused(batch):
    _, error = judged(Door({}, CircuitOptions(), {}), batch)

    assert error is not None or all(type(change) is Change for change in batch)
