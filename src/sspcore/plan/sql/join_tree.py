"""The FROM clause as a tree of joins, and how conditions find their place in it.

Owns push-down (a condition goes as far down as it may) and the shape of inner joins: which of several tables to join
first, so that each join has an equality where the query has one. Keys of joined rows are the ids in FROM order: trees
keep that order wherever they can do so without a cartesian product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import attrs

from sspcore.plan.expressions import Call, Expression, columns_read
from sspcore.plan.sql.domain import Pairs
from sspcore.plan.sql.frame import Condition
from sspcore.plan.sql.relation import Relation
from sspcore.plan.sql.session import Session

Sources = frozenset[int]
MOST_ORDERED = 24
"""Tables of one inner join for which all bracketings are weighed (n³ steps); beyond, they are joined as written."""


@attrs.frozen
class Leaf:
    """One table occurrence or derived table; made when all columns read of it are known."""

    sources: Sources
    make: Callable[[], Relation]


@attrs.frozen
class Inner:
    """Tables joined by conditions, in FROM order."""

    items: tuple[Tree, ...]
    conditions: tuple[Condition, ...] = ()

    @property
    def sources(self) -> Sources:
        return Sources().union(*[item.sources for item in self.items])


@attrs.frozen
class Outer:
    """A left, right or full join."""

    kind: str
    left: Tree
    right: Tree
    conditions: tuple[Condition, ...] = ()

    @property
    def sources(self) -> Sources:
        return self.left.sources | self.right.sources


@attrs.frozen
class Lateral:
    """An inner or left join to a query that reads the rows on its left: made once they are there."""

    kind: str
    left: Tree
    own: Sources
    beside: Callable[[Relation], tuple[Relation, Pairs]]
    """From the rows on the left to the query's, and the equalities that bring them together."""
    conditions: tuple[Condition, ...] = ()

    @property
    def sources(self) -> Sources:
        return self.left.sources | self.own


Tree: TypeAlias = Leaf | Inner | Outer | Lateral


def inner(left: Tree, right: Tree, conditions: Sequence[Condition]) -> Inner:
    """An inner join; inner joins of inner joins are one."""
    parts = [t if isinstance(t, Inner) else Inner((t,)) for t in (left, right)]
    return Inner(parts[0].items + parts[1].items, (*parts[0].conditions, *parts[1].conditions, *conditions))


def build(tree: Tree, conditions: Sequence[Condition], session: Session) -> Relation:
    """The plan of the tree under more conditions, all of them over its sources (or over nothing)."""
    if isinstance(tree, Leaf):
        return _applied(tree.make(), conditions)
    if isinstance(tree, Outer):
        return _outer(tree, conditions, session)
    if isinstance(tree, Lateral):
        return _lateral(tree, conditions, session)
    return _Builder(session, tree.items, [*tree.conditions, *conditions]).build()


def sources_of(condition: Condition, session: Session) -> Sources:
    """The table occurrences a condition reads."""
    return frozenset([session.owners[symbol] for symbol in condition.needs])


def _applied(relation: Relation, conditions: Sequence[Condition]) -> Relation:
    """All conditions; plain ones first and as one filter, for they are cheap and the others join."""
    plain = [c.expression for c in conditions if c.plain and c.expression is not None]
    relation = relation.filtered(plain)
    for condition in conditions:
        if not condition.plain:
            relation = condition.apply(relation)
    return relation


def _outer(tree: Outer, conditions: Sequence[Condition], session: Session) -> Relation:
    """Conditions above go below the preserved side; conditions in ON go below the side that is padded."""
    below: dict[str, list[Condition]] = {"left": [], "right": []}
    sides = {"left": tree.left.sources, "right": tree.right.sources}
    above: list[Condition] = []
    on: list[Condition] = []
    for condition in conditions:
        read = sources_of(condition, session)
        side = tree.kind if tree.kind in sides else ""
        (below[side] if side and read and read <= sides[side] else above).append(condition)
    padded = {"left": "right", "right": "left"}.get(tree.kind, "")
    for condition in tree.conditions:
        read = sources_of(condition, session)
        (below[padded] if padded and read and read <= sides[padded] else on).append(condition)
    left = build(tree.left, below["left"], session)
    right = build(tree.right, below["right"], session)
    return _applied(_joined(tree.kind, left, right, [], on, session), above)


def _joined(
    kind: str, left: Relation, right: Relation, known: Pairs, on: Sequence[Condition], session: Session
) -> Relation:
    """Both sides by what ON says; a subquery there adds its column to the side whose columns it reads."""
    for condition in on:
        for step in condition.steps:
            if left.has(step.needs):
                left = step.apply(left)
            elif right.has(step.needs):
                right = step.apply(right)
            else:
                raise session.text.unsupported(
                    f"a subquery that reads both sides in ON of a {kind.upper()} JOIN is not supported", word="ON",
                    hint="join to a query in FROM that has the subquery's answer as a column",
                )  # fmt: skip
    pairs, residual = _split([c.expression for c in on if c.expression is not None], left, right)
    return left.joined(kind, right, [*known, *pairs], residual)


def _lateral(tree: Lateral, conditions: Sequence[Condition], session: Session) -> Relation:
    """Conditions over the left side alone go below it: it is preserved, and the query has fewer rows to serve."""
    below: list[Condition] = []
    above: list[Condition] = []
    for condition in conditions:
        read = sources_of(condition, session)
        (below if read and read <= tree.left.sources else above).append(condition)
    left = build(tree.left, below, session)
    right, pairs = tree.beside(left)
    return _applied(_joined(tree.kind, left, right, pairs, tree.conditions, session), above)


def _split(
    expressions: Sequence[Expression], left: Relation, right: Relation
) -> tuple[list[tuple[Expression, Expression]], list[Expression]]:
    """Equalities between the sides, as pairs; and the rest."""
    pairs, residual = [], []
    for expression in expressions:
        pair = None
        if isinstance(expression, Call) and expression.function == "=":
            a, b = expression.args
            reads = columns_read(a), columns_read(b)
            if all(reads) and left.has(reads[0]) and right.has(reads[1]):
                pair = (a, b)
            elif all(reads) and left.has(reads[1]) and right.has(reads[0]):
                pair = (b, a)
        if pair is None:
            residual.append(expression)
        else:
            pairs.append(pair)
    return pairs, residual


class _Builder:
    """Joins the items of one inner join, each condition as soon as its tables are together."""

    def __init__(self, session: Session, items: Sequence[Tree], conditions: list[Condition]) -> None:
        self.session = session
        self.reads = [(sources_of(c, session), c) for c in conditions]
        self.items = list(items)
        self.of = {source: i for i, item in enumerate(items) for source in item.sources}
        self.pool: list[tuple[frozenset[int], Condition]] = []
        own: dict[int, list[Condition]] = {i: [] for i in range(len(self.items))}
        for read, condition in self.reads:
            at = frozenset([self.of[s] for s in read])
            if len(at) == 1 and len(self.items) > 1:
                own[next(iter(at))].append(condition)
            else:
                self.pool.append((at, condition))
        self.own = own
        self.edges = {
            at for at, c in self.pool
            if len(at) == 2 and c.plain and isinstance(c.expression, Call) and c.expression.function == "="
        }  # fmt: skip

    def build(self) -> Relation:
        if len(self.items) == 1:
            return build(self.items[0], [c for _, c in self.pool], self.session)
        relation, _ = self._joined(self._shape())
        constant = [c for at, c in self.pool if not at]
        return _applied(relation, constant)

    def _joined(self, shape: Shape) -> tuple[Relation, frozenset[int]]:
        if isinstance(shape, int):
            return build(self.items[shape], self.own[shape], self.session), frozenset([shape])
        (left, ours), (right, theirs) = self._joined(shape[0]), self._joined(shape[1])
        both = ours | theirs
        here = [c for at, c in self.pool if at and at <= both and not at <= ours and not at <= theirs]
        plain = [c.expression for c in here if c.plain and c.expression is not None]
        pairs, residual = _split(plain, left, right)
        joined = left.joined("inner", right, pairs, residual)
        return _applied(joined, [c for c in here if not c.plain]), both

    def _shape(self) -> Shape:
        """How to bracket the items: in FROM order if that needs no cartesian product more than it must."""
        count = len(self.items)
        if count > MOST_ORDERED:
            return self._connected()
        kept, crosses = _bracketed(count, self.edges)
        return kept if crosses < self._parts() else self._connected()

    def _parts(self) -> int:
        """How many groups of items no equality connects: one less than that many products are unavoidable."""
        groups = [{i} for i in range(len(self.items))]
        for edge in self.edges:
            touched = [g for g in groups if g & edge]
            groups = [g for g in groups if not g & edge] + [set().union(*touched)]
        return len(groups)

    def _connected(self) -> Shape:
        """Left to right, but the first item that an equality connects to those before is taken first."""
        left = list(range(1, len(self.items)))
        shape: Shape = 0
        seen = {0}
        while left:
            linked = [i for i in left if any(i in edge and edge & seen for edge in self.edges)]
            item = (linked or left)[0]
            left.remove(item)
            seen.add(item)
            shape = (shape, item)
        return shape


Shape: TypeAlias = "int | tuple[Shape, Shape]"


def _bracketed(count: int, edges: set[frozenset[int]]) -> tuple[Shape, int]:
    """The bracketing of 0 … count−1 with the fewest joins that no edge crosses; among these the most left-deep one."""
    best: dict[tuple[int, int], tuple[int, Shape]] = {(i, i + 1): (0, i) for i in range(count)}
    for width in range(2, count + 1):
        for start in range(count - width + 1):
            end = start + width
            options = []
            for middle in range(end - 1, start, -1):  # the right side as small as possible first: left-deep
                crossing = any(min(e) >= start and min(e) < middle <= max(e) < end for e in edges)
                (a, left), (b, right) = best[start, middle], best[middle, end]
                options.append((a + b + (not crossing), (left, right)))
            best[start, end] = min(options, key=lambda option: option[0])
    crosses, shape = best[0, count]
    return shape, crosses
