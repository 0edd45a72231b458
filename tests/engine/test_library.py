"""The library: queries are read once for circuits whose tables are alike, and never for others."""

import gc
import weakref

from hypothesis import given, note
from hypothesis import strategies as st

from sspcore.engine.change import Change
from sspcore.engine.circuit import Circuit
from sspcore.engine.filing import read_in
from sspcore.engine.library import MAX_TEXTS, VARIANTS, Library
from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema
from sspcore.errors import SspError

ORDERS = Schema("orders", {"id": "integer", "who": "text", "n": "integer"})
BY_WHO = "SELECT who, count(*) AS c FROM orders WHERE n > $n GROUP BY who"
JOINED = "SELECT a.id, b.n FROM orders a JOIN orders b ON a.id = b.n JOIN orders c ON b.id = c.n"


def counts(library):
    return library.work.read, library.work.planned, library.work.compiled


def test_the_same_query_in_a_hundred_circuits_is_read_planned_and_compiled_once():
    library = Library()
    circuits = [read_in(Circuit(f"c{n}", [ORDERS]), library) for n in range(100)]
    for n, circuit in enumerate(circuits):
        for view in range(3):
            circuit.register(f"v{view}", BY_WHO, {"n": view})
        commit = circuit.apply([Change("orders", "upsert", n, {"who": "ann", "n": 2})])
        assert {"v0", "v1"} == commit.updates.keys()
    assert (1, 1, 1) == counts(library)
    assert (1, 1, 1) == (len(library), *[len({id(c.views["v0"].template.blueprint) for c in circuits})] * 2)


def test_circuits_share_no_template():
    """What a template counts and holds of tables is its circuit's: two circuits of one view each scan, arrange nothing."""
    library = Library()
    circuits = [read_in(Circuit(f"c{n}", [ORDERS]), library) for n in range(2)]
    for circuit in circuits:
        circuit.register("v", "SELECT id FROM orders WHERE who = $who", {"who": "ann"})
    assert [1, 1] == [circuit.views["v"].template.uses for circuit in circuits]
    assert [{}, {}] == [circuit.tables["orders"].arrangements for circuit in circuits]


def test_a_join_is_planned_again_only_where_tables_have_other_sizes():
    library = Library()
    for rows in (10, 11, 19, 1_000, 1_100):
        circuit = read_in(Circuit(schemas=[ORDERS]), library)
        circuit.apply([Change("orders", "create", n, {"who": "ann", "n": n}) for n in range(rows)])
        assert rows == len(circuit.register("v", JOINED).rows)
        assert circuit.explain("v").plan == circuit.views["v"].plan
    assert (1, 2, 2) == counts(library)


def test_a_table_that_other_queries_read_makes_nothing_new():
    """Names may mean other things after a new table; what still means the same is not read again."""
    circuit = Circuit(schemas=[ORDERS])
    library = circuit._templates.library
    circuit.register("v", BY_WHO, {"n": 1})
    circuit.create_table(Schema("others", {"id": "integer"}))
    circuit.register("w", BY_WHO, {"n": 2})
    assert (1, 1, 1) == counts(library)
    circuit.create_table(Schema("Orders", {"id": "integer"}))
    circuit.register("x", BY_WHO, {"n": 3})
    assert 2 == library.work.read, "two tables are the same but for case: who is meant is decided anew"


def test_a_view_on_a_view_is_read_once_where_that_is_the_same():
    library = Library()
    for limit in (1, 1, 1, 2):
        circuit = read_in(Circuit(schemas=[ORDERS]), library)
        circuit.register("few", "SELECT id, who FROM orders WHERE n < $n", {"n": limit})
        circuit.apply([Change("orders", "upsert", n, {"who": "ann", "n": n}) for n in range(3)])
        assert [("ann", limit)] == circuit.register("v", "SELECT who, count(*) AS c FROM few GROUP BY who").rows
    assert 3 == library.work.read


def test_a_view_whose_name_differs_by_case_is_another():
    library, query = Library(), "SELECT a FROM v1"
    one, two = [read_in(Circuit(), library) for _ in range(2)]
    for circuit in (one, two):
        circuit.register("V1", "SELECT 1 AS a")
    two.register("v1", "SELECT 2 AS a")
    assert [[(1,)], [(2,)]] == [circuit.register("w", query).rows for circuit in (one, two)]


def test_warnings_are_those_of_each_circuit():
    library = Library()
    query = "SELECT id FROM t WHERE x = 1"
    first, second = [read_in(Circuit(name), library) for name in "ab"]
    second.apply([Change("t", "upsert", 1, {"x": 1})])
    assert [1, 0, 1] == [len(c.register(f"v{n}", query).warnings) for n, c in enumerate([first, second, first])]
    assert 2 == library.work.read


def test_what_is_remembered_is_bounded_and_goes_with_its_circuits():
    library = Library()
    circuit = read_in(Circuit(schemas=[ORDERS]), library)
    for n in range(MAX_TEXTS + 50):
        circuit.explain(f"SELECT {n} AS k")
    assert MAX_TEXTS == len(library)
    for n in range(VARIANTS + 2):
        other = read_in(Circuit(schemas=[Schema("orders", {"id": "integer", f"c{n}": "text"})]), library)
        other.register("v", "SELECT * FROM orders")
    assert all(len(held) <= VARIANTS for held in library._meanings.values())
    other = read_in(Circuit(), library)
    other.register("v", {"node": "scan", "table": "orders", "columns": ["id"]})  # no text: nobody remembers it
    kept = weakref.ref(other.views["v"].template.blueprint)
    del other
    gc.collect()
    assert kept() is None


# One library or many: the same
#
# Two laws: over worlds that differ in tables and views, and over histories in which they come to differ.

TEXTS = [
    "SELECT * FROM t",
    "SELECT * FROM T WHERE a > $a",
    'SELECT id, a FROM "T"',
    "SELECT b, count(*) AS n FROM t GROUP BY b",
    "SELECT t.id, u.a FROM t JOIN u ON t.a = u.b",
    "SELECT * FROM u WHERE b = $a",
    "SELECT id FROM v1",
    "SELECT v1.id, u.id AS o FROM v1 JOIN u ON v1.id = u.id",
    "WITH u AS (SELECT id FROM t) SELECT id FROM u",
]
SCHEMAS = [
    Schema("t", {"id": "integer", "a": "integer"}),
    Schema("t", {"id": "integer", "b": "integer", "a": "integer"}),
    Schema("T", {"id": "integer", "a": "integer"}, open=True),
    Schema("u", {"id": "integer", "a": "integer", "b": "integer"}),
    Schema("u", {"id": "integer", "b": "integer", "a": "integer"}),
]
VALUES = st.integers(0, 2)
OPERATIONS = st.one_of(
    st.tuples(st.just("register"), st.sampled_from(["v1", "V1", "v2", "v3", "t", "u"]), st.sampled_from(TEXTS), VALUES),
    st.tuples(st.just("unregister"), st.sampled_from(["v1", "V1", "v2", "v3", "t", "u"])),
    st.tuples(st.just("create"), st.sampled_from(SCHEMAS)),
    st.tuples(st.just("drop"), st.sampled_from("tTu")),
    st.tuples(st.just("widen"), st.sampled_from("tTu"), st.sampled_from("abc")),
    st.tuples(st.just("apply"), st.sampled_from("tTu"), VALUES, st.dictionaries(st.sampled_from("abc"), VALUES)),
)


def perform(circuit, kind, *given):
    """What an operation gives, as plain data; also what it is refused with."""
    try:
        if kind == "register":
            view, text, value = given
            found = circuit.register(view, text, {"a": value} if "$" in text else None, replace=value == 0)
            return found.columns, found.warnings, found.version, dict(zip(found.keys, found.rows, strict=True))
        if kind == "unregister":
            return circuit.unregister(*given)
        if kind == "create":
            return circuit.create_table(*given)
        if kind == "drop":
            return circuit.drop_table(*given)
        if kind == "widen":
            table, column = given
            commit = circuit.widen(circuit.tables[table].schema.widened([column])) if table in circuit.tables else None
        else:
            table, key, values = given
            commit = circuit.apply([Change(table, "upsert", key, values)])
        return commit and (commit.version, {k: (u.columns, u.reset, {*u.changes}) for k, u in commit.updates.items()})
    except SspError as error:
        return str(error)


VIEWS = [("v1", TEXTS[0]), ("v1", TEXTS[2]), ("V1", TEXTS[0]), ("T", "SELECT 1 AS id, 2 AS a"), ("u", TEXTS[3])]


@st.composite
def worlds(draw):
    """Some of the tables, some of the views."""
    schemas = draw(st.lists(st.sampled_from(SCHEMAS), unique_by=lambda schema: schema.table))
    views = draw(st.lists(st.sampled_from(VIEWS), unique_by=lambda view: view[0], max_size=2))
    return [("create", schema) for schema in schemas] + [("register", *view, 1) for view in views]


@given(st.tuples(worlds(), worlds()), st.booleans())
def test_a_query_means_what_it_means_in_each_world(pair, strict):
    library, options = Library(), CircuitOptions(strict_tables=strict)
    pairs = [(Circuit(options=options), read_in(Circuit(options=options), library)) for _ in pair]
    for world, (apart, shared) in zip(pair, pairs, strict=True):
        for operation in world:
            assert perform(apart, *operation) == perform(shared, *operation)
    for text in TEXTS:
        for apart, shared in pairs:
            assert perform(apart, "register", "w", text, 0) == perform(shared, "register", "w", text, 0)
            if "w" in apart.views:
                assert apart.views["w"].plan == shared.views["w"].plan
                assert apart.views["w"].template.stars == shared.views["w"].template.stars


@given(st.lists(st.tuples(st.integers(0, 2), OPERATIONS), max_size=40))
def test_circuits_with_one_library_do_what_they_do_with_one_each(steps):
    library = Library()
    options = CircuitOptions(strict=False)
    shared = [read_in(Circuit(name, options=options), library) for name in "abc"]
    apart = [Circuit(name, options=options) for name in "abc"]
    for at, operation in steps:
        expected, actual = perform(apart[at], *operation), perform(shared[at], *operation)
        note(f"{at} {operation}: {actual}")
        assert expected == actual
    for one, other in zip(apart, shared, strict=True):
        assert {v: (w.columns, w.plan, w.warnings, w.digest) for v, w in one.views.items()} == {
            v: (w.columns, w.plan, w.warnings, w.digest) for v, w in other.views.items()
        }
