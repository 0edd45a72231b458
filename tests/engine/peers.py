"""For test_interpret_peers: typed random plans, their translation to SQL, and two databases to ask.

The fragment is what both databases agree on with Postgres, spelled so that they do: integers, dyadic reals (sums of
which are exact in any order), ASCII text, booleans only as conditions. Left out, because they differ by design:
comparisons across classes, NaN and decimals, rounding, greatest/least beside NULL.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping

import duckdb
from hypothesis import strategies as st

from sspcore.plan.expressions import Call, Column, Constant, Expression
from sspcore.plan.nodes import (
    Aggregate,
    AggregateCall,
    AntiJoin,
    Distinct,
    Except,
    Filter,
    Intersect,
    Join,
    Mark,
    OrderTerm,
    Pairs,
    Plan,
    Project,
    Scan,
    SemiJoin,
    TopK,
    Union,
)
from sspcore.plan.traverse import columns

Row = tuple[object, ...]
Kinds = tuple[str, ...]
Relation = tuple[Plan, Kinds]

TABLES: dict[str, tuple[tuple[str, ...], Kinds]] = {
    "t": (("a", "b", "s"), ("integer", "integer", "text")),
    "u": (("c", "r", "s"), ("integer", "real", "text")),
}
DOMAINS: dict[str, tuple[object, ...]] = {
    "integer": (0, 1, 2, 3, -1, -7),
    "real": (0.0, 1.0, 0.5, -2.5, 3.0),
    "text": ("", "a", "b", "ab", "aXb", "100%", "a_b"),
}
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=", "is distinct")

cells = {kind: st.sampled_from((*domain, None)) for kind, domain in DOMAINS.items()}
rows = {name: st.tuples(*[cells[k] for k in kinds]) for name, (_, kinds) in TABLES.items()}
databases = st.fixed_dictionaries({name: st.lists(row, min_size=4, max_size=7) for name, row in rows.items()})


# Random expressions and plans. Each knows the kinds of its columns, so that operands fit.


@st.composite
def scalars(draw: st.DrawFn, kinds: Kinds, kind: str, depth: int = 2) -> Expression:
    fitting = [Column(i) for i, k in enumerate(kinds) if k == kind]
    if depth == 0 or draw(st.booleans()):
        column = st.sampled_from(fitting) if fitting else st.nothing()
        return draw(column | cells[kind].map(Constant))

    def again(other: str = kind) -> Expression:
        return draw(scalars(kinds, other, depth - 1))

    form = draw(st.sampled_from({"integer": "+-*/%nlCcNa", "real": "+-*nCcN", "text": "|suwCcN"}[kind]))
    match form:
        case "+" | "-" | "*" | "/" | "%":
            return Call(form, (again(), again()))
        case "n" | "a":
            return Call({"n": "neg", "a": "abs"}[form], (again(),))
        case "l":
            return Call("length", (again("text"),))
        case "C":
            return Call("case", (draw(conditions(kinds, depth - 1)), again(), again()))
        case "c":
            return Call("coalesce", (again(), again()))
        case "N":
            return Call("nullif", (again(), again()))
        case "|":
            return Call("||", (again(), again()))
        case "s":
            return Call("substr", (again(), Constant(draw(st.integers(1, 3))), Constant(draw(st.integers(0, 2)))))
        case "u":
            return Call("upper", (again(),))
        case _:
            return Call("cast", (again("integer"), Constant("text")))


@st.composite
def conditions(draw: st.DrawFn, kinds: Kinds, depth: int = 2) -> Expression:
    kind = draw(st.sampled_from(("integer", "real", "text")))

    def operand(other: str = kind) -> Expression:
        return draw(scalars(kinds, other, 1))

    def again() -> Expression:
        return draw(conditions(kinds, depth - 1))

    simple = ("compare", "null", "in", "like", "mixed")
    match draw(st.sampled_from((*simple, "and", "or", "not") if depth else simple)):
        case "compare":
            return Call(draw(st.sampled_from(COMPARISONS)), (operand(), operand()))
        case "mixed":
            return Call(draw(st.sampled_from(COMPARISONS)), (operand("integer"), operand("real")))
        case "null":
            return Call("is null", (operand(),))
        case "in":
            items = draw(st.lists(cells[kind], min_size=1, max_size=3))
            return Call("in", (operand(), *map(Constant, items)))
        case "like":
            pattern = draw(st.sampled_from(("%", "a%", "%b", "_", "%a%b%", "a\\_b", "%0\\%", "A%", "")))
            return Call("like", (operand("text"), Constant(pattern)))
        case "not":
            return Call("not", (again(),))
        case logic:
            return Call(logic, (again(), again()))


@st.composite
def equalities(draw: st.DrawFn, left: Kinds, right: Kinds, most: int = 2) -> Pairs:
    fitting = [(i, j) for i, k in enumerate(left) for j, other in enumerate(right) if k == other]
    chosen = draw(st.lists(st.sampled_from(fitting), max_size=most)) if fitting else []
    return tuple([(Column(i), Column(j)) for i, j in chosen])


@st.composite
def relations(draw: st.DrawFn, depth: int = 3) -> Relation:
    if depth == 0:
        table = draw(st.sampled_from(sorted(TABLES)))
        names, kinds = TABLES[table]
        return Scan(table, names), kinds
    plan, kinds = draw(relations(depth - 1))
    form = draw(st.sampled_from(("filter", "project", "join", "semi", "anti", "mark", "aggregate", "distinct",
                                 "union", "intersect", "except", "topk")))  # fmt: skip
    match form:
        case "filter":
            null = Call("is null", (Column(0),))
            most = null if draw(st.booleans()) else Call("not", (null,))  # so that few results are empty
            return Filter(plan, Call("or", (draw(conditions(kinds)), most))), kinds
        case "project":
            made = draw(st.lists(st.sampled_from(sorted(DOMAINS)), min_size=1, max_size=3))
            named = tuple([(f"c{i}", draw(scalars(kinds, k))) for i, k in enumerate(made)])
            return Project(plan, named), tuple(made)
        case "distinct":
            return Distinct(plan), kinds
        case "topk":
            return draw(_top_k(plan, kinds))
        case "aggregate":
            return draw(_aggregates(plan, kinds))
        case "union" | "intersect" | "except":
            other = _fitted(draw(relations(draw(st.integers(0, min(1, depth - 1))))), kinds)
            if form == "union":
                return Union((plan, other), all=draw(st.booleans())), kinds
            return (Intersect if form == "intersect" else Except)(plan, other), kinds
    right, others = draw(relations(draw(st.integers(0, min(1, depth - 1)))))
    on = draw(equalities(kinds, others))
    residual = draw(st.none() | st.none() | conditions(kinds + others, 1))
    if form in ("semi", "anti") and not on and residual is None:
        residual = draw(conditions(kinds + others, 1))
    if form == "join":
        kind = draw(st.sampled_from(("inner", "left", "right", "full")))
        return Join(kind, plan, right, on, residual), kinds + others
    if form == "mark":
        key = draw(equalities(kinds, others, 1))
        if key:
            mark = Column(len(kinds))
            test = draw(st.sampled_from((Constant(True), mark, Call("not", (mark,)), Call("is null", (mark,)))))
            return Filter(Mark(plan, right, "m", on, residual, key[0]), test), (*kinds, "truth")
    return (SemiJoin if form == "semi" else AntiJoin)(plan, right, on, residual), kinds


def _fitted(relation: Relation, kinds: Kinds) -> Plan:
    """The relation with columns of these kinds: its own where it has them, else a constant."""
    plan, own = relation
    cells = [Column(own.index(k)) if k in own else Constant(None) for k in kinds]
    return Project(plan, tuple([(f"c{i}", cell) for i, cell in enumerate(cells)]))


@st.composite
def _top_k(draw: st.DrawFn, plan: Plan, kinds: Kinds) -> Relation:
    """Ordered by every column in the end, so that tied rows are equal and any choice among them is right."""
    chosen = draw(st.permutations(range(len(kinds))))
    terms = tuple([OrderTerm(Column(i), draw(st.booleans()), draw(st.booleans())) for i in chosen])
    return TopK(plan, terms, Constant(draw(st.sampled_from((3, 1, 9, 0)))), Constant(draw(st.integers(0, 2)))), kinds


@st.composite
def _aggregates(draw: st.DrawFn, plan: Plan, kinds: Kinds) -> Relation:
    at = [i for i, k in enumerate(kinds) if k != "truth"]
    groups = draw(st.lists(st.sampled_from(at), max_size=2, unique=True)) if at else []
    calls: list[AggregateCall] = [AggregateCall("count")]
    made = ["integer"]
    for _ in range(draw(st.integers(0, 2)) if at else 0):
        i = draw(st.sampled_from(at))
        numeric = () if kinds[i] == "text" else ("sum", "avg")
        function = draw(st.sampled_from(("count", "min", "max", *numeric)))
        calls.append(AggregateCall(function, Column(i), draw(st.booleans())))
        made.append({"count": "integer", "avg": "inexact"}.get(function, kinds[i]))
    named = tuple([(f"a{i}", call) for i, call in enumerate(calls)])
    return Aggregate(plan, tuple([(f"g{i}", Column(i)) for i in groups]), named), (*[kinds[i] for i in groups], *made)


# Translation


def expression_sql(e: Expression, names: list[str], division: str) -> str:
    if isinstance(e, Column):
        return names[e.index]
    if isinstance(e, Constant):
        if isinstance(e.value, str):
            return "'" + e.value.replace("'", "''") + "'"
        return "NULL" if e.value is None else f"({e.value!r})"
    assert isinstance(e, Call)
    args = [expression_sql(a, names, division) for a in e.args]
    match e.function:
        case "and" | "or":
            return "(" + f" {e.function.upper()} ".join(args) + ")"
        case "not":
            return f"(NOT {args[0]})"
        case "neg":
            return f"(- {args[0]})"
        case "is null":
            return f"({args[0]} IS NULL)"
        case "is distinct":
            return f"({args[0]} IS DISTINCT FROM {args[1]})"
        case "in":
            return f"({args[0]} IN ({', '.join(args[1:])}))"
        case "like":
            return f"({args[0]} LIKE {args[1]} ESCAPE '\\')"
        case "case":
            return f"(CASE WHEN {args[0]} THEN {args[1]} ELSE {args[2]} END)"
        case "cast":
            return f"CAST({args[0]} AS TEXT)"
        case "/":
            return f"({args[0]} {division} {args[1]})"
        case "coalesce" | "nullif" | "substr" | "upper" | "length" | "abs":
            return f"{e.function}({', '.join(args)})"
        case symbol:
            return f"({args[0]} {symbol} {args[1]})"


def plan_sql(plan: Plan, division: str) -> str:
    """A SELECT whose columns are named c0, c1, …"""

    def sub(child: Plan, alias: str) -> str:
        return f"({plan_sql(child, division)}) AS {alias}"

    def names(child: Plan, alias: str) -> list[str]:
        return [f"{alias}.c{i}" for i in range(len(columns(child)))]

    def select(expressions: Iterable[str]) -> str:
        return "SELECT " + ", ".join([f"{e} AS c{i}" for i, e in enumerate(expressions)])

    def e(expression: Expression, over: list[str]) -> str:
        return expression_sql(expression, over, division)

    def matching(node: Join | SemiJoin | AntiJoin | Mark) -> str:
        left, right = names(node.left, "l"), names(node.right, "r")
        parts = [f"{e(a, left)} = {e(b, right)}" for a, b in node.on]
        if node.residual is not None:
            parts.append(e(node.residual, left + right))
        return " AND ".join(parts) or "1 = 1"

    match plan:
        case Scan():
            return select(plan.columns) + f" FROM {plan.table}"
        case Filter():
            return f"SELECT * FROM {sub(plan.input, 'l')} WHERE {e(plan.predicate, names(plan.input, 'l'))}"
        case Project():
            over = names(plan.input, "l")
            return select([e(x, over) for _, x in plan.columns]) + f" FROM {sub(plan.input, 'l')}"
        case Join():
            both = select(names(plan.left, "l") + names(plan.right, "r"))
            return f"{both} FROM {sub(plan.left, 'l')} {plan.kind} JOIN {sub(plan.right, 'r')} ON {matching(plan)}"
        case SemiJoin() | AntiJoin():
            no = "NOT " if isinstance(plan, AntiJoin) else ""
            return (
                f"SELECT * FROM {sub(plan.left, 'l')} WHERE {no}EXISTS "
                f"(SELECT 1 FROM {sub(plan.right, 'r')} WHERE {matching(plan)})"
            )
        case Mark():
            assert plan.key is not None
            probe, member = e(plan.key[0], names(plan.left, "l")), e(plan.key[1], names(plan.right, "r"))
            mark = f"{probe} IN (SELECT {member} FROM {sub(plan.right, 'r')} WHERE {matching(plan)})"
            return select([*names(plan.left, "l"), f"({mark})"]) + f" FROM {sub(plan.left, 'l')}"
        case Aggregate():
            over = names(plan.input, "l")
            cells = [e(x, over) for _, x in plan.groups] + [
                f"{call.function}({'DISTINCT ' if call.distinct else ''}{e(call.argument, over)})"
                if call.argument is not None
                else "count(*)"
                for _, call in plan.aggregates
            ]
            by = ", ".join([e(x, over) for _, x in plan.groups])
            return select(cells) + f" FROM {sub(plan.input, 'l')}" + (f" GROUP BY {by}" if by else "")
        case Distinct():
            return f"SELECT DISTINCT * FROM {sub(plan.input, 'l')}"
        case Union():
            words = " UNION ALL " if plan.all else " UNION "
            return words.join([f"SELECT * FROM {sub(p, 'l')}" for p in plan.inputs])
        case Intersect() | Except():
            word = "INTERSECT" if isinstance(plan, Intersect) else "EXCEPT"
            return f"SELECT * FROM {sub(plan.left, 'l')} {word} SELECT * FROM {sub(plan.right, 'r')}"
        case TopK():
            over = names(plan.input, "l")
            direction = [("DESC" if t.descending else "ASC", "FIRST" if t.nulls_first else "LAST") for t in plan.order]
            terms = [
                f"{e(t.expression, over)} {way} NULLS {nulls}"
                for t, (way, nulls) in zip(plan.order, direction, strict=True)
            ]
            assert isinstance(plan.limit, Constant)
            assert isinstance(plan.offset, Constant)
            window = f"LIMIT {plan.limit.value} OFFSET {plan.offset.value}"
            return f"SELECT * FROM {sub(plan.input, 'l')} ORDER BY {', '.join(terms)} {window}"
        case _:
            raise AssertionError(plan)


# The databases

_SQL_TYPES = {"integer": "BIGINT", "real": "DOUBLE", "text": "TEXT"}


def _create(name: str) -> str:
    names, kinds = TABLES[name]
    return f"CREATE TABLE {name} ({', '.join([f'{n} {_SQL_TYPES[k]}' for n, k in zip(names, kinds, strict=True)])})"


def ask_sqlite(plan: Plan, tables: Mapping[str, list[Row]]) -> list[Row]:
    with sqlite3.connect(":memory:") as database:
        database.execute("PRAGMA case_sensitive_like = ON")
        for name, rows in tables.items():
            database.execute(_create(name))
            database.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", rows)
        found = database.execute(plan_sql(plan, "/")).fetchall()
    database.close()
    return found


class DuckDb:
    """One connection for all questions: opening one takes longer than all of them."""

    def __init__(self) -> None:
        self.database = duckdb.connect()
        self.database.execute("SET error_on_division_by_zero = false; SET threads = 1")
        for name in TABLES:
            self.database.execute(_create(name))

    def ask(self, plan: Plan, tables: Mapping[str, list[Row]]) -> list[Row]:
        for name, rows in tables.items():
            self.database.execute(f"DELETE FROM {name}")
            if rows:
                self.database.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", rows)
        return self.database.execute(plan_sql(plan, "//")).fetchall()


def multiset(rows: Iterable[Row]) -> Counter[Row]:
    """Rows as both databases would print them: TRUE is 1, and averages agree to twelve digits."""
    return Counter([tuple([float(f"{c:.12g}") if type(c) is float else c for c in row]) for row in rows])
