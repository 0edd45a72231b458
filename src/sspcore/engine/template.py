"""Templates: what is known of a query before its parameters have values, worked out once and kept.

Owns the way from a query to its checked plan, remembered by text and by plan, so that the next view of a known query
costs microseconds. Refuses to know rows and which views there are; it is told when names change their meaning. What it
means is read in the library, which circuits may share; a template is one circuit's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from sspcore.algebra.values import Value, canonical_key
from sspcore.engine.assumptions import assumptions
from sspcore.engine.candidates import Indexes
from sspcore.engine.crossing import Crossing
from sspcore.engine.interest import Interest
from sspcore.engine.library import MAX_TEXTS, Blueprint, Laid, Library, Meaning, Planned
from sspcore.engine.program import Code
from sspcore.engine.query import Catalog, Reading, canonical_params
from sspcore.engine.table import Table
from sspcore.errors import UsageError
from sspcore.plan.check import check
from sspcore.plan.expressions import NOW
from sspcore.plan.join_order import Statistics
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import bind_plan

_SIMPLE: Final = frozenset({str, int, float, type(None)})


class Template:
    """A blueprint at work over the tables of one circuit: equal plans have the same template there.

    Attributes: `plan`, `columns`, `ordered`, `tables`, `stars`, `params`, `counts`: its blueprint's.
    """

    __slots__ = (
        "_laid", "_planned", "blueprint", "columns", "counts", "indexes", "ordered", "params", "plan", "stars",
        "tables", "uses",
    )  # fmt: skip

    def __init__(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self.plan = blueprint.plan
        self.columns = blueprint.columns
        self.ordered = blueprint.ordered
        self.tables = blueprint.tables
        self.stars = blueprint.stars
        self.params = blueprint.params
        self.counts = blueprint.counts
        self.uses = 0
        """Materialisations there are of it: from the second on it pays to look rows up instead of going over all."""
        self.indexes = Indexes()
        """What its views look rows up in when their parameters move."""
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
        return self._over(tables).code

    def interests(self, tables: Mapping[str, Table]) -> dict[str, Interest]:
        """Per table that it reads when it runs: what rows the plan can depend on, parameters open."""
        return self._over(tables).interests

    def _over(self, tables: Mapping[str, Table]) -> Laid:
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

    def crossing(self, moving: frozenset[str], tables: Mapping[str, Table]) -> Crossing | None:
        """How a change of these parameters reaches the plan; None when that cannot be told by rows of one table."""
        self.planned(tables)
        assert self._planned is not None
        found = self._planned.crossing(moving)
        if found is None or found.direct or self.interests(tables)[found.table].condition is None:
            return found
        return None  # operators below the filter may hold rows that are no longer kept current for this view


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
        self._known: dict[str | int, tuple[Template, Meaning]] = {}
        self._by_name: dict[str, set[str | int]] = {}
        """What is known by what it asks for: names of tables and views, but for case."""
        self._by_plan: dict[Blueprint, Template] = {}
        self._named: dict[str, dict[str, None]] = {}
        """The ids of views, by what they are but for case."""

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
        self._named.setdefault(folded, {})[view] = None
        self._forget(folded)

    def unnamed(self, view: str) -> None:
        """There is no view of this name any more: forget the queries that may mean it."""
        folded = view.casefold()
        alike = self._named[folded]
        del alike[view]
        if not alike:
            del self._named[folded]
        self._forget(folded)

    def forget(self) -> None:
        """Names of tables may mean something else now: what is known is to be looked up in the library."""
        self._known.clear()
        self._by_name.clear()

    def _forget(self, folded: str) -> None:
        for known in self._by_name.pop(folded, ()):
            self._known.pop(known, None)

    def _read(self, query: object, catalog: Catalog, views: Mapping[str, Plan]) -> tuple[Template, Reading]:
        """What a query means, remembered for texts by what they say, and for plans by which object they are."""
        if isinstance(query, str):
            name: str | int = query
        elif isinstance(query, Plan):
            name = id(query)
        else:  # a builder query, or a mapping that may change
            meaning = self.library.read(query, catalog, views, self._named)
            return self._of(meaning.blueprint), meaning.reading
        known = self._known.pop(name, None)
        if known is None:
            meaning = self.library.read(query, catalog, views, self._named)
            known = self._of(meaning.blueprint), meaning
            self._note(name, meaning)
        self._known[name] = known  # the last place: used most recently
        return known[0], known[1].reading

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
    key: list[object] = [template]
    for name in sorted(params) if len(params) > 1 else params:
        if name == NOW:
            continue  # the same for all
        value = params[name]
        if type(value) not in _SIMPLE:
            return None
        key.append((type(value), canonical_key(value)))
    return tuple(key)
