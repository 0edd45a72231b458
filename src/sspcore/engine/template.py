"""Templates: what is known of a query before its parameters have values, worked out once and kept.

Owns the way from a query to its checked plan, remembered by text and by plan, so that the next view of a known query
costs microseconds. Refuses to know rows and which views there are; it is told when names change their meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from sspcore.algebra.values import Value, canonical_key
from sspcore.engine.assumptions import assumptions
from sspcore.engine.candidates import Indexes
from sspcore.engine.crossing import Crossing, crossing_of, without_time
from sspcore.engine.program import Code, compile_plan
from sspcore.engine.query import Catalog, Reading, canonical_params, read_query
from sspcore.engine.schema import Schema
from sspcore.engine.table import Table
from sspcore.errors import UsageError
from sspcore.index.clauses import FALSE, Clause, clause_of, key_of
from sspcore.plan.check import check
from sspcore.plan.expressions import NOW, Call, Column, Constant, Expression, Param, bind, conjunction, conjuncts
from sspcore.plan.interests import interests
from sspcore.plan.join_order import Statistics
from sspcore.plan.nodes import Filter, Nest, Plan, Scan, TopK
from sspcore.plan.optimise import optimise
from sspcore.plan.traverse import bind_plan, children, columns, ordering, params_of, tables_of, walk_plan

MAX_TEXTS: Final = 1_000
"""Texts remembered; the one not used for longest is forgotten first."""
_WORDS: Final = re.compile(r"[\w$]+|\"[^\"]*\"")
_SIMPLE: Final = frozenset({str, int, float, type(None)})


class Template:
    """A checked plan, parameters open, and what follows from it alone: equal plans have the same template.

    Attributes: `plan`, as written; `columns`; `ordered`; `tables` and `stars` (those read by `*`); `params`, the names
    of its parameters; `counts`, those of them that stand in LIMIT or OFFSET.
    """

    __slots__ = (
        "_assumed", "_code", "_crossings", "_interests", "_optimised", "_schemas", "columns", "counts", "indexes",
        "ordered", "params", "plan", "stars", "tables", "uses",
    )  # fmt: skip

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.columns = columns(plan)
        self.ordered = ordering(plan) is not None
        self.tables = frozenset(tables_of(plan))
        self.stars = frozenset(n.table for n in walk_plan(plan) if isinstance(n, Scan) and n.star)
        self.params = frozenset(params_of(plan))
        self.counts = frozenset(
            bound.name
            for node in walk_plan(plan) if isinstance(node, TopK | Nest)
            for bound in (node.limit, node.offset) if isinstance(bound, Param)
        )  # fmt: skip
        self.uses = 0
        """Materialisations there are of it: from the second on it pays to look rows up instead of going over all."""
        self.indexes = Indexes()
        """What its views look rows up in when their parameters move."""
        self._crossings: dict[frozenset[str], Crossing | None] = {}
        self._optimised: Plan | None = None
        self._assumed: Statistics | None = None
        self._schemas: dict[str, Schema] = {}
        """What `_code` and `_interests` were worked out for."""
        self._code: Code | None = None
        self._interests: dict[str, Interest] | None = None

    @property
    def optimised(self) -> Plan:
        """The plan as it runs: what it costs less to keep and means the same. It may read fewer tables."""
        if self._optimised is None:
            self._optimised = optimise(self.plan, self._assumed)
        return self._optimised

    def planned(self, tables: Mapping[str, Table]) -> Plan:
        """`optimised`, for the tables as they are when it is first asked for."""
        if self._optimised is None:
            self._assumed = assumptions(self.plan, tables)
        return self.optimised

    def assumed(self, tables: Mapping[str, Table]) -> Statistics | None:
        """What the plan that runs was chosen for; where it has not been chosen yet, what it would be now."""
        return assumptions(self.plan, tables) if self._optimised is None else self._assumed

    def code(self, tables: Mapping[str, Table]) -> Code:
        """The generated code, made when first asked for and anew when a table has other columns."""
        self._follow(tables)
        if self._code is None:
            self._code = compile_plan(self.planned(tables), lambda name: tables[name].schema)
        return self._code

    def interests(self, tables: Mapping[str, Table]) -> dict[str, Interest]:
        """Per table that it reads when it runs: what rows the plan can depend on, parameters open."""
        self._follow(tables)
        if self._interests is None:
            found = filtered(self.planned(tables), lambda name: tables[name].names)
            timeless = {name: without_time(condition) for name, condition in found.items()}
            self._interests = {name: Interest(timeless[name], tables[name].names) for name in found}
        return self._interests

    def _follow(self, tables: Mapping[str, Table]) -> None:
        """Forget what was worked out for other columns than the tables have now."""
        schemas = self._schemas
        for name in self.tables:
            if schemas.get(name) is not tables[name].schema:
                self._schemas = {name: tables[name].schema for name in self.tables}
                self._code = self._interests = None
                return

    def crossing(self, moving: frozenset[str], tables: Mapping[str, Table]) -> Crossing | None:
        """How a change of these parameters reaches the plan; None when that cannot be told by rows of one table."""
        if moving not in self._crossings:
            self._crossings[moving] = crossing_of(self.planned(tables), moving)
        found = self._crossings[moving]
        if found is None or found.direct or self.interests(tables)[found.table].condition is None:
            return found
        return None  # operators below the filter may hold rows that are no longer kept current for this view


def filtered(plan: Plan, columns_of: Callable[[str], Sequence[str]]) -> dict[str, Expression | None]:
    """Per table a condition that holds for every row which gets past the filters right over its scans; None: any may.

    That is the plan's interest once it is optimised, or weaker, and never more than what no operator's state has seen:
    a row outside may change without the plan being told.
    """
    found: dict[str, dict[Expression, None] | None] = {}

    def visit(node: Plan, above: list[Expression]) -> None:
        if isinstance(node, Filter):
            visit(node.input, [node.predicate, *above])
        elif isinstance(node, Scan):
            whole = conjunction(above)
            held = found.setdefault(node.table, {})
            condition = None if whole is None else interests(Filter(node, whole), columns_of)[node.table]
            if condition is None or held is None:
                found[node.table] = None
            else:
                held[condition] = None
        else:
            for child in children(node):
                visit(child, [])

    visit(plan, [])
    return {table: None if each is None else _any_of(list(each)) for table, each in found.items()}


def _any_of(conditions: list[Expression]) -> Expression:
    return conditions[0] if len(conditions) == 1 else Call("or", tuple(conditions))


class Interest:
    """What rows of one table a plan can depend on: all (`condition` None), or those a condition holds for.

    `column` and `value`: the rows it can depend on have this value in this column, where that is so.
    """

    __slots__ = ("_index", "column", "condition", "value")

    def __init__(self, condition: Expression | None, names: Sequence[str]) -> None:
        self.condition = condition
        self.column: str | None = None
        self.value: Constant | Param | None = None
        self._index: int | None = None
        """The place of `column`, where its value is all there is to the condition."""
        for part in conjuncts(condition):
            match part:
                case Call("=", (Column(index), Constant() | Param() as value)) | Call(
                    "=", (Constant() | Param() as value, Column(index))
                ):
                    self.column, self.value = names[index], value
                    self._index = index if part is condition else None
                    return

    def clause(self, params: Mapping[str, Value]) -> Clause | None:
        """What a reader with these parameters is filed under; None: every row concerns it."""
        if self.condition is None:
            return None
        if self._index is None or not isinstance(self.value, Param):
            return clause_of(bind(self.condition, params))
        value = params[self.value.name]
        return FALSE if value is None else ("=", self._index, key_of(value))


@attrs.frozen
class Understood:
    """A template, the parameters' canonical values, and warnings for people."""

    template: Template
    params: dict[str, Value]
    warnings: tuple[str, ...]
    inlines: bool = False
    """The query reads a view, whose plan is now part of this one."""

    @property
    def plan(self) -> Plan:
        """The checked plan, parameters not yet bound."""
        return self.template.plan


class Templates:
    """The templates of one set of tables and views.

    >>> from sspcore.engine.query import Catalog
    >>> templates, catalog = Templates(), Catalog({}, False)
    >>> one = templates.understand("SELECT id FROM t WHERE x > $x", {"x": 1}, catalog, {})
    >>> two = templates.understand("SELECT id FROM t WHERE x > $x", {"x": 2}, catalog, {})
    >>> one.template is two.template, two.params
    (True, {'x': 2})
    """

    __slots__ = ("_by_plan", "_by_word", "_readings")

    def __init__(self) -> None:
        self._readings: dict[str | int, tuple[Template, Reading, object]] = {}
        self._by_word: dict[str, set[str | int]] = {}
        self._by_plan: dict[tuple[Plan, frozenset[str]], Template] = {}

    def understand(
        self, query: object, params: Mapping[str, Any] | None, catalog: Catalog, views: Mapping[str, Plan],
        now: datetime | None = None,
    ) -> Understood:  # fmt: skip
        """What a query means, with a canonical value for every parameter; that of `$now` is `now`.

        Raises SqlError, PlanError or UsageError (the caller's). Cost: microseconds for a text or plan known.
        """
        template, reading = self._read(query, catalog, views)
        if params and NOW in params:
            raise UsageError(f"${NOW} is not given: the circuit tells the time", hint="move it with advance(now)")
        if NOW in template.params:
            params = {**(params or {}), NOW: now}
        values = canonical_params(template.params, reading.written, params) if params or template.params else {}
        if template.counts:
            check(bind_plan(template.plan, values))  # only now can a LIMIT that is a parameter be judged
        return Understood(template, values, reading.warnings, reading.inlines)

    def read(self, query: object, catalog: Catalog, views: Mapping[str, Plan]) -> Reading:
        """The checked plan of a query, its parameters open. Raises as `understand` does."""
        return self._read(query, catalog, views)[1]

    def of_plan(self, plan: Plan) -> Template:
        """The template of a checked plan. Cost: O(plan)."""
        if len(self._by_plan) >= MAX_TEXTS:
            del self._by_plan[next(iter(self._by_plan))]
        template = Template(plan)
        return self._by_plan.setdefault((plan, template.stars), template)

    def forget(self, name: str | None = None) -> None:
        """A view's name has another meaning now: forget the queries that may mean it; None: forget all."""
        if name is None:
            self._readings.clear()
            self._by_word.clear()
            return
        for known in self._by_word.pop(name.casefold(), ()):
            self._readings.pop(known, None)

    def _read(self, query: object, catalog: Catalog, views: Mapping[str, Plan]) -> tuple[Template, Reading]:
        """What a query means, remembered for texts by what they say, and for plans by which object they are."""
        known: tuple[Template, Reading, object] | None
        if isinstance(query, str):
            name: str | int = query
        elif isinstance(query, Plan):
            name = id(query)
        else:  # a builder query, or a mapping that may change
            reading = read_query(query, catalog, views)
            return self.of_plan(reading.plan), reading
        known = self._readings.pop(name, None)
        if known is None:
            reading = read_query(query, catalog, views)
            known = self.of_plan(reading.plan), reading, query
            self._note(name, query, known[0])
        self._readings[name] = known  # the last place: used most recently
        return known[0], known[1]

    def _note(self, name: str | int, query: object, template: Template) -> None:
        """File a query under every word of it that may name a view, and make room."""
        while len(self._readings) >= MAX_TEXTS:
            del self._readings[next(iter(self._readings))]
        if len(self._by_word) > 20 * MAX_TEXTS:
            self.forget()
        words = _WORDS.findall(query.casefold()) if isinstance(query, str) else template.tables
        for word in words:
            self._by_word.setdefault(word.strip('"').casefold(), set()).add(name)


def sharing_key(template: Template, params: Mapping[str, Value]) -> object | None:
    """Equal for views that are one: the same template and the same values. None for values that are not told apart
    so easily (lists, decimals, …): such views are kept apart."""
    key: list[object] = [template]
    for name in sorted(params) if len(params) > 1 else params:
        if name == NOW:
            continue  # the same for all
        value = params[name]
        if type(value) not in _SIMPLE:
            return None
        key.append((type(value), canonical_key(value)))
    return tuple(key)
