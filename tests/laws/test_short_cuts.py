"""The short cuts of the commonest changes do what the long way does: one change alone, and a run of plain upserts."""

from contextlib import suppress
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.change import create, delete, merge, update, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.door import Door
from sspcore.engine.options import CircuitOptions
from sspcore.engine.rows import RowMaker
from sspcore.engine.schema import Schema
from sspcore.errors import ChangeRejected, SspError
from sspcore.testing.strategies import changes, rows, scenarios
from tests.laws.world import state


class LongDoor(Door):
    """A door that knows no short cut: no change is plain, no run of them either, and no code is generated for rows."""

    def plain(self, table, change):
        return None

    def _plain_run(self, changes, drafts):
        return 0, None

    def _maker(self, table):
        if table.maker is None:
            table.maker = RowMaker(table, self.options.max_columns, alone=False)
            table.maker._left = 0
        return table.maker


def both(scenario_schemas, options):
    """A circuit that takes short cuts, and one that does not."""
    short, long = Circuit(schemas=scenario_schemas, options=options), Circuit(schemas=scenario_schemas, options=options)
    long._door = LongDoor(long._tables, long.options, long._marks, long._views)
    return short, long


def outcome(circuit, batch):
    """What a reader or a producer is told."""
    try:
        commit = circuit.apply(batch)
    except ChangeRejected as error:
        return "refused", error.message, error.hint, error.index
    return commit.version, dict(commit.updates), dict(commit.failed), commit.stats


def exact(value):
    """A text that tells 1 from 1.0 and True, and NaN from nothing."""
    return repr(value)


def expect_alike(short, long, batch):
    assert exact(outcome(short, batch)) == exact(outcome(long, batch))
    assert exact(state(short)) == exact(state(long))
    for view_id in short.views:
        assert exact(short.views[view_id].statistics) == exact(long.views[view_id].statistics)
        assert exact(sorted(map(repr, short.rows(view_id)))) == exact(sorted(map(repr, long.rows(view_id))))


OPTIONS = (CircuitOptions(), CircuitOptions(strict=False), CircuitOptions(stale="refuse", max_rows=3))


@given(scenarios(views=2, batches=6), st.sampled_from(OPTIONS), st.data())
def test_short_cuts_do_what_the_long_way_does(scenario, options, data):
    """Histories cut into single changes and into batches, and in between changes that are wrong in some way."""
    short, long = both(scenario.schemas, options)
    for circuit in (short, long):
        for view_id, view in scenario.views.items():
            circuit.register(view_id, view.plan, view.params)
    table = scenario.schemas[0].table
    flat = [change for batch in scenario.history for change in batch]
    while flat:
        size = data.draw(st.sampled_from((1, 1, 1, 2, 5)), label="size")
        batch, flat = flat[:size], flat[size:]
        if data.draw(st.integers(0, 4), label="wrong") == 0:
            batch.insert(data.draw(st.integers(0, len(batch)), label="at"), data.draw(changes(table), label="change"))
        expect_alike(short, long, batch)


SCHEMAS = (
    Schema("a", {"u": "any", "v": "any"}, open=True),
    Schema("a", {"u": "integer", "v": "real", "w": "text"}),
    Schema("a", {"u": "boolean", "v": "timestamp", "w": "decimal"}, None),
    Schema("a", {"k": "integer", "l": "text", "u": "json"}, ("k", "l")),
)
EDGES = (
    -0.0,
    0.0,
    float("nan"),
    1,
    1.0,
    True,
    None,
    2**63,
    -(2**63),
    "\u00e9",
    "\ud800",
    Decimal("1.0"),
    Decimal(1),
    (1, 1.0),
)
"""Values that are nearly another, or nearly allowed."""
VIEWS = ("SELECT * FROM a", "SELECT u FROM a WHERE v > 1 OR u = 1", "SELECT u, count(*) AS n FROM a GROUP BY u")


@given(st.sampled_from(SCHEMAS), st.sampled_from(OPTIONS), st.data())
def test_rows_of_all_types_are_taken_alike(schema, options, data):
    """Mappings and tuples, with the id and without, of classes seen before and not; wholly random changes in between."""
    short, long = both([schema], options)
    for circuit in (short, long):
        for at, sql in enumerate(VIEWS):
            with suppress(SspError):  # not every schema has every column
                circuit.register(f"v{at}", sql)
    composite = isinstance(schema.key, tuple)
    ids = (
        st.tuples(st.integers(1, 2), st.sampled_from("pq"))
        if composite
        else st.sampled_from((1, 2, 3, "p", "q", "\u00e9"))
    )
    for _ in range(data.draw(st.integers(1, 12), label="batches")):
        batch = []
        for _ in range(data.draw(st.sampled_from((1, 1, 2, 4)), label="size")):
            kind = data.draw(st.sampled_from(("row", "row", "row", "tuple", "again", "part", "any")), label="kind")
            key, row = data.draw(ids), data.draw(rows(schema), label="row")
            if data.draw(st.integers(0, 3), label="edge") == 0:
                row = row | {data.draw(st.sampled_from("uvw")): data.draw(st.sampled_from(EDGES), label="edge")}
            held = long.tables["a"].rows.get(key)
            if kind == "tuple":
                names = long.tables["a"].names
                batch.append(upsert("a", key, tuple([row.get(name) for name in names])))
            elif kind == "again" and held is not None:
                batch.append(upsert("a", key, dict(zip(long.tables["a"].names, held, strict=True))))
            elif kind == "part":
                batch.append(data.draw(st.sampled_from((merge("a", key, row), delete("a", key)))))
            elif kind == "any":
                batch.append(data.draw(changes("a")))
            else:
                batch.append(upsert("a", key, row))
        expect_alike(short, long, batch)


def test_values_at_an_edge_are_taken_alike_once_the_table_is_known():
    """Each in each column, in all forms of a row, alone and in a batch: by then the short cuts are generated."""
    columns = {"u": "integer", "v": "real", "w": "text", "x": "any", "y": "boolean"}
    schema = Schema("a", columns)
    short, long = both([schema], CircuitOptions())
    for circuit in (short, long):
        circuit.register("all", "SELECT * FROM a")
        circuit.register("some", "SELECT x, v FROM a WHERE v >= 0 OR x = 1")
    plain = {"u": 1, "v": 1.5, "w": "p", "x": 1, "y": True}
    for key in range(8):
        expect_alike(short, long, [upsert("a", key, plain | {"x": key / 2 if key % 2 else key})])
    for name in columns:
        for value in EDGES:
            row = plain | {name: value}
            for form in (row, {"id": 1, **row}, (1, *row.values())):
                expect_alike(short, long, [upsert("a", 1, form)])
                expect_alike(short, long, [upsert("a", 2, plain), upsert("a", 1, plain), upsert("a", 1, form)])
    for key in (True, 1.0, -(2**63), 2**63, "\ud800", ("p", 1), None):
        expect_alike(short, long, [upsert("a", key, plain)])
        expect_alike(short, long, [upsert("a", 1, {"id": key, **plain})])


@given(st.booleans(), st.booleans(), st.data())
def test_runs_of_all_ops_are_taken_alike(strict, stamped, data):
    """A table that is known, and batches of puts and deletions of the same few rows, as they may be and as not."""
    schema = Schema("a", {"u": "integer", "v": "any"}, open=data.draw(st.booleans(), label="open"))
    short, long = both([schema], CircuitOptions(strict=strict))
    for circuit in (short, long):
        circuit.register("some", "SELECT u, v FROM a WHERE u > 1")
    for key in range(6):
        expect_alike(short, long, [upsert("a", key, {"u": key, "v": "p"})])
    if stamped:
        expect_alike(short, long, [upsert("a", 0, {"u": 0, "v": 1})._replace(version=3)])
    row = st.fixed_dictionaries({"u": st.integers(1, 2), "v": st.sampled_from(("p", 1, True))})
    one = st.one_of(
        st.builds(upsert, st.just("a"), st.integers(0, 7), row),
        st.builds(update, st.just("a"), st.integers(0, 7), row),
        st.builds(create, st.just("a"), st.integers(5, 9), row),
        st.builds(delete, st.just("a"), st.integers(0, 7)),
        st.builds(delete, st.just("a"), st.just((1, 2))),
    )
    for batch in data.draw(st.lists(st.lists(one, min_size=2, max_size=6), min_size=2, max_size=8), label="batches"):
        expect_alike(short, long, batch)


def test_a_table_that_was_dropped_takes_no_rows():
    circuit = Circuit()
    for key in range(8):
        circuit.apply([upsert("a", key, {"u": 1})])
    circuit.drop_table("a")

    circuit.apply([upsert("a", 9, {"u": 2})])

    assert circuit.tables["a"].rows == {9: (9, 2)}
