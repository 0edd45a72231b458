"""Templates: what is known of a query before its parameters have values, worked out once and kept.

Owns the way from a query to its checked plan, remembered by text and by plan, so that the next view of a known query
costs microseconds. Refuses to know rows and which views there are; it is told when names change their meaning. What it
means is read in the library, which circuits may share; a template is one circuit's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sspcore.algebra.values import Value, canonical_key
from sspcore.engine.arrangement import PLAIN, Buckets
from sspcore.engine.assumptions import assumptions
from sspcore.engine.candidates import Indexes
from sspcore.engine.crossing import Crossing
from sspcore.engine.interest import Interest
from sspcore.engine.library import MAX_TEXTS, Blueprint, Laid, Library, Meaning, Planned
from sspcore.engine.program import Code
from sspcore.engine.query import Catalog, Reading, canonical_params
from sspcore.engine.table import Row, Table
from sspcore.errors import UsageError
from sspcore.plan.check import check
from sspcore.plan.expressions import NOW
from sspcore.plan.join_order import Statistics
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import bind_plan

_NO_ROWS: Final[Mapping[Any, Row]] = MappingProxyType({})
_SIMPLE: Final = frozenset({str, int, float, type(None)})


class Template:
    """A blueprint at work over the tables of one circuit: equal plans have the same template there.

    Attributes: `plan`, `columns`, `ordered`, `tables`, `stars`, `params`, `counts`: its blueprint's.
    """

    __slots__ = (
        "_laid", "_planned", "blueprint", "columns", "counts", "held", "indexes", "ordered", "params", "plan",
        "sorted_params", "stars", "tables", "timed", "uses",
    )  # fmt: skip

    def __init__(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self.plan = blueprint.plan
        self.columns = blueprint.columns
        self.ordered = blueprint.ordered
        self.tables = blueprint.tables
        self.stars = blueprint.stars
        self.params = blueprint.params
        self.sorted_params = sorted(blueprint.params)
        self.timed = NOW in blueprint.params
        self.counts = blueprint.counts
        self.uses = 0
        """Materialisations there are of it: from the second on it pays to look rows up instead of going over all."""
        self.indexes = Indexes()
        """What its views look rows up in when their parameters move."""
        self.held: dict[str, tuple[Table, tuple[str, ...], Buckets]] = {}
        """Arrangements in which its views look up the rows they can depend on."""
        self._planned: Planned | None = None
        self._laid: Laid | None = None

    @property
    def optimised(self) -> Plan:
        """The plan as it runs: what it costs less to keep and means the same. It may read fewer tables."""
        if self._planned is None:
            self._planned = self.blueprint.planned(None)
        return self._planned.plan

    def planned(self, tables: Mapping[str, Table]) -> Plan:
        """`optimised`, for the tables as they are when it is first asked for."""
        if self._planned is None:
            self._planned = self.blueprint.planned(assumptions(self.plan, tables))
        return self._planned.plan

    def assumed(self, tables: Mapping[str, Table]) -> Statistics | None:
        """What the plan that runs was chosen for; where it has not been chosen yet, what it would be now."""
        return assumptions(self.plan, tables) if self._planned is None else self._planned.assumed

    def code(self, tables: Mapping[str, Table]) -> Code:
        """The generated code, made when first asked for and anew when a table has other columns."""
        return self.over(tables).code

    def interests(self, tables: Mapping[str, Table]) -> dict[str, Interest]:
        """Per table that it reads when it runs: what rows the plan can depend on, parameters open."""
        return self.over(tables).interests

    def over(self, tables: Mapping[str, Table]) -> Laid:
        """The plan over the tables as they are laid out now."""
        laid = self._laid
        if laid is not None:
            schemas = laid.schemas
            for name in self.tables:
                if tables[name].schema is not schemas[name]:
                    break
            else:
                return laid
        self.planned(tables)
        assert self._planned is not None
        laid = self._laid = self._planned.laid({name: tables[name].schema for name in self.tables})
        return laid

    def rows(self, name: str, tables: Mapping[str, Table], params: Mapping[str, Value]) -> Mapping[Any, Row]:
        """The rows of a table that a value with these parameters can depend on, looked up once it is worth it."""
        held = self.held.get(name)
        if held is None and self.uses < 2:
            return tables[name].rows
        interest = self.over(tables).interests[name]
        columns = interest.columns
        if columns is None:
            return tables[name].rows
        if held is None or held[1] != columns:  # other ones since the table is wider
            table = tables[name]
            index = table.arrange(columns)
            if held is not None:
                table.release(held[1])
            held = self.held[name] = table, columns, index
        return held[2].get(interest.key(params), _NO_ROWS)

    def leave(self) -> None:
        """A materialisation of it less; the last one takes along what they held of the tables."""
        self.uses -= 1
        if not self.uses:
            self.indexes.release()
            for table, columns, _ in self.held.values():
                table.release(columns)
            self.held = {}

    def crossing(self, moving: frozenset[str], tables: Mapping[str, Table]) -> Crossing | None:
        """How a change of these parameters reaches the plan; None when that cannot be told by rows of one table."""
        self.planned(tables)
        assert self._planned is not None
        found = self._planned.crossing(moving)
        if found is None or found.direct or self.interests(tables)[found.table].condition is None:
            return found
        return None  # operators below the filter may hold rows that are no longer kept current for this view


_new_tuple: Any = tuple.__new__
"""Makes a named tuple without the wrapper around its constructor."""


class Understood(NamedTuple):
    """A template, the parameters' canonical values, and warnings for people.

    `inlines`: the query reads a view, whose plan is now part of this one.
    """

    template: Template
    params: dict[str, Value]
    warnings: tuple[str, ...]
    inlines: bool = False

    @property
    def plan(self) -> Plan:
        """The checked plan, parameters not yet bound."""
        return self.template.plan


class Templates:
    """The templates of one set of tables and views.

    Args: `library`, where queries are read; one of its own when not given.

    >>> from sspcore.engine.query import Catalog
    >>> templates, catalog = Templates(), Catalog({}, False)
    >>> one = templates.understand("SELECT id FROM t WHERE x > $x", {"x": 1}, catalog, {})
    >>> two = templates.understand("SELECT id FROM t WHERE x > $x", {"x": 2}, catalog, {})
    >>> one.template is two.template, two.params
    (True, {'x': 2})
    """

    __slots__ = ("_by_name", "_by_plan", "_known", "_named", "library")

    def __init__(self, library: Library | None = None) -> None:
        self.library = Library() if library is None else library
        self._known: dict[str | int, tuple[Template, Reading, object]] = {}
        """By text, or which object a plan is: as long as it is held here, nothing else has its identity."""
        self._by_name: dict[str, set[str | int]] = {}
        """What is known by what it asks for: names of tables and views, but for case."""
        self._by_plan: dict[Blueprint, Template] = {}
        self._named: dict[str, tuple[str, ...]] = {}
        """The ids of views, by what they are but for case."""

    def understand(
        self, query: object, params: Mapping[str, Any] | None, catalog: Catalog, views: Mapping[str, Plan],
        now: datetime | None = None,
    ) -> Understood:  # fmt: skip
        """What a query means, with a canonical value for every parameter; that of `$now` is `now`.

        Raises SqlError, PlanError or UsageError (the caller's). Cost: microseconds for a text or plan known.
        """
        template, reading = self._read(query, catalog, views)
        wanted = template.params
        if params and NOW in params:
            raise UsageError(f"${NOW} is not given: the circuit tells the time", hint="move it with advance(now)")
        if template.timed:
            params = {**(params or {}), NOW: now}
        values = canonical_params(wanted, reading.written, params) if params or wanted else {}
        if template.counts:
            check(bind_plan(template.plan, values))  # only now can a LIMIT that is a parameter be judged
        made: Understood = _new_tuple(Understood, (template, values, reading.warnings, reading.inlines))
        return made

    def read(self, query: object, catalog: Catalog, views: Mapping[str, Plan]) -> Reading:
        """The checked plan of a query, its parameters open. Raises as `understand` does."""
        return self._read(query, catalog, views)[1]

    def of_plan(self, plan: Plan) -> Template:
        """The template of a checked plan. Cost: O(plan)."""
        return self._of(self.library.blueprint(plan))

    def _of(self, blueprint: Blueprint) -> Template:
        template = self._by_plan.get(blueprint)
        if template is None:
            if len(self._by_plan) >= MAX_TEXTS:
                del self._by_plan[next(iter(self._by_plan))]
            template = self._by_plan[blueprint] = Template(blueprint)
        return template

    def named(self, view: str) -> None:
        """There is a view of this name, or it has another plan now: forget the queries that may mean it."""
        folded = view.casefold()
        alike = self._named.get(folded, ())
        if view not in alike:
            self._named[folded] = (*alike, view)
        if folded in self._by_name:
            self._forget(folded)

    def unnamed(self, view: str) -> None:
        """There is no view of this name any more: forget the queries that may mean it."""
        folded = view.casefold()
        alike = self._named.pop(folded)
        if len(alike) > 1:
            self._named[folded] = tuple([other for other in alike if other != view])
        if folded in self._by_name:
            self._forget(folded)

    def forget(self) -> None:
        """Names of tables may mean something else now: what is known is to be looked up in the library."""
        self._known.clear()
        self._by_name.clear()

    def _forget(self, folded: str) -> None:
        for known in self._by_name.pop(folded):
            self._known.pop(known, None)

    def _read(self, query: object, catalog: Catalog, views: Mapping[str, Plan]) -> tuple[Template, Reading]:
        """What a query means, remembered for texts by what they say, and for plans by which object they are."""
        name: Any = query if isinstance(query, str) else id(query) if isinstance(query, Plan) else None
        known = self._known.pop(name, None)
        if known is None:
            meaning = self.library.read(query, catalog, views, self._named)
            known = self._of(meaning.blueprint), meaning.reading, query
            if name is None:  # a builder query, or a mapping that may change
                return known[0], known[1]
            self._note(name, meaning)
        self._known[name] = known  # the last place: used most recently
        return known[0], known[1]

    def _note(self, name: str | int, meaning: Meaning) -> None:
        """File a query under every name it asked for, and make room."""
        while len(self._known) >= MAX_TEXTS:
            del self._known[next(iter(self._known))]
        if len(self._by_name) > 20 * MAX_TEXTS:
            self.forget()
        for asked in (*meaning.tables, *meaning.views):
            self._by_name.setdefault(asked.casefold(), set()).add(name)


def sharing_key(template: Template, params: Mapping[str, Value]) -> object | None:
    """Equal for views that are one: the same template and the same values. None for values that are not told apart
    so easily (lists, decimals, …): such views are kept apart."""
    names = template.sorted_params
    if len(names) == 1:  # the commonest
        value = params[names[0]]
        if type(value) in PLAIN and not template.timed:
            return template, type(value), value
    key: list[object] = [template]
    for name in names:
        if name == NOW:
            continue  # the same for all
        value = params[name]
        kind = type(value)
        if kind not in _SIMPLE:
            return None
        key.append(kind)
        key.append(canonical_key(value) if kind is float else value)
    return tuple(key)
