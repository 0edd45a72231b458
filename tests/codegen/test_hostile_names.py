"""Names and constants that try to become code: quotes, newlines, calls. They are compared, shown, and never run."""

from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.interpret import interpret
from sspcore.engine.operators.base import Meter
from sspcore.engine.program import compile_plan
from sspcore.engine.schema import Schema
from sspcore.engine.table import Table
from sspcore.plan import nodes
from sspcore.plan.expressions import Call, Column, Constant, Param
from sspcore.plan.traverse import bind_plan
from sspcore.testing.oracle import expect_same

ATTACKS = (
    "'", '"', "\\", "\n", "'''", "a'b", "__import__('os').system('true')", "\nimport os\n", "x); raise SystemExit #",
    "c0", "make", "meter", "lambda: 0", "{}", "%s", "\u2028", "é", "#", "\x00", "o0", "def", "None",
)  # fmt: skip
texts = st.one_of(st.sampled_from(ATTACKS), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))


@given(st.lists(texts, min_size=2, max_size=4, unique=True), texts, texts, texts)
def test_names_and_constants_never_run(names, table_name, constant, param):
    columns = dict.fromkeys(names, "any")
    table, other = Table(Schema(table_name, columns, None)), Table(Schema(table_name + "2", columns, names[0]))
    rows = {at: tuple([(constant, param, at)[(at + i) % 3] for i in range(len(names))]) for at in range(3)}
    table.write([(key, None, row) for key, row in rows.items()])
    other.write([(row[0], None, row) for row in rows.values() if type(row[0]) is str])
    tables = {table_name: table, table_name + "2": other}
    scan = nodes.Scan(table_name, tuple(names))
    test = Call("or", (Call("=", (Column(0), Constant(constant))), Call(">=", (Column(1), Param(param)))))
    joined = nodes.Join(
        "left", nodes.Filter(scan, test), nodes.Scan(table_name + "2", tuple(names)), ((Column(0), Column(0)),)
    )
    grouped = nodes.Aggregate(joined, ((names[0], Column(0)),), ((names[1], nodes.AggregateCall("min", Column(1))),))
    for plan in (joined, grouped, nodes.TopK(joined, (nodes.OrderTerm(Column(1)),), Constant(2))):
        code = compile_plan(plan, lambda name: tables[name].schema)
        program = code.bind({param: constant}, tables, Meter())
        value = program.hydrate(lambda name: tables[name].rows)

        expect_same(value, interpret(bind_plan(plan, {param: constant}), tables), "with hostile names")
        assert all(node.code is not None for node in code.nodes)
        for line in code.listing().split("\n"):
            assert line.isprintable()
