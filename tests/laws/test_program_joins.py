"""Joins by id as generated code: facts that name their dimensions, some of which are missing, renamed, or come late.

Random plans seldom join by id; here they do nothing else: inner and left, along one, two and three tables, filters on
every side, then rows, groups or the best few. Ids and what names them are of all types that are equal, or look it.
"""

from random import Random

import pytest

from sspcore.engine.change import delete, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.emit import window
from sspcore.engine.interpret import interpret
from sspcore.engine.operators.base import Meter, compose
from sspcore.engine.program import compile_plan
from sspcore.engine.schema import Schema
from sspcore.engine.table import Table
from sspcore.plan import nodes
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.traverse import columns, ordering
from sspcore.testing.oracle import Mirror, check_circuit, expect_same

SCHEMAS = (
    Schema("fact", {"id": "integer", "b": "any", "c": "any", "d1": "any", "d2": "text", "x": "integer"}),
    Schema("b", {"id": "any", "y": "integer", "c": "any"}),
    Schema("c", {"id": "any", "z": "any"}),
    Schema("d", {"k1": "any", "k2": "text", "w": "integer"}, ("k1", "k2")),
    Schema("e", {"fact": "integer", "v": "text"}, None),
)
IDS = (1, 2, 3, "1", "x")
NAMES = (1, 2, 3, "1", "x", None, 1.0, True, 4, (1,))


def row_of(r, table, key):
    if table == "fact":
        return (key, r.choice(NAMES), r.choice(NAMES), r.choice(NAMES), r.choice(("p", "q", None)), r.randrange(4))
    if table == "b":
        return (key, r.choice((None, 0, 1, 2)), r.choice(NAMES))
    if table == "c":
        return (key, r.choice((None, 0, "z", 1.5)))
    if table == "d":
        return (*key, r.randrange(3))
    return (r.choice((1, 2, 3, None)), r.choice(("v", "w", None)))


def key_of(r, table):
    if table == "fact":
        return r.randrange(1, 6)
    if table == "d":
        return (r.choice(IDS), r.choice(("p", "q")))
    return r.choice(IDS)


def plan_of(r):
    """A join tree over `fact`, then something on top of it."""
    scans = {s.table: nodes.Scan(s.table, s.names) for s in SCHEMAS}
    plan = scans["fact"]
    if r.random() < 0.4:
        plan = nodes.Filter(plan, Call(">", (Column(5), Constant(0))))
    others = r.sample(["b", "c", "d", "e"], r.randrange(1, 4))
    for table in others:
        side, names = scans[table], columns(plan)
        at = {name: Column(i) for i, name in reversed(list(enumerate(names)))}
        if r.random() < 0.4:
            side = nodes.Filter(side, Call(r.choice(("=", "<>", ">=")), (Column(1), Constant(r.choice((0, 1, "p"))))))
        through = "b" in others[: others.index(table)] and r.random() < 0.4
        on = {
            "b": ((at["b"], Column(0)),),
            "c": ((Column(8) if through and names[6:9] == ("id", "y", "c") else at["c"], Column(0)),),
            "d": ((at["d1"], Column(0)), (at["d2"], Column(1))),
            "e": ((at["id"], Column(0)),),
        }[table]
        kind = r.choice(("inner", "left"))
        plan = nodes.Join(kind, plan, side, on)
    if r.random() < 0.5:
        test = Call("is null", (Column(r.randrange(6, len(columns(plan)))),))
        test = r.choice((test, Call("not", (test,)), Call(">=", (Column(len(columns(plan)) - 1), Column(5)))))
        plan = nodes.Filter(plan, Call("or", (test, Call("=", (Column(5), Constant(1))))))
    top = r.randrange(4)
    if top == 0:
        last = Column(len(columns(plan)) - 1)
        calls = (("n", nodes.AggregateCall("count")), ("s", nodes.AggregateCall("sum", Column(5))))
        return nodes.Aggregate(plan, (("g", last),), (*calls, ("m", nodes.AggregateCall("max", Column(7)))))
    if top == 1:
        return nodes.TopK(
            plan, (nodes.OrderTerm(Column(5), True), nodes.OrderTerm(Column(7))), Constant(3), Constant(1)
        )
    return plan


@pytest.mark.parametrize("part", range(6))
def test_joins_by_id_are_right_after_every_commit(part, monkeypatch):
    monkeypatch.setattr(window, "SMALLEST", 2)
    compiled = 0
    for seed in range(part * 60, part * 60 + 60):
        r = Random(seed)
        tables = {schema.table: Table(schema) for schema in SCHEMAS}
        plan = plan_of(r)
        code = compile_plan(plan, lambda name, tables=tables: tables[name].schema)
        compiled += all(node.code is not None for node in code.nodes)
        program = code.bind({}, tables, Meter())
        value = program.hydrate(lambda name, tables=tables: tables[name].rows)
        for _ in range(12):
            program.begin()
            delta = []
            for table in r.sample(list(tables), r.randrange(1, 4)):
                changes = net_of(r, tables[table].rows, table)
                tables[table].write(changes)
                step = program.steps.get(table)
                out = step(changes) if step is not None and changes else []
                assert len({key for key, _, _ in out}) == len(out), (seed, out)
                delta = compose(delta, out)
            for key, old, new in delta:
                assert value.get(key) == old
                if new is None:
                    del value[key]
                else:
                    value[key] = new
            wanted = interpret(plan, tables)
            expect_same(value, wanted, f"seed {seed}")
            if ordering(plan) is not None:
                assert program.order() == list(wanted)
        again = code.bind({}, tables, Meter()).hydrate(lambda name, tables=tables: tables[name].rows)
        expect_same(again, value, f"seed {seed}, hydrated")
    assert compiled > 25, "most of these joins have an emitter"


def net_of(r, rows, table):
    """Changes of a few rows of a table."""
    keys = {key_of(r, table) for _ in range(r.choice((1, 1, 2, 5)))}
    out = []
    for key in sorted(keys, key=repr):
        old = rows.get(key)
        new = None if old is not None and r.random() < 0.35 else row_of(r, table, key)
        if old != new or list(map(type, old)) != list(map(type, new)):
            out.append((key, old, new))
    return out


@pytest.mark.parametrize("seed", range(6))
def test_a_table_found_by_columns_of_two_others_follows_both(seed):
    """`e` is looked up by a column of `fact` and one of `b`: a changed fact brings only its part of the key."""
    r = Random(seed)
    circuit = Circuit(schemas=SCHEMAS[:2] + SCHEMAS[4:])
    fact, b, e = (nodes.Scan(s.table, s.names) for s in circuit_schemas(circuit))
    two = nodes.Join("inner", fact, b, ((Column(1), Column(0)),))
    plan = nodes.Join("inner", two, e, ((Column(5), Column(0)), (Column(8), Column(1))))
    circuit.register("three", plan)
    shown = 0
    for _ in range(150):
        table = r.choice(("fact", "b", "e"))
        key = r.randrange(1, 6) if table != "b" else r.choice(IDS)
        row = {
            "fact": (key, r.choice(IDS[:3]), None, None, None, r.randrange(3)),
            "b": (key, 0, r.choice(("v", "w"))),
            "e": (r.randrange(3), r.choice(("v", "w"))),
        }[table]
        circuit.apply([upsert(table, key, row)])
        check_circuit(circuit)
        shown += len(circuit.rows("three"))
    assert shown > 100
    assert circuit.view("three").statistics.rehydrates == 0


def circuit_schemas(circuit):
    return [circuit.tables[name].schema for name in ("fact", "b", "e")]


@pytest.mark.parametrize("seed", range(60))
def test_joins_along_any_columns_and_round_in_circles(seed):
    """Up to four tables, each met by one to three equalities with those before, ids and other columns alike."""
    r = Random(seed)
    names = ["p", "q", "r", "s"][: r.randrange(2, 5)]
    schemas = [
        Schema(name, {"id": "integer", "x": r.choice(("any", "integer")), "y": "any", "z": "text"}) for name in names
    ]
    plan = nodes.Scan("p", schemas[0].names)
    for at, schema in enumerate(schemas[1:], 1):
        right = nodes.Scan(schema.table, schema.names)
        on = tuple((Column(r.randrange(4 * at)), Column(r.randrange(4))) for _ in range(r.randrange(1, 4)))
        kind = "left" if r.random() < 0.25 else "inner"
        plan = nodes.Join(
            kind, plan, right, on, Call("<>", (Column(1), Column(4 * at + 1))) if r.random() < 0.2 else None
        )
    circuit = Circuit(schemas=schemas)
    mirror = Mirror(circuit.register("joined", plan))
    values = (1, 2, None, "1", 1.0, True)
    for _ in range(60):
        batch = []
        for _ in range(r.choice((1, 1, 1, 3))):
            key = r.randrange(1, 4)
            x = r.choice((1, 2, None)) if schemas[0].columns["x"] == "integer" else r.choice(values)
            row = (
                key,
                x if type(x) in (int, type(None)) else r.choice((1, None)),
                r.choice(values),
                r.choice(("1", "2", None)),
            )
            table = r.choice(names)
            batch.append(delete(table, key) if r.random() < 0.2 else upsert(table, key, row))
        commit = circuit.apply(batch)
        for update in commit.updates.values():
            mirror.apply(update)
        check_circuit(circuit)
        assert mirror.rows() == [circuit.view("joined").get(key) for key in mirror.keys]
    assert circuit.view("joined").statistics.rehydrates == 0
