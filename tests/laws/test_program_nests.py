"""Trees as generated code: parents and children that come, go, move and change what is seen of them, at every depth.

Random plans nest a little; here they do nothing else: lists and single children, keyed or not, by ids and by columns of
all types that are equal, or look it, ordered or by key, filtered, joined, cut to windows, nested in each other and in
themselves.
"""

from random import Random

import pytest

from sspcore.algebra.values import same
from sspcore.engine.change import delete, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.emit import window
from sspcore.engine.emit.nest import NestEmitter
from sspcore.engine.interpret import interpret
from sspcore.engine.operators.base import Meter, compose
from sspcore.engine.program import compile_plan
from sspcore.engine.schema import Schema
from sspcore.engine.table import Table
from sspcore.plan import nodes
from sspcore.plan.builder import query
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.traverse import columns, ordering
from sspcore.plan.trees import keyed
from sspcore.testing.oracle import Mirror, check_circuit, expect_same

SCHEMAS = (
    Schema("p", {"id": "text", "x": "integer", "z": "any"}),
    Schema("c", {"id": "integer", "p": "text", "x": "integer", "z": "any", "r": "real"}),
    Schema("d", {"k1": "integer", "k2": "any", "w": "text"}, ("k1", "k2")),
    Schema("e", {"id": "any", "c": "any", "z": "any"}),
    Schema("f", {"z": "any", "x": "integer"}, None),
)
TEXTS = ("a", "b", "c", "d")
VALUES = (1, 2, None, "1", 1.0, True, "a", (1,), float("nan"))


def key_of(r, table):
    if table == "d":
        return (r.randrange(1, 5), r.choice((1, "1", "a")))
    return {"p": r.choice(TEXTS), "c": r.randrange(1, 6), "e": r.choice((1, 2, "1", "x")), "f": r.randrange(4)}[table]


def row_of(r, table, key):
    small, any_value = r.choice((None, 0, 1, 2)), r.choice(VALUES)
    if table == "p":
        return (key, small, any_value)
    if table == "c":
        return (key, r.choice((*TEXTS, None)), small, any_value, r.choice((0.5, 1.5, None, float("nan"))))
    if table == "d":
        return (*key, r.choice(("v", "w", None)))
    return (key, r.choice((1, 2, 3, "1", None, 1.0)), any_value) if table == "e" else (any_value, small)


def side(r, depth, taken):
    """A scan, filtered or projected or joined; or, deeper, a nest again."""
    if depth and r.random() < 0.4:
        return nest(r, depth - 1, taken)
    table = r.choice(SCHEMAS) if r.random() < 0.3 else r.choice([s for s in SCHEMAS if s.table not in taken] or SCHEMAS)
    taken.add(table.table)
    plan = nodes.Scan(table.table, table.names)
    width = len(table.names)
    if r.random() < 0.3:
        test = Call(r.choice(("=", "<>", ">=")), (Column(width - 1), Constant(r.choice((0, 1, "w", "a")))))
        plan = nodes.Filter(plan, r.choice((test, Call("or", (test, Call("is null", (Column(1),)))))))
    if r.random() < 0.25:
        last = Column(width - 1)
        made = r.choice((Call("coalesce", (last, Constant(1))), Call("||", (last, Constant("!"))), last))
        plan = nodes.Project(plan, (*[(n, Column(i)) for i, n in enumerate(table.names)], ("made", made)))
    elif r.random() < 0.15:
        plan = nodes.Join(
            r.choice(("inner", "left")), plan, nodes.Scan("p", SCHEMAS[0].names), ((Column(1), Column(0)),)
        )
    return plan


def nest(r, depth, taken):
    left, right = side(r, depth, taken), side(r, depth, taken)
    ours, theirs = len(columns(left)), len(columns(right))
    on = tuple((Column(r.randrange(ours)), Column(r.randrange(theirs))) for _ in range(r.choice((1, 1, 1, 1, 2, 0))))
    if isinstance(right, nodes.Scan) and r.random() < 0.3:
        ids = {"d": (0, 1), "f": ()}.get(right.table, (0,))
        on = tuple((Column(r.randrange(ours)), Column(at)) for at in ids) or on
    order = tuple(
        nodes.OrderTerm(Column(r.randrange(theirs)), r.random() < 0.4, r.random() < 0.5)
        for _ in range(r.choice((0, 1, 1, 2)))
    )
    form = r.choice(("objects", "objects", "values", "object", "value"))
    cells = tuple((f"m{i}", Column(r.randrange(theirs))) for i in range(1 if form in ("value", "values") else 2))
    if form in ("objects", "object") and r.random() < 0.3:
        cells = ()
    elif r.random() < 0.2:
        cells = (("m", Call("coalesce", (Column(r.randrange(theirs)), Constant(0)))), *cells[1:])
    limit = Constant(r.choice((0, 1, 2, 3))) if r.random() < 0.3 else None
    offset = Constant(r.choice((0, 1, 2))) if r.random() < 0.15 else None
    return nodes.Nest(left, right, f"n{depth}", on, None, order, limit, offset, cells, form)


def plan_of(r):
    plan = nest(r, r.choice((0, 1, 1, 2)), set())
    if r.random() < 0.4:
        plan = keyed(plan)
    if r.random() < 0.2:
        return nodes.TopK(plan, (nodes.OrderTerm(Column(1)),), Constant(2), Constant(r.randrange(2)))
    if r.random() < 0.2:
        return nodes.Filter(plan, Call("not", (Call("is null", (Column(1),)),)))
    return plan


@pytest.mark.parametrize("part", range(6))
def test_trees_are_right_after_every_commit(part, monkeypatch):
    monkeypatch.setattr(window, "SMALLEST", 2)
    compiled = 0
    for seed in range(part * 60, part * 60 + 60):
        r = Random(seed)
        tables = {schema.table: Table(schema) for schema in SCHEMAS}
        plan = plan_of(r)
        code = compile_plan(plan, lambda name, tables=tables: tables[name].schema)
        compiled += sum(isinstance(node.plan, nodes.Nest) and node.code is not None for node in code.nodes)
        for table in list(tables) * (seed % 2):
            tables[table].write(net_of(r, tables[table].rows, table))
        program = code.bind({}, tables, Meter())
        value = program.hydrate(lambda name, tables=tables: tables[name].rows)
        for _ in range(14):
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
                assert same(value.get(key), old), (seed, key)
                assert not same(old, new), (seed, key)
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
        slices = code.bind({}, tables, Meter()).hydrate_in_slices(lambda name, tables=tables: tables[name].rows, 2)
        expect_same(finished(slices), value, f"seed {seed}, hydrated in slices")
    assert compiled > 40, "most of these trees have an emitter"


def finished(slices):
    while True:
        try:
            next(slices)
        except StopIteration as end:
            return end.value


def net_of(r, rows, table):
    """Changes of a few rows of a table."""
    keys = {key_of(r, table) for _ in range(r.choice((1, 1, 2, 5)))}
    out = []
    for key in sorted(keys, key=repr):
        old = rows.get(key)
        new = None if old is not None and r.random() < 0.3 else row_of(r, table, key)
        if old is not None and new is not None and r.random() < 0.6:  # one column only
            at = r.randrange(2 if table == "d" else 0 if table == "f" else 1, len(new))
            new = (*old[:at], new[at], *old[at + 1 :])
        if not same(old, new):
            out.append((key, old, new))
    return out


@pytest.mark.parametrize("seed", range(4))
def test_a_tree_is_followed_without_hydrating_it_anew(seed):
    """Three levels through a circuit, its readers told of every child by their own updates."""
    r = Random(seed)
    circuit = Circuit(schemas=SCHEMAS[:2] + SCHEMAS[3:4])
    of_children = query("c").order_by("x").select("id", "z").related("leaves", query("e"), on={"id": "c"})
    tree = query("p").select("id", "z").related("children", of_children, on={"id": "p"})
    mirrors = {"rows": Mirror(circuit.register("rows", tree))}
    circuit.register("tree", tree, format="tree")
    for _ in range(120):
        batch = {}
        for _ in range(r.choice((1, 1, 4))):
            table = r.choice(("p", "c", "e"))
            batch[table, key_of(r, table)] = None
        changes = [
            delete(table, key) if r.random() < 0.25 else upsert(table, key, row_of(r, table, key))
            for table, key in batch
        ]
        commit = circuit.apply(changes)
        if "rows" in commit.updates:
            mirrors["rows"].apply(commit.updates["rows"])
        check_circuit(circuit)
        assert mirrors["rows"].rows() == [circuit.view("rows").get(key) for key in mirrors["rows"].keys]
    assert circuit.view("tree").statistics.rehydrates == 0


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ((3, ("a", 0), ("a", 0, 9)), 0),  # a column nobody shows
        ((3, ("a", 0), ("b", 0)), 2),  # it moves to other parents
        ((3, ("a", 0), ("a", 7)), 1),  # it changes among its siblings
    ],
)
def test_a_childs_change_touches_the_parents_that_show_it(change, touched):
    """A thousand parents, one of each key: the work is that of the lists that changed."""
    circuit = Circuit(
        schemas=[
            Schema("p", {"id": "text"}),
            Schema("c", {"id": "integer", "p": "text", "x": "integer", "y": "integer"}),
        ]
    )
    circuit.apply([upsert("p", key, {}) for key in ["a", "b", *[f"p{n}" for n in range(1000)]]])
    circuit.apply([upsert("c", n, {"p": "a", "x": 0, "y": 0}) for n in range(5)])
    circuit.register("tree", query("p").related("children", query("c").select("id", "x"), on={"id": "p"}))
    before = circuit.view("tree").statistics
    key, _, (parent, x, *y) = change

    commit = circuit.apply([upsert("c", key, {"p": parent, "x": x, "y": y[0] if y else 0})])

    after = circuit.view("tree").statistics
    assert sum(len(update.changes) for update in commit.updates.values()) == touched
    assert after.rows_touched - before.rows_touched <= 1 + touched
    assert after.probes - before.probes <= 2


def test_the_first_children_are_sorted_once():
    """Hydrating sorts each list: a thousand children of one parent arrive in any order."""
    assert NestEmitter.given == 2
    circuit = Circuit(schemas=[Schema("p", {"id": "text"}), Schema("c", {"id": "integer", "x": "integer"})])
    places = list(range(1000))
    Random(1).shuffle(places)
    circuit.apply([upsert("p", "a", {}), *[upsert("c", n, {"x": x}) for n, x in enumerate(places)]])
    circuit.register("tree", query("p").related("children", query("c").order_by("x").select("x"), on={}))

    ((_, children),) = circuit.rows("tree")
    assert [child["x"] for child in children] == sorted(places)


SMALL = (Schema("p", {"id": "text", "y": "integer"}), Schema("c", {"id": "integer", "p": "text", "x": "integer"}))
P, C = (nodes.Scan(schema.table, schema.names) for schema in SMALL)
ON = ((Column(0), Column(1)),)


def small(plan):
    """One parent of two children, 1 and 2, whose x is NULL and 5."""
    circuit = Circuit(schemas=SMALL)
    circuit.apply([upsert("p", "a", {"y": 1}), upsert("p", "b", {"y": 1})])
    circuit.apply([upsert("c", 1, {"p": "a", "x": None}), upsert("c", 2, {"p": "a", "x": 5})])
    circuit.register("tree", plan)
    return circuit


@pytest.mark.parametrize(
    ("cells", "form", "batch"),
    [
        ((("x", Column(2)),), "values", [delete("c", 2), upsert("c", 3, {"p": "a", "x": 5})]),
        ((("x", Column(2)),), "values", [upsert("c", 1, {"p": "a", "x": 5}), upsert("c", 2, {"p": "a", "x": None})]),
        ((("x", Call("coalesce", (Column(2), Constant(0)))),), "objects", [upsert("c", 1, {"p": "a", "x": 0})]),
    ],
)
def test_what_shows_the_same_in_the_end_is_not_told(cells, form, batch):
    """One for another in a batch, two that exchange what they show, a value worked out to what it was."""
    order = (nodes.OrderTerm(Column(2)),) if len(batch) > 1 else ()
    circuit = small(nodes.Nest(P, C, "n", ON, order=order, cells=cells, form=form))

    assert not circuit.apply(batch).updates
    check_circuit(circuit)


def test_an_only_child_that_shows_null_is_as_none():
    circuit = small(nodes.Nest(C, P, "n", ((Column(1), Column(0)),), cells=(("y", Column(1)),), form="value"))

    circuit.apply([upsert("c", 9, {"p": "z", "x": 1})])
    assert not circuit.apply([upsert("p", "z", {"y": None})]).updates
    assert not circuit.apply([delete("p", "z")]).updates
    check_circuit(circuit)


def test_parents_are_filtered_by_what_they_do_not_show():
    chosen = nodes.Filter(P, Call("=", (Column(1), Constant(1))))
    circuit = small(nodes.Nest(nodes.Project(chosen, (("id", Column(0)),)), C, "n", ON))

    (update,) = circuit.apply([upsert("p", "a", {"y": 2})]).updates.values()

    assert [(key, new) for key, _, new in update.changes] == [("a", None)]
    check_circuit(circuit)
