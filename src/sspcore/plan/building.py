"""From a builder query's clauses to a plan.

Owns what the clauses mean together, as in SQL: which node stands on which. Refuses to know how clauses are written
(`builder`) and what a name means (`building_scope`).

Expressions are resolved first, over the columns in order of reading; only then is it known which columns the scans
need, and every expression is moved to its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from sspcore.errors import PlanError, did_you_mean
from sspcore.plan.building_scope import Part, Scope, Subquery
from sspcore.plan.catalog import Catalog, find_name
from sspcore.plan.expressions import Call, Column, Constant, Expression, Param, conjunction, conjuncts, shift
from sspcore.plan.nodes import (
    Aggregate,
    AntiJoin,
    Distinct,
    Except,
    Filter,
    Intersect,
    Join,
    Mark,
    Nest,
    OrderTerm,
    Pairs,
    Plan,
    Project,
    SemiJoin,
    TopK,
    Union,
)
from sspcore.plan.terms import Partner, Term, term
from sspcore.plan.traverse import columns, map_call

if TYPE_CHECKING:
    from sspcore.plan.builder import Query

Cells = list[tuple[str, Expression]]
Find = Callable[[str], Callable[[Any], Expression]]
"""From a place (`$.where[0]`) to what a name there means."""


@attrs.frozen
class Core:
    """A query without its order, window and outputs: these are expressions over `plan` with `nests` on it."""

    plan: Plan
    nests: tuple[Callable[[Plan], Plan], ...]
    outputs: Cells
    order: list[OrderTerm]
    wanted: list[Expression]
    """The values of the columns that the outer query asked for."""

    @property
    def nested(self) -> Plan:
        """The plan with its nested columns."""
        plan = self.plan
        for nest in self.nests:
            plan = nest(plan)
        return plan


def lowered(query: Query[Any], catalog: Catalog, path: str, warnings: dict[str, None]) -> Plan:
    """The whole plan of a query."""
    core = Building(query, catalog, path, warnings).core(())
    if query.is_distinct:
        inner = core.nested if query.is_grouped else _projected(core.nested, core.outputs)
        return _limited(query, Distinct(inner), _above(core, path))
    return _projected(_with(core, _limited(query, core.plan, core.order)).nested, core.outputs)


def _with(core: Core, plan: Plan) -> Core:
    return attrs.evolve(core, plan=plan)


class Building:
    """One query on its way to a plan."""

    def __init__(self, query: Query[Any], catalog: Catalog, path: str, warnings: dict[str, None]) -> None:
        self.query, self.catalog, self.path, self.warnings = query, catalog, path, warnings
        self.scope = Scope([self._part(query, "")], warnings)
        for i, join in enumerate(query.joins):
            self.scope.parts.append(self._part(join.other, f".join[{i}]", join.alias))

    def _part(self, query: Query[Any], place: str, alias: str = "") -> Part:
        """What stands in FROM: a table as it is, or a query of its own."""
        path = self.path + place
        if query.source is None and (query is self.query or query.is_plain):
            return Part.of_table(query.table, alias or query.alias or query.table, self.catalog)
        if query is not self.query:
            plan = lowered(query, self.catalog, path, self.warnings)
            return Part.of_plan(plan, alias or query.alias or query.table)
        return Part.of_plan(self._source(query.source, path), query.alias or query.table)

    def _source(self, source: Any, path: str) -> Plan:
        if not hasattr(source, "inputs"):
            return lowered(source, self.catalog, f"{path}.from", self.warnings)
        plans = [
            lowered(q, self.catalog, f"{path}.{source.kind}[{i}]", self.warnings) for i, q in enumerate(source.inputs)
        ]
        widths = [len(columns(plan)) for plan in plans]
        if len(set(widths)) > 1:
            raise PlanError(
                f"{source.kind} of {' and '.join(map(str, widths))} columns", f"{path}.{source.kind}",
                hint="select as many columns on both sides",
            )  # fmt: skip
        if source.kind == "union":
            return Union(tuple(plans), source.all)
        left, right = plans
        if source.all:
            return Intersect(left, right, all=True) if source.kind == "intersect" else Except(left, right, all=True)
        return Intersect(left, right) if source.kind == "intersect" else Except(left, right)

    # The clauses

    def core(self, wanted: Sequence[str]) -> Core:
        """The query but for its order and window; `wanted` are columns the outer query compares with."""
        query, path = self.query, self.path
        if query.groups_where and not query.is_grouped:
            raise PlanError("having without groups", f"{path}.having", hint="use where")
        if query.is_grouped and query.outputs is not None:
            raise PlanError(
                "select beside group_by", f"{path}.select", hint="name the values in group_by and aggregate"
            )
        return self._grouped(wanted) if query.is_grouped else self._flat(wanted)

    def _column(self, place: str) -> Callable[[Any], Expression]:
        return lambda name: self.scope.find(name, self.path + place)

    def _flat(self, wanted: Sequence[str]) -> Core:
        """WHERE, then the outputs; ordered below them, where every column is at hand, unless DISTINCT is between."""
        query, scope = self.query, self.scope
        star = query.outputs is None
        joins = self._joins()
        related = [r.name for r in query.nests]
        if star:
            shown: list[tuple[str, Expression]] = scope.everything()
        else:
            chosen = [(n, t) for n, t in query.outputs or () if n not in related]
            shown = [(n, t.resolve(self._column(f".select.{n}"))) for n, t in chosen]
        known = {} if star else dict(shown)

        def by(name: Any) -> Expression:
            return known[name] if isinstance(name, str) and name in known else self._column(".order_by")(name)

        order = self._order(by)
        where = self._conditions(query.predicates, ".where", self._column)
        ours = [[self._column(f".related.{r.name}.on")(a) for a, _ in r.on] for r in query.nests]
        asked = [self._column("")(name) for name in wanted]
        plan, place = self._from(star, joins, where)
        width = len(columns(plan))
        nests = [self._nest(r, [place(e) for e in left]) for r, left in zip(query.nests, ours, strict=True)]
        outputs = [(n, place(e)) for n, e in shown] + [(n, Column(width + i, n)) for i, n in enumerate(related)]
        terms = [attrs.evolve(t, expression=place(t.expression)) for t in order]
        return Core(plan, tuple(nests), outputs, terms, [place(e) for e in asked])

    def _grouped(self, wanted: Sequence[str]) -> Core:
        query = self.query
        joins = self._joins()
        groups = [(n, t.resolve(self._column(f".group_by.{n}"))) for n, t in query.groups or ()]
        calls = [(n, a.resolve(self._column(f".aggregate.{n}"))) for n, a in query.aggregates]
        where = self._conditions(query.predicates, ".where", self._column)
        below, place = self._from(False, joins, where)
        plan: Plan = Aggregate(
            below,
            tuple([(n, place(e)) for n, e in groups]),
            tuple([(n, map_call(c, place)) for n, c in calls]),
        )
        names = [n for n, _ in groups] + [n for n, _ in calls]

        def output(place: str) -> Callable[[Any], Expression]:
            return lambda name: _position(name, names, self.path + place)

        having = self._conditions(query.groups_where, ".having", output)
        plan = plan if having is None else Filter(plan, having)
        ours = [[output(f".related.{r.name}.on")(a) for a, _ in r.on] for r in query.nests]
        nests = [self._nest(r, left) for r, left in zip(query.nests, ours, strict=True)]
        shown = [(n, Column(i, n)) for i, n in enumerate([*names, *[r.name for r in query.nests]])]
        asked = [output("")(name) for name in wanted]
        return Core(plan, tuple(nests), list(shown), self._order(output(".order_by")), asked)

    def _joins(self) -> list[tuple[str, list[tuple[Expression, Expression]], list[Expression]]]:
        """Kind, equalities and other conditions of every join, over the columns in order of reading."""
        out = []
        for i, join in enumerate(self.query.joins):
            place = f"{self.path}.join[{i}].on"
            before, here, both = range(i + 1), range(i + 1, i + 2), range(i + 2)
            pairs = [(self.scope.find(a, place, before), self.scope.find(b, place, here)) for a, b in join.on]
            find = partial(self.scope.find, place=place, among=both)
            rest: list[Expression] = []
            for t in join.predicates:
                for part in conjuncts(t.resolve(find)):
                    pair = self.scope.equality(part, i + 1)
                    if pair is None:
                        rest.append(part)
                    else:
                        pairs.append(pair)
            out.append((join.kind, pairs, rest))
        return out

    def _from(
        self, star: bool, joins: list[tuple[str, list[tuple[Expression, Expression]], list[Expression]]],
        where: Expression | None,
    ) -> tuple[Plan, Callable[[Expression], Expression]]:  # fmt: skip
        """FROM, the verdicts of EXISTS, and WHERE; with the way from the order of reading to the places here."""
        scope = self.scope
        plan, *others = [part.plan(star) for part in scope.parts]
        offset = len(columns(plan))
        for other, (kind, pairs, rest) in zip(others, joins, strict=True):
            on = tuple([(scope.place(a), shift(scope.place(b), -offset)) for a, b in pairs])
            plan = Join(kind, plan, other, on, conjunction([scope.place(e) for e in rest]))
            offset += len(columns(other))
        tests = conjuncts(where)
        ends: list[Callable[[Plan], Plan]] = []
        for subquery in scope.subqueries:
            end = None
            for test in tests:
                if subquery.uses == 1 and test in (subquery.column, Call("not", (subquery.column,))):
                    end = test
            right, on = self._partners(subquery)
            if end is None:
                scope.settle(subquery, len(columns(plan)))
                plan = Mark(plan, right, "exists", on)
            else:
                tests = [test for test in tests if test is not end]
                node = SemiJoin if end == subquery.column else AntiJoin
                ends.append(lambda below, node=node, right=right, on=on: node(below, right, on))  # type: ignore[misc]
        condition = conjunction([scope.place(test) for test in tests])
        plan = plan if condition is None else Filter(plan, condition)
        for put in ends:
            plan = put(plan)
        return plan, scope.place

    # Other queries

    def _partners(self, subquery: Subquery) -> tuple[Plan, Pairs]:
        """The right side of an EXISTS and its equalities."""
        partner, place = subquery.partner, subquery.path
        inner = partner.query
        if inner.rows is not None or inner.skipped is not None:
            raise PlanError("a limit within exists", place, hint="one row is enough: leave it out")
        child, keys = self._child(partner, place, whole=False)
        left = [self.scope.place(e) for e in subquery.keys]
        return child.plan, tuple(zip(left, keys, strict=True))

    def _nest(self, related: Any, left: list[Expression]) -> Callable[[Plan], Plan]:
        place = f"{self.path}.related.{related.name}"
        child, keys = self._child(related, place, whole=True)
        query = related.query
        form = ("value" if related.one else "values") if related.values else ("object" if related.one else "objects")
        if related.values and len(child.outputs) != 1:
            raise PlanError(f"{len(child.outputs)} columns for plain values", place, hint="select one column")
        cells = tuple(child.outputs)
        if cells == tuple([(n, Column(i)) for i, n in enumerate(columns(child.plan))]):
            cells = ()
        on = tuple(zip(left, keys, strict=True))
        limit, offset = bound(query.rows), bound(query.skipped)
        return lambda plan: Nest(
            plan, child.plan, related.name, on, None, tuple(child.order), limit, offset, cells, form
        )

    def _child(self, spec: Any, place: str, whole: bool) -> tuple[Core, list[Expression]]:
        """A query below this one, with its nested columns in its plan, and what our `on` is equal to over it.

        Through a junction (`via`) the child's rows are joined with the different pairs of keys there, so that a child
        comes once for a parent however many rows of the junction say so.
        """
        theirs = [b for _, b in (spec.on if spec.via is None else spec.then)]
        building = Building(spec.query, self.catalog, place, self.warnings)
        core = building.core(theirs)
        if spec.query.is_distinct:
            cells = [*core.outputs, *[(f"on{i}", e) for i, e in enumerate(core.wanted)]]
            shown = [(n, Column(i, n)) for i, (n, _) in enumerate(core.outputs)]
            asked: list[Expression] = [Column(len(shown) + i) for i in range(len(core.wanted))]
            plan: Plan = Distinct(Project(core.nested, tuple(cells)))
            core = Core(plan, (), list(shown), _above(core, place), asked)
        elif whole:
            core = Core(core.nested, (), core.outputs, core.order, core.wanted)
        if spec.via is None:
            return core, core.wanted
        ours, then = [b for _, b in spec.on], [a for a, _ in spec.then]
        junction = Building(spec.via, self.catalog, f"{place}.via", self.warnings).core([*ours, *then])
        keys: Plan = Project(junction.plan, tuple([(f"k{i}", e) for i, e in enumerate(junction.wanted)]))
        width = len(ours) + len(then)
        on = tuple([(Column(len(ours) + i), e) for i, e in enumerate(core.wanted)])
        joined = Core(
            Join("inner", Distinct(keys) if whole else keys, core.plan, on), (),
            [(n, shift(e, width)) for n, e in core.outputs],
            [attrs.evolve(t, expression=shift(t.expression, width)) for t in core.order], [],
        )  # fmt: skip
        return joined, [Column(i) for i in range(len(ours))]

    # Parts of clauses

    def _conditions(self, predicates: tuple[Term, ...], place: str, column: Find) -> Expression | None:
        resolved = [p.resolve(column(f"{place}[{i}]")) for i, p in enumerate(predicates)]
        return conjunction([part for e in resolved for part in conjuncts(e)])

    def _order(self, column: Callable[[Any], Expression]) -> list[OrderTerm]:
        return [OrderTerm(s.term.resolve(column), s.descending, s.nulls_first) for s in self.query.order]


def _above(core: Core, path: str) -> list[OrderTerm]:
    """The order over the outputs, where DISTINCT hides all else."""
    shown = {e: Column(i, n) for i, (n, e) in reversed(list(enumerate(core.outputs)))}
    for i, t in enumerate(core.order):
        if t.expression not in shown:
            raise PlanError("a value that distinct does not show", f"{path}.order_by[{i}]", hint="select it too")
    return [attrs.evolve(t, expression=shown[t.expression]) for t in core.order]


def _limited(query: Query[Any], plan: Plan, terms: list[OrderTerm]) -> Plan:
    limit, offset = (bound(query.rows), bound(query.skipped))
    if not terms and limit is None and offset is None:
        return plan
    return TopK(plan, tuple(terms), limit, offset)


def _projected(plan: Plan, cells: Cells) -> Plan:
    """The outputs; nothing where they are the input's columns as they are."""
    if cells == [(n, Column(i)) for i, n in enumerate(columns(plan))]:
        return plan
    return Project(plan, tuple(cells))


def _position(name: object, names: list[str], place: str) -> Expression:
    if isinstance(name, Partner):
        raise PlanError("exists above the groups", place, hint="use it in where")
    found = find_name(str(name), names)
    if found is None:
        raise PlanError(f"no group or aggregate is called {name!r}", place, hint=did_you_mean(str(name), names))
    return Column(names.index(found), found)


def bound(value: int | Term | None) -> Constant | Param | None:
    """A limit or an offset as the plan has it."""
    if value is None:
        return None
    resolved = term(value).resolve(lambda name: Column(0, name))
    assert isinstance(resolved, Constant | Param)
    return resolved
