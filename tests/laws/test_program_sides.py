"""Two-sided nodes as generated code: EXISTS and IN in all forms, outer joins on any columns, and tables that meet
themselves, under filters, projections, groups and the best few.

Random plans of all kinds do these too (`test_programs`); here they do nothing else, over few tables and fewer values, so
that keys meet, counts cross zero and one, and a batch changes both sides at once.
"""

from collections import Counter
from random import Random

import pytest

from sspcore.engine import program
from sspcore.engine.drained import drained
from sspcore.engine.emit import judging, marking, membership, pairs, sides, stage, tallying, window
from sspcore.engine.interpret import interpret
from sspcore.engine.operators.base import Meter, compose
from sspcore.engine.program import compile_plan
from sspcore.engine.schema import Schema
from sspcore.engine.table import Table
from sspcore.plan import nodes
from sspcore.plan.expressions import Call, Column, Constant, Param
from sspcore.plan.traverse import bind_plan, columns, ordering, params_of, tables_of, walk_plan
from sspcore.testing.oracle import LawBroken, expect_same

SCHEMAS = (
    Schema("p", {"id": "integer", "x": "integer", "y": "any", "t": "text"}),
    Schema("q", {"id": "any", "x": "integer", "y": "any", "t": "text"}),
    Schema("s", {"k1": "integer", "k2": "text", "x": "real", "y": "any"}, ("k1", "k2")),
    Schema("e", {"x": "integer", "y": "any", "t": "text"}, None),
)
SCANS = {schema.table: nodes.Scan(schema.table, schema.names) for schema in SCHEMAS}
ANY = (1, 2, None, "1", 1.0, True, (1,), 2.5)
TEXTS = ("1", "v", None)
NUMBERS = (1, 2, 3, None)
TWO_SIDED = (nodes.Join, nodes.SemiJoin, nodes.AntiJoin, nodes.Mark)


def row_of(r, table, key):
    x, y, t = r.choice(NUMBERS), r.choice(ANY), r.choice(TEXTS)
    if table == "s":
        return (*key, None if x is None else float(x), y)
    return (x, y, t) if table == "e" else (key, x, y, t)


def key_of(r, table):
    if table == "s":
        return (r.choice((1, 2)), r.choice(("1", "v")))
    return r.choice((1, 2, 3, "1", "v")) if table == "q" else r.randrange(1, 5)


def column(r, width):
    """An operand over a row: mostly a column."""
    found = Column(r.randrange(width))
    return found if r.random() < 0.85 else Call("coalesce", (found, Column(r.randrange(width)), Constant(1)))


def condition(r, width, params):
    c = Column(r.randrange(width))
    if params and r.random() < 0.2:
        return Call(r.choice(("=", "<", ">=")), (c, Param("n")))
    if r.random() < 0.3:
        return r.choice((Call("is null", (c,)), Call("not", (Call("is null", (c,)),))))
    return Call(r.choice(("=", "<>", ">=", "<")), (c, Constant(r.choice((1, 2, "1")))))


def plan_of(r, depth, params=False):
    """A plan of rows, two-sided at the top and mostly below."""
    if not depth:
        plan = SCANS[r.choice("pqse" if r.random() < 0.7 else "pp")]
        wide = len(columns(plan))
        if r.random() < 0.35:
            plan = nodes.Filter(plan, condition(r, wide, params))
        if r.random() < 0.2:
            kept = tuple((f"c{at}", Column(at)) for at in range(1, wide))
            computed = Call("coalesce", (Column(r.randrange(wide)), Constant(1)))
            plan = nodes.Project(plan, (*kept, ("d", r.choice((computed, Constant(2), Constant(None))))))
        return plan
    left = plan_of(r, depth - 1 if r.random() < 0.4 else 0, params)
    right = plan_of(r, depth - 1 if r.random() < 0.25 else 0, params)
    wide, width = len(columns(left)), len(columns(left)) + len(columns(right))
    on = tuple((column(r, wide), column(r, width - wide)) for _ in range(r.choice((1, 1, 1, 2, 0))))
    residual = Call(r.choice(("<>", "<", "=")), (Column(r.randrange(wide)), Column(r.randrange(wide, width))))
    residual = residual if r.random() < 0.25 else None
    match r.choice(("semi", "anti", "mark", "in", "join", "join")):
        case "semi":
            plan = nodes.SemiJoin(left, right, on, residual)
        case "anti":
            plan = nodes.AntiJoin(left, right, on, residual)
        case "mark":
            plan = nodes.Mark(left, right, "m", on, residual)
        case "in":
            key = column(r, wide), column(r, width - wide)
            plan = nodes.Mark(left, right, "m", on if r.random() < 0.5 else (), residual, key)
        case _:
            plan = nodes.Join(r.choice(("inner", "left", "right", "full")), left, right, on, residual)
    wide = len(columns(plan))
    if r.random() < 0.3:
        mark = Column(wide - 1)
        test = (
            r.choice((mark, Call("is null", (mark,)), Call("not", (mark,)))) if isinstance(plan, nodes.Mark) else None
        )
        other = condition(r, wide, params)
        plan = nodes.Filter(plan, other if test is None else Call("or", (test, other)))
    if r.random() < 0.3:
        kept = r.sample(range(wide), r.randrange(1, min(wide, 4) + 1))
        plan = nodes.Project(plan, tuple((f"c{at}", column(r, wide) if at == 0 else Column(at)) for at in kept))
    return plan


def whole_of(r, params=False):
    """Such a plan, and what is often on top of one."""
    plan = plan_of(r, r.choice((1, 1, 2, 3)), params)
    wide, top = len(columns(plan)), r.randrange(7)
    if top == 0:
        group = Column(r.randrange(wide))
        calls = (("n", nodes.AggregateCall("count")), ("m", nodes.AggregateCall("max", Column(r.randrange(wide)))))
        return nodes.Aggregate(plan, (("g", group),), calls)
    if top == 1:
        return nodes.TopK(
            plan, (nodes.OrderTerm(Column(r.randrange(wide)), r.random() < 0.5),), Constant(3), Constant(1)
        )
    return nodes.Distinct(plan) if top == 2 else plan


def net_of(r, rows, table):
    """Changes of a few rows of a table."""
    out = []
    for key in sorted({key_of(r, table) for _ in range(r.choice((1, 1, 2, 5)))}, key=repr):
        old = rows.get(key)
        new = None if old is not None and r.random() < 0.35 else row_of(r, table, key)
        if old != new or list(map(type, old)) != list(map(type, new)):
            out.append((key, old, new))
    return out


def follow(value, delta, where):
    """The value with a delta, which is checked against it."""
    assert len({key for key, _, _ in delta}) == len(delta), (where, delta)
    for key, old, new in delta:
        assert old is not None or new is not None, (where, delta)
        expect_same({key: value.get(key)}, {key: old}, f"{where}: what {key!r} was")
        if new is None:
            del value[key]
        else:
            value[key] = new


def kinds(plan):
    """The two-sided nodes of a plan, by what an emitter has to know of them."""
    for node in walk_plan(plan):
        if not isinstance(node, TWO_SIDED):
            continue
        name = node.kind if isinstance(node, nodes.Join) else type(node).__name__
        yield name + (" in" if getattr(node, "key", None) else "") + (" where" if node.residual else "")
        if set(tables_of(node.left)) & set(tables_of(node.right)):
            yield f"{name} of a table with itself"


FORMS = {
    f"{name}{form}"
    for name in ("inner", "left", "right", "full", "SemiJoin", "AntiJoin", "Mark", "Mark in")
    for form in ("", " where")
} | {f"{name} of a table with itself" for name in ("inner", "left", "right", "full", "SemiJoin", "AntiJoin", "Mark")}


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    monkeypatch.setattr(window, "SMALLEST", 2)


@pytest.mark.parametrize("part", range(4))
def test_two_sided_nodes_are_right_after_every_commit(part):
    met, compiled = Counter(), Counter()
    for seed in range(part * 400, part * 400 + 400):
        r = Random(seed)
        plan = whole_of(r)
        met.update(set(kinds(plan)))
        compiled.update(type(node.plan).__name__ if node.code is None else "code" for node in hold(plan, r, seed))
    assert not {form for form in FORMS if not met[form]}, "every form comes up"
    assert set(compiled) == {"code", "TopK"}, "a top-k over a preserved right has no emitter; all else has"


def hold(plan, r, seed):
    """Hold a plan to its meaning through some commits; the nodes of its program."""
    tables = {schema.table: Table(schema) for schema in SCHEMAS}
    code = compile_plan(plan, lambda name: tables[name].schema)
    for name, table in tables.items():
        table.write(net_of(r, {}, name))
    program = code.bind({}, tables, Meter())
    value = program.hydrate(lambda name: tables[name].rows)
    expect_same(value, interpret(plan, tables), f"seed {seed}, at first")
    for _ in range(12):
        program.begin()
        for name in r.sample(list(tables), r.randrange(1, 4)):
            changes = net_of(r, tables[name].rows, name)
            tables[name].write(changes)
            step = program.steps.get(name)
            follow(value, step(changes) if step is not None and changes else [], f"seed {seed}")
        wanted = interpret(plan, tables)
        expect_same(value, wanted, f"seed {seed}")
        if ordering(plan) is not None:
            assert program.order() == list(wanted)
    expect_same(code.bind({}, tables, Meter()).hydrate(lambda name: tables[name].rows), value, f"seed {seed}, again")
    sliced = code.bind({}, tables, Meter()).hydrate_in_slices(lambda name: tables[name].rows, 2)
    expect_same(drained(sliced), value, f"seed {seed}, in slices")
    return code.nodes


@pytest.mark.parametrize("part", range(2))
def test_two_sided_nodes_go_on_under_other_parameters(part):
    """What crosses a bound is taken out under the old parameters, put back under the new: the tables stay as they are."""
    moved = 0
    for seed in range(part * 400, part * 400 + 400):
        r = Random(seed)
        tables = {schema.table: Table(schema) for schema in SCHEMAS}
        plan = whole_of(r, True)
        if not params_of(plan):
            continue
        code = compile_plan(plan, lambda name, tables=tables: tables[name].schema)
        if not code.rebindable or len(list(tables_of(plan))) < 2:
            continue
        for name, table in tables.items():
            table.write(net_of(r, {}, name))
        program = code.bind({"n": 1}, tables, Meter())
        value = program.hydrate(lambda name, tables=tables: tables[name].rows)
        for n in (2, 1, "1", 3):
            (name,) = r.sample(sorted(program.steps), 1)
            reads = [scan.table for scan in walk_plan(plan) if isinstance(scan, nodes.Scan)]
            tested = {below.table for node in walk_plan(plan) if isinstance(node, nodes.Filter) and params_in(node)
                      for below in walk_plan(node) if isinstance(below, nodes.Scan)}  # fmt: skip
            if len(tested) != 1 or reads.count(*tested) != 1:
                continue
            (name,) = tested
            moved += 1
            rows = list(tables[name].rows.items())
            follow(value, program.steps[name]([(key, row, None) for key, row in rows]), f"seed {seed}, out")
            program.rebind({"n": n})
            follow(value, program.steps[name]([(key, None, row) for key, row in rows]), f"seed {seed}, back")
            expect_same(value, interpret(bind_plan(plan, {"n": n}), tables), f"seed {seed}")
    assert moved > 20


def params_in(node):
    return any(isinstance(e, Param) for e in node.predicate.args)


def unless_first(emitter):
    """The emitter's note of a key that turned, but taken at every change."""
    return lambda self, key, verdict: self.source.line(f"turned[{key}] = {verdict}")


def key_of_any_parts(self, row, there=False):
    """A key of several parts, though some are NULL."""
    text = self.write.row(self.sides.keys[self.at], self.frame.read({self.at: row}))
    return f"{text} if {row} is not None else None"


def without_tests(real):
    def each(self, stack, key):
        held, self.tests = self.tests, []
        real(self, stack, key)
        self.tests = held

    return each


FAULTS = {
    "a table on both sides is read as it is, on both": (
        sides.Sides, "found_in_table",
        lambda real: lambda self, at: real(self.__class__(**{**vars_of(self), "overlap": False}), at),
    ),
    "the right follows first": (program, "_one_after_the_other", lambda real: lambda ports: backwards(ports)),
    "the second partner turns a verdict too": (membership.MembershipEmitter, "_note", unless_first),
    "NULL is equal to NULL in a key of several columns": (sides.Side, "key", lambda real: key_of_any_parts),
    "TRUE is 1": (sides, "canonical_key", lambda real: lambda value: value),
    "rows stay where they were filed": (sides.Side, "file", lambda real: lambda self, old, new: real(self, None, new)
                                        if old is None else None),
    "conditions of a table's rows are not asked again": (sides.Side, "each", without_tests),
    "no row of a preserved side turns": (pairs.PairsEmitter, "_note_keys", lambda real: lambda self, at: None),
    "with a residual none does": (pairs.PairsEmitter, "_partner", lambda real: lambda self, at, step: None),
    "what is computed on a padded side is not NULL": (
        stage.Cutter, "_side", lambda real: lambda self, plan, used, keys, above, plain: real(self, plan, used, keys, above, False),
    ),
    "every partner turns the verdict of a pair": (
        judging.JudgingEmitter, "_partner",
        lambda real: lambda self, step: self.source.line(f"turned[k0] = r0, {step == '+'}"),
    ),
    "a candidate's NULL is not tallied": (
        tallying.TallyingEmitter, "_count_member",
        lambda real: lambda self, row, step: (self.source.line(f"m = {self.right.part(self.member, row)}"),
                                              self.source.line(f"t[1] {step}= m == p")),
    ),
    "the last NULL does not go": (
        marking.MarkingEmitter, "_was",
        lambda real: lambda self: real(self).replace("(c in unknown) is not (c in nulls)", "c in unknown"),
    ),
    "the first candidate is not noticed": (
        marking.MarkingEmitter, "_was", lambda real: lambda self: real(self).replace("(c in some) is (c in first)", "c not in some"),
    ),
}  # fmt: skip


def vars_of(frozen):
    return {field.name: getattr(frozen, field.name) for field in frozen.__attrs_attrs__}


def backwards(ports):
    def step(*deltas):
        out = []
        for port, delta in reversed(list(zip(ports, deltas, strict=True))):
            out = compose(out, port(delta)) if delta else out
        return out

    return step


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_the_emitters_are_caught(name, monkeypatch):
    """Each planted in the real emitter; the fixed sample must catch it."""
    owner, attribute, make = FAULTS[name]
    monkeypatch.setattr(owner, attribute, make(getattr(owner, attribute)))
    with pytest.raises((AssertionError, LawBroken, KeyError, TypeError)):
        hold_many(400)


def hold_many(count):
    for seed in range(count):
        r = Random(seed)
        hold(whole_of(r), r, seed)
