"""Interests: what rows of each table a plan can depend on, by the filters right over its scans.

Owns what of that is told before parameters have values, and what a reader with values is filed under. Refuses to know
who reads (`readers`) and how a clause is looked up (`index`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sspcore.algebra.values import Value
from sspcore.index.clauses import FALSE, Clause, clause_of, key_of
from sspcore.plan.expressions import Call, Column, Constant, Expression, Param, bind, conjunction, conjuncts
from sspcore.plan.interests import interests
from sspcore.plan.nodes import Filter, Plan, Scan
from sspcore.plan.traverse import children


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
