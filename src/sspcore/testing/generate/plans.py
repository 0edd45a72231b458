"""Plans: random trees of every node kind, small enough to recompute after each step.

Owns the mix: how often each node, self-joins and three occurrences of one table come up, and what keeps results
from being empty. Refuses to know how plans are run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from sspcore.algebra.values import Value
from sspcore.engine.schema import Schema
from sspcore.plan import nodes, traverse
from sspcore.plan.expressions import Call, Column, Constant, Expression, Param
from sspcore.plan.nodes import Plan
from sspcore.testing.generate import values
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.expressions import NUMBERS, column, lenient, predicate, scalar
from sspcore.testing.generate.recursions import recursive

Kinds = tuple[str, ...]

UNARY: Final = ((6, "filter"), (4, "project"), (6, "aggregate"), (3, "distinct"), (7, "topk"), (3, "rank"))
BINARY: Final = (
    (10, "join"), (3, "semi"), (4, "anti"), (5, "mark"), (4, "nest"),
    (3, "union"), (3, "union all"), (3, "intersect"), (3, "except"), (4, "recursive"),
)  # fmt: skip
CALLS: Final = (
    (4, "count"), (4, "sum"), (3, "avg"), (4, "min"), (4, "max"), (2, "bool_and"), (1, "bool_or"), (3, "array_agg"),
    (3, "string_agg"), (1, "stddev_samp"), (1, "stddev_pop"), (1, "var_samp"), (1, "var_pop"),
)  # fmt: skip
WANTED: Final = {
    "sum": NUMBERS, "avg": NUMBERS, "bool_and": ("boolean",), "bool_or": ("boolean",), "string_agg": ("text",),
    "stddev_samp": NUMBERS, "stddev_pop": NUMBERS, "var_samp": NUMBERS, "var_pop": NUMBERS,
}  # fmt: skip
RESULTS: Final = {
    "count": "integer", "bool_and": "boolean", "bool_or": "boolean", "string_agg": "text", "sum": "", "min": "",
    "max": "",
}  # fmt: skip
"""The kind of an aggregate's value; its argument's where it is empty, any for the others."""


@attrs.frozen
class Sub:
    """A plan with what is known of it: the kind of each column, and how many scans feed it."""

    plan: Plan
    kinds: Kinds
    scans: int


@attrs.define
class Planner:
    """Draws plans over the schemas. At most `scans` occurrences of tables in one plan."""

    choices: Choices
    schemas: Sequence[Schema]
    last: Schema | None = None

    def plan(self, scans: int, depth: int = 4) -> Sub:
        """A plan of at most so many occurrences of tables."""
        c = self.choices
        if depth <= 0 or (depth < 4 and c.chance(22)):
            return self.leaf()
        if scans >= 2 and c.chance(58):
            form = c.weighted(BINARY)
            right = c.between(1, scans - 1)
            return self.binary(form, self.plan(scans - right, depth - 1), self.plan(right, depth - 1))
        return self.unary(c.weighted(UNARY), self.plan(scans, depth - 1))

    def leaf(self) -> Sub:
        """A scan, as often as not of the table scanned last (self-joins); seldom constant rows."""
        c = self.choices
        if c.chance(6):
            kinds = tuple([values.kind(c) for _ in range(c.between(1, 2))])
            rows = [tuple([Constant(values.value(c, k)) for k in kinds]) for _ in range(c.between(1, 3))]
            return Sub(nodes.Values(tuple([f"v{i}" for i in range(len(kinds))]), tuple(rows)), kinds, 1)
        schema = self.last = self.last if self.last is not None and c.chance(50) else c.pick(self.schemas)
        known = dict(schema.columns)
        if schema.open:
            known |= dict.fromkeys(("u", "v", "w"), "any")  # some name no column yet: NULL until the table grows it
        names = c.some(sorted(known), 2, 4)
        return Sub(nodes.Scan(schema.table, tuple(names)), tuple([known[n] for n in names]), 1)

    def unary(self, form: str, sub: Sub) -> Sub:
        c = self.choices
        if form == "filter":
            test = predicate(c, sub.kinds)
            if c.chance(65 if isinstance(sub.plan, nodes.Scan) else 92):
                test = Call("or", (test, lenient(c, sub.kinds)))
            return Sub(nodes.Filter(sub.plan, test), sub.kinds, sub.scans)
        if form == "project":
            cells = [scalar(c, sub.kinds) for _ in range(c.between(1, 3))]
            named = tuple([(f"p{i}", e) for i, (e, _) in enumerate(cells)])
            return Sub(nodes.Project(sub.plan, named), tuple([kind for _, kind in cells]), sub.scans)
        if form == "distinct":
            return Sub(nodes.Distinct(self.narrow(sub, 2).plan), self.narrow_kinds, sub.scans)
        if form == "aggregate":
            return self.aggregate(sub)
        return self.rank(sub) if form == "rank" else self.topk(sub)

    narrow_kinds: Kinds = ()

    def narrow(self, sub: Sub, width: int, kinds: Kinds | None = None, among: Sequence[str] = ()) -> Sub:
        """The input cut to so many columns (of the given kinds where it has them), so that rows coincide."""
        c = self.choices
        wanted: Sequence[str | None] = kinds if kinds is not None else [None] * c.between(1, width)
        cells = [column(c, sub.kinds, among if want is None else (want,)) for want in wanted]
        self.narrow_kinds = tuple([kind for _, kind in cells])
        named = tuple([(f"n{i}", e) for i, (e, _) in enumerate(cells)])
        return Sub(nodes.Project(sub.plan, named), self.narrow_kinds, sub.scans)

    def tested(self, sub: Sub) -> Sub:
        """Only whether each column is NULL: what inputs of any kinds have in common."""
        tests = tuple([(f"n{i}", Call("is null", (Column(i),))) for i in range(len(sub.kinds))])
        return Sub(nodes.Project(sub.plan, tests), ("boolean",) * len(tests), sub.scans)

    def aggregate(self, sub: Sub) -> Sub:
        c = self.choices
        groups = [scalar(c, sub.kinds) if c.chance(20) else column(c, sub.kinds) for _ in range(c.weighted(
            ((5, 1), (2, 0), (3, 2))))]  # fmt: skip
        calls, kinds = [], []
        for i in range(c.weighted(((6, 1), (5, 2), (5, 3), (2, 0)))):
            function = c.weighted(CALLS)
            if function == "count" and c.chance(50):
                calls.append((f"a{i}", nodes.AggregateCall("count")))
                kinds.append("integer")
                continue
            wanted = WANTED.get(function, ())
            argument, kind = column(c, sub.kinds, wanted) if c.chance(80) else scalar(c, sub.kinds)
            call = nodes.AggregateCall(function, argument, c.chance(20))
            calls.append((f"a{i}", self.listed(call, sub.kinds) if function in nodes.LISTS else call))
            kinds.append(RESULTS.get(function, "any") or kind)
        named = tuple([(f"g{i}", e) for i, (e, _) in enumerate(groups)])
        plan = nodes.Aggregate(sub.plan, named, tuple(calls))
        if not named and not calls:  # a row of no columns; all else here takes one
            return Sub(nodes.Project(plan, (("one", Constant(1)),)), ("integer",), sub.scans)
        return Sub(plan, tuple([kind for _, kind in groups] + kinds), sub.scans)

    def listed(self, call: nodes.AggregateCall, kinds: Kinds) -> nodes.AggregateCall:
        """An ordered aggregate with its order, its separator, its condition."""
        c = self.choices
        order = self.terms(kinds) if c.chance(60) else ()
        if call.distinct and call.argument is not None:
            order = tuple([attrs.evolve(t, expression=call.argument) for t in order[:1]])
        if call.function == "string_agg":
            between = c.weighted(((5, Constant(", ")), (1, Constant("")), (1, Constant(None)), (1, None)))
            return attrs.evolve(call, order=order, separator=between)
        return attrs.evolve(call, order=order, where=predicate(c, kinds, 1) if c.chance(30) else None)

    def terms(self, kinds: Kinds) -> tuple[nodes.OrderTerm, ...]:
        """What to order by."""
        c, terms = self.choices, []
        for _ in range(c.weighted(((4, 1), (3, 2), (1, 0)))):
            by = scalar(c, kinds)[0] if c.chance(15) else column(c, kinds)[0]
            terms.append(nodes.OrderTerm(by, c.chance(45), c.chance(35)))
        return tuple(terms)

    def parts(self, kinds: Kinds) -> tuple[Expression, ...]:
        """What makes partitions."""
        c = self.choices
        count = c.weighted(((6, 1), (1, 2)))
        return tuple([column(c, kinds)[0] if c.chance(80) else scalar(c, kinds)[0] for _ in range(count)])

    def rank(self, sub: Sub) -> Sub:
        c = self.choices
        partition = self.parts(sub.kinds) if c.chance(70) else ()
        bound = Constant(c.weighted(((4, 1), (4, 2), (4, 3), (1, 0), (1, 2.5)))) if c.chance(60) else None
        plan = nodes.Rank(sub.plan, "place", c.pick(nodes.RANKS), partition, self.terms(sub.kinds), bound)
        return Sub(plan, (*sub.kinds, "integer"), sub.scans)

    def topk(self, sub: Sub) -> Sub:
        c = self.choices
        terms = self.terms(sub.kinds)
        partition = self.parts(sub.kinds) if c.chance(20) else ()
        limit = Constant(c.weighted(((12, 3), (10, 2), (6, 1), (12, 5), (8, 8), (1, 0)))) if c.chance(75) else None
        offset = Constant(c.weighted(((7, 1), (2, 2), (1, 0)))) if c.chance(30) else None
        return Sub(nodes.TopK(sub.plan, terms, limit, offset, partition), sub.kinds, sub.scans)

    def binary(self, form: str, left: Sub, right: Sub) -> Sub:
        c = self.choices
        scans = left.scans + right.scans
        if form.startswith("union"):
            first = self.narrow(left, 3)
            second = self.narrow(right, 3, first.kinds)
            inputs: tuple[Plan, ...] = (first.plan, second.plan)
            if c.chance(25):
                extra = self.narrow(self.leaf(), 3, first.kinds)
                inputs, scans = (*inputs, extra.plan), scans + 1
            return Sub(nodes.Union(inputs, form == "union all"), _merged(first.kinds, second.kinds), scans)
        if form in ("intersect", "except"):
            first = self.narrow(left, 2 if form == "except" else 1, among=_shared(left, right))
            second = self.narrow(right, 2, first.kinds)
            if form == "intersect" and not all(map(_meet, first.kinds, second.kinds)):
                first, second = self.tested(first), self.tested(second)
            node = nodes.Intersect if form == "intersect" else nodes.Except
            return Sub(node(first.plan, second.plan, c.chance(40)), first.kinds, scans)
        if form == "recursive":
            plan, kinds = recursive(c, left.plan, left.kinds, right.plan, right.kinds)
            return Sub(plan, kinds, scans)
        on = self.pairs(left, right)
        both = left.kinds + right.kinds
        residual = None
        if c.chance(22) or (not on and c.chance(50)):
            residual = lenient(c, both) if c.chance(40) else predicate(c, both, 1)
        if form == "join":
            kind = c.weighted(((4, "inner"), (4, "left"), (2, "right"), (3, "full")))
            return Sub(nodes.Join(kind, left.plan, right.plan, on, residual), both, scans)
        if form == "semi":
            if c.chance(35):  # a condition beside equality finds partners more often than not
                on, residual = (), lenient(c, both)
            return Sub(nodes.SemiJoin(left.plan, right.plan, on, residual), left.kinds, scans)
        if form == "anti":
            return Sub(nodes.AntiJoin(left.plan, self.thinned(right), on, residual), left.kinds, scans)
        if form == "nest":
            return self.nest(left, right, on, residual)
        return self.mark(left, right, on, residual, scans)

    def nest(self, left: Sub, right: Sub, on: nodes.Pairs, residual: Expression | None) -> Sub:
        """Children in every form, windowed as often as not; now and then a level below the level."""
        c = self.choices
        form = c.weighted(((6, "objects"), (3, "values"), (2, "object"), (2, "value")))
        kind, cells = "json", []
        if form in ("values", "value"):
            cell, only = column(c, right.kinds) if c.chance(70) else scalar(c, right.kinds)
            kind = only if form == "value" else kind
            cells = [("c", cell)]
        elif c.chance(40) or len(set(traverse.columns(right.plan))) < len(right.kinds):
            cells = [(f"c{i}", column(c, right.kinds)[0]) for i in range(c.between(1, 3))]
        order = self.topk(right).plan
        assert isinstance(order, nodes.TopK)
        plan = nodes.Nest(
            left.plan, right.plan, "kids", on, residual, order.order, order.limit, order.offset,
            tuple(cells), form, c.chance(15),
        )  # fmt: skip
        return Sub(plan, (*left.kinds, kind), left.scans + right.scans)

    def mark(self, left: Sub, right: Sub, on: nodes.Pairs, residual: Expression | None, scans: int) -> Sub:
        """A mark, with a filter on it as often as not (IN and EXISTS under OR and NOT)."""
        c = self.choices
        key = None
        if c.chance(65):
            probe, kind = column(c, left.kinds)
            key = (probe, column(c, right.kinds, (kind,))[0])
            on = on if c.chance(30) else ()
        plan: Plan = nodes.Mark(left.plan, right.plan, "m", on, residual, key)
        kinds = (*left.kinds, "boolean")
        if c.chance(40):
            mark = Column(len(left.kinds))
            test = Call("not", (mark,)) if c.chance(30) else mark
            plan = nodes.Filter(plan, Call("or", (test, predicate(c, kinds, 0))))
        return Sub(plan, kinds, scans)

    def pairs(self, left: Sub, right: Sub) -> nodes.Pairs:
        """Equalities between columns of like kinds; none (a theta join) only over few rows."""
        c = self.choices
        count = c.weighted(((70, 1), (15, 2), (15 if left.scans + right.scans == 2 else 0, 0)))
        out = []
        for _ in range(count):
            a, kind = column(c, left.kinds, _shared(left, right))
            if c.chance(10):
                a, kind = scalar(c, left.kinds)
            b, other = column(c, right.kinds, (kind,))
            if not _meet(kind, other) and c.chance(80):  # kinds that never are equal: pair what the two can share
                a, b = Call("is null", (a,)), Call("is null", (b,))
            out.append((a, b))
        return tuple(out)

    def thinned(self, sub: Sub) -> Plan:
        """Few of the input's rows, so that an anti-join leaves something."""
        subject, kind = column(self.choices, sub.kinds)
        if self.choices.chance(40):
            return sub.plan
        return nodes.Filter(sub.plan, Call("=", (subject, Constant(values.value(self.choices, kind, nulls=0)))))


def _shared(left: Sub, right: Sub) -> list[str]:
    """Kinds both inputs have; those of small domains alone, where there are any."""
    both = [kind for kind in left.kinds if kind in right.kinds]
    return [kind for kind in both if kind in ("boolean", "integer", "text")] or both


def _meet(a: str, b: str) -> bool:
    """May values of the two kinds be equal at all?"""
    return a == b or "any" in (a, b) or (a in NUMBERS and b in NUMBERS)


def _merged(first: Kinds, second: Kinds) -> Kinds:
    return tuple([a if a == b else "any" for a, b in zip(first, second, strict=True)])


def plan(c: Choices, schemas: Sequence[Schema], scans: int = 4) -> Plan:
    """A random plan over these tables."""
    return Planner(c, schemas).plan(c.between(1, scans)).plan


def lift(c: Choices, plan: Plan, percent: int = 12) -> tuple[Plan, dict[str, Value]]:
    """The plan with some constants of its predicates turned into parameters, and their values."""
    params: dict[str, Value] = {}

    def change(e: Expression) -> Expression:
        if isinstance(e, Constant) and c.chance(percent):
            name = f"p{len(params)}"
            params[name] = e.value
            return Param(name)
        if isinstance(e, Call):  # the type to cast to is no value
            fixed = 1 if e.function == "cast" else len(e.args)
            return Call(e.function, tuple([change(a) if i < fixed else a for i, a in enumerate(e.args)]))
        return e

    def node(p: Plan) -> Plan:
        p = traverse.with_children(p, tuple([node(child) for child in traverse.children(p)]))
        if isinstance(p, nodes.Filter):
            return traverse.map_expressions(p, change)
        return p

    return node(plan), params
