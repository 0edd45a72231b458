"""Interests: what rows of each table a plan can depend on, by the filters right over its scans.

Owns what of that is told before parameters have values, and what a reader with values is filed under. Refuses to know
who reads (`readers`) and how a clause is looked up (`index`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sspcore.algebra.values import Key, Value, canonical_key
from sspcore.engine.arrangement import PLAIN
from sspcore.index.clauses import FALSE, MIRRORED, Clause, clause_of, key_of
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


def _atom(part: Expression) -> tuple[str, int, str] | None:
    """A comparison of a column with a parameter, as clauses have it: the comparison, the column, the parameter."""
    match part:
        case Call("=" | "<" | "<=" | ">" | ">=" as comparison, (Column(index), Param(name))):
            return comparison, index, name
        case Call("=" | "<" | "<=" | ">" | ">=" as comparison, (Param(name), Column(index))):
            return MIRRORED.get(comparison, comparison), index, name
        case _:
            return None


def _any_of(conditions: list[Expression]) -> Expression:
    return conditions[0] if len(conditions) == 1 else Call("or", tuple(conditions))


class Interest:
    """What rows of one table a plan can depend on: all (`condition` None), or those a condition holds for.

    `columns` and `value`: the rows it can depend on have this value in this one column, where that is so.
    """

    __slots__ = ("_atoms", "_index", "_param", "columns", "condition", "value")

    def __init__(self, condition: Expression | None, names: Sequence[str]) -> None:
        self.condition = condition
        self.columns: tuple[str, ...] | None = None
        self.value: Constant | Param | None = None
        self._param = ""
        """The parameter that has `value`, if one does."""
        self._index: int | None = None
        """The place of that column, where its value is all there is to the condition."""
        parts = conjuncts(condition)
        atoms = [_atom(part) for part in parts]
        self._atoms = tuple([atom for atom in atoms if atom is not None]) if parts and None not in atoms else ()
        """The comparisons it is made of, where there is nothing else."""
        for part in parts:
            match part:
                case Call("=", (Column(index), Constant() | Param() as value)) | Call(
                    "=", (Constant() | Param() as value, Column(index))
                ):
                    self.columns, self.value = (names[index],), value
                    self._index = index if part is condition and isinstance(value, Param) else None
                    self._param = value.name if isinstance(value, Param) else ""
                    return

    def key(self, params: Mapping[str, Value]) -> Key:
        """What the rows are found under in an arrangement by `columns`, with these parameters."""
        value = params[self._param] if self._param else self.value.value  # type: ignore[union-attr]
        return value if type(value) in PLAIN else canonical_key(value)

    def clause(self, params: Mapping[str, Value]) -> Clause | None:
        """What a reader with these parameters is filed under; None: every row concerns it."""
        if self._index is not None:
            value = params[self._param]
            return FALSE if value is None else ("=", self._index, value if type(value) in PLAIN else key_of(value))
        if self.condition is None:
            return None
        clauses = []
        for comparison, index, name in self._atoms:
            value = params[name]
            if type(value) is not int and type(value) is not str:
                break
            clauses.append((comparison, index, value))
        else:
            if clauses:
                return clauses[0] if len(clauses) == 1 else ("and", tuple(clauses))
        return clause_of(bind(self.condition, params))  # whatever it is
