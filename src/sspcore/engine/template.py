"""Templates: what is known of a query before its parameters have values, worked out once and kept.

Owns the way from a query to its checked plan, remembered by text and by plan, so that the next view of a known query
costs microseconds. Refuses to know rows and which views there are; it is told when names change their meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

from sspcore.algebra.values import Value, canonical_key
from sspcore.engine.query import Catalog, Reading, canonical_params, read_query
from sspcore.plan.check import check
from sspcore.plan.expressions import Param
from sspcore.plan.nodes import Plan, Scan, TopK
from sspcore.plan.traverse import bind_plan, columns, ordering, params_of, tables_of, walk_plan

MAX_TEXTS: Final = 1_000
"""Texts remembered; the one not used for longest is forgotten first."""
_WORDS: Final = re.compile(r"[\w$]+|\"[^\"]*\"")
_SIMPLE: Final = frozenset({str, int, float, type(None)})


class Template:
    """A checked plan, parameters open, and what follows from it alone: equal plans have the same template.

    Attributes: `plan`; `columns`; `ordered`; `tables` and `stars` (those read by `*`); `params`, the names of its
    parameters; `counts`, those of them that stand in LIMIT or OFFSET.
    """

    __slots__ = ("columns", "counts", "ordered", "params", "plan", "stars", "tables")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.columns = columns(plan)
        self.ordered = ordering(plan) is not None
        self.tables = frozenset(tables_of(plan))
        self.stars = frozenset(n.table for n in walk_plan(plan) if isinstance(n, Scan) and n.star)
        self.params = frozenset(params_of(plan))
        self.counts = frozenset(
            bound.name
            for node in walk_plan(plan) if isinstance(node, TopK)
            for bound in (node.limit, node.offset) if isinstance(bound, Param)
        )  # fmt: skip


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
        self, query: object, params: Mapping[str, Any] | None, catalog: Catalog, views: Mapping[str, Plan]
    ) -> Understood:
        """What a query means, with a canonical value for every parameter.

        Raises SqlError, PlanError or UsageError (the caller's). Cost: microseconds for a text or plan known.
        """
        template, reading = self._read(query, catalog, views)
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
            self._by_plan.clear()
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
        value = params[name]
        if type(value) not in _SIMPLE:
            return None
        key.append((type(value), canonical_key(value)))
    return tuple(key)
