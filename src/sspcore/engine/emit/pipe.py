"""Pipes: a part of a plan as one pipeline, its filters and projections dissolved into expressions over raw rows.

Owns which plans can be pipes and what is to be looked up when one of their tables changes. Refuses to know text.

A pipe reads *leaves*: tables, or (alone) the output of another node. Its expressions are over one long virtual row, the
columns of all leaves side by side, each at the leaf's `offset`. Filters have become conjuncts, projections have been
substituted, inner equi-joins are equalities between columns of two leaves, and a LEFT JOIN that finds its partner by id
is an *optional* leaf. So the change of one leaf's row is followed by lookups in the other tables as they are, without
any state of its own: the delta query. That is right if a table occurs once and tables change one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from sspcore.engine.schema import Schema
from sspcore.plan import nodes, traverse
from sspcore.plan.expressions import (
    Call,
    Column,
    Constant,
    Expression,
    columns_read,
    conjuncts,
    shift,
    substitute,
    walk,
)  # fmt: skip
from sspcore.plan.types import column_types

MOST_LEAVES = 8
MOST_NODES = 400
"""Substituting projections into each other may blow expressions up; beyond this the lower one stays a stage."""

Schemas = Mapping[str, Schema]


@attrs.frozen
class Leaf:
    """A table, or another node of the program; where its columns are in the pipe's row.

    Attributes: `table`, None for another node; `plan`, what it stands for; `names` and `kinds` of its columns;
    `id_columns`, positions of the columns that are the row's id; `optional` and `found_by` for the right side of a
    LEFT JOIN: (column of an earlier leaf, column of this one) for each column of the id; `own`, conditions a partner
    must fulfil; `node`, the place of another node that is cut already.
    """

    plan: nodes.Plan
    table: str | None
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    id_columns: tuple[int, ...] = ()
    offset: int = 0
    optional: bool = False
    found_by: tuple[tuple[int, int], ...] = ()
    own: tuple[Expression, ...] = ()
    node: int | None = None

    @property
    def columns(self) -> range:
        """The places of its columns in the pipe's row."""
        return range(self.offset, self.offset + len(self.names))

    def moved(self, offset: int) -> Leaf:
        """The same leaf with its columns further on."""
        return attrs.evolve(
            self, offset=self.offset + offset,
            found_by=tuple([(a + offset, b + offset) for a, b in self.found_by]),
            own=tuple([shift(e, offset) for e in self.own]),
        )  # fmt: skip


@attrs.frozen
class Pipe:
    """Leaves in FROM order, equalities between their columns, conjuncts, and the output columns."""

    leaves: tuple[Leaf, ...]
    outputs: tuple[Expression, ...]
    names: tuple[str, ...]
    equalities: tuple[tuple[int, int], ...] = ()
    filters: tuple[Expression, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types of the columns of the pipe's row."""
        return tuple([kind for leaf in self.leaves for kind in leaf.kinds])

    @property
    def width(self) -> int:
        """The number of columns of the pipe's row."""
        return sum(len(leaf.names) for leaf in self.leaves)

    def leaf_of(self, column: int) -> int:
        """The number of the leaf a column belongs to."""
        return next(i for i, leaf in enumerate(self.leaves) if column in leaf.columns)

    def leaves_of(self, expression: Expression) -> frozenset[int]:
        """The numbers of the leaves an expression reads."""
        return frozenset([self.leaf_of(column) for column in columns_read(expression)])

    @property
    def is_table(self) -> bool:
        """True for the rows of one table, whole and as they are."""
        (first, *others) = self.leaves
        whole = tuple([Column(at) for at in range(len(first.names))])
        return not others and not self.filters and self.outputs == whole

    def narrowed(self, used: Sequence[int]) -> Pipe:
        """The pipe with some of its output columns only."""
        return attrs.evolve(
            self, outputs=tuple([self.outputs[at] for at in used]), names=tuple([self.names[at] for at in used])
        )


@attrs.frozen
class Lookup:
    """How one leaf's rows are found when others are known.

    Attributes: `leaf`; `by`, the columns (of known leaves) whose values are looked for; `on`, those of this leaf they
    must equal; `is_id`: `on` is the leaf's id, so that the table itself is asked; `checks`, equalities left to test.
    """

    leaf: int
    by: tuple[int, ...]
    on: tuple[int, ...]
    is_id: bool
    checks: tuple[tuple[int, int], ...] = ()


def pipe_of(plan: nodes.Plan, schemas: Schemas) -> Pipe:
    """The pipe that yields a plan's rows; one over the plan itself as a foreign leaf where it cannot be dissolved."""
    match plan:
        case nodes.Scan():
            return _scan(plan, schemas)
        case nodes.Filter():
            pipe = pipe_of(plan.input, schemas)
            tests = tuple([substitute(c, pipe.outputs) for c in conjuncts(plan.predicate)])
            if _size(tests) <= MOST_NODES:
                return attrs.evolve(pipe, filters=pipe.filters + tests)
            return pipe_of_filter(plan, foreign(plan.input, schemas))
        case nodes.Project():
            pipe = pipe_of(plan.input, schemas)
            outputs = tuple([substitute(e, pipe.outputs) for _, e in plan.columns])
            if _size(outputs) > MOST_NODES:
                pipe = foreign(plan.input, schemas)
                outputs = tuple([e for _, e in plan.columns])
            return attrs.evolve(pipe, outputs=outputs, names=traverse.columns(plan))
        case nodes.Join():
            return _join(plan, schemas) or foreign(plan, schemas)
    return foreign(plan, schemas)


def pipe_of_filter(plan: nodes.Filter, pipe: Pipe) -> Pipe:
    """A filter over a foreign leaf."""
    return attrs.evolve(pipe, filters=tuple(conjuncts(plan.predicate)))


def foreign(plan: nodes.Plan, schemas: Schemas) -> Pipe:
    """The output of another node, as it is."""
    names = traverse.columns(plan)
    leaf = Leaf(plan, None, names, column_types(plan, schemas))
    return Pipe((leaf,), tuple([Column(at, name) for at, name in enumerate(names)]), names)


def _scan(plan: nodes.Scan, schemas: Schemas) -> Pipe:
    schema = schemas[plan.table]
    names = schema.names
    leaf = Leaf(
        plan, plan.table, names, tuple([schema.columns[name] for name in names]),
        tuple([names.index(name) for name in schema.key_columns]),
    )  # fmt: skip
    outputs = [Column(names.index(n), n) if n in schema.columns else Constant(None) for n in plan.columns]
    return Pipe((leaf,), tuple(outputs), plan.columns)


def _size(expressions: Sequence[Expression]) -> int:
    return sum(1 for e in expressions for _ in walk(e))


# Joins


def _join(plan: nodes.Join, schemas: Schemas) -> Pipe | None:
    """The joined pipe, or None when a lookup would be missing for some leaf."""
    if plan.kind not in ("inner", "left"):
        return None
    left, right = pipe_of(plan.left, schemas), pipe_of(plan.right, schemas)
    tables = [leaf.table for leaf in left.leaves + right.leaves]
    if None in tables or len(set(tables)) < len(tables) or len(tables) > MOST_LEAVES:
        return None
    width = left.width
    pairs = [(substitute(a, left.outputs), shift(substitute(b, right.outputs), width)) for a, b in plan.on]
    moved = tuple([leaf.moved(width) for leaf in right.leaves])
    outputs = left.outputs + tuple([shift(e, width) for e in right.outputs])
    both = Pipe(left.leaves + moved, outputs, left.names + right.names, left.equalities, left.filters)
    joined = _left(plan, both, pairs, right) if plan.kind == "left" else _inner(plan, both, pairs, right, width)
    if joined is None or _size(joined.filters + joined.outputs) > MOST_NODES:
        return None
    return joined if all(lookups(joined, at) is not None for at in range(len(joined.leaves))) else None


def _inner(
    plan: nodes.Join, both: Pipe, pairs: Sequence[tuple[Expression, Expression]], right: Pipe, width: int
) -> Pipe | None:
    equalities = [(a + width, b + width) for a, b in right.equalities]
    for a, b in pairs:
        if not (isinstance(a, Column) and isinstance(b, Column)):
            return None
        if any(both.leaves[both.leaf_of(column.index)].optional for column in (a, b)):
            return None  # a padded column: it could not be followed back
        equalities.append((a.index, b.index))
    filters = both.filters + tuple([shift(e, width) for e in right.filters])
    if plan.residual is not None:
        filters += tuple([substitute(c, both.outputs) for c in conjuncts(plan.residual)])
    return attrs.evolve(both, equalities=both.equalities + tuple(equalities), filters=filters)


def _left(plan: nodes.Join, both: Pipe, pairs: Sequence[tuple[Expression, Expression]], right: Pipe) -> Pipe | None:
    """The right side must be one table, found by its id, and give its columns as they are (padding makes them NULL)."""
    *others, last = both.leaves
    if len(right.leaves) > 1 or plan.residual is not None or not last.id_columns:
        return None
    if not all(isinstance(e, Column) or e == Constant(None) for e in right.outputs):
        return None
    found: dict[int, int] = {}
    for a, b in pairs:
        if not (isinstance(a, Column) and isinstance(b, Column)):
            return None
        found[b.index] = a.index
    wanted = [last.offset + at for at in last.id_columns]
    if len(found) != len(pairs) or set(found) != set(wanted):
        return None
    sources = {both.leaf_of(a) for a in found.values()}
    if len(sources) != 1 or others[sources.pop()].optional:
        return None
    leaf = attrs.evolve(
        last, optional=True, found_by=tuple([(found[b], b) for b in wanted]),
        own=tuple([shift(e, last.offset) for e in right.filters]),
    )  # fmt: skip
    return attrs.evolve(both, leaves=(*others, leaf))


def lookups(pipe: Pipe, start: int) -> list[Lookup] | None:
    """The other leaves in an order in which each is found by columns of those before; None when one cannot be."""
    known, out = {start}, []
    while len(known) < len(pipe.leaves):
        waiting = [at for at in range(len(pipe.leaves)) if at not in known]
        found = [step for at in waiting if (step := _lookup(pipe, at, known)) is not None]
        if not found:
            return None
        best = min(found, key=lambda step: (not step.is_id, pipe.leaves[step.leaf].optional, step.leaf))
        out.append(best)
        known.add(best.leaf)
    return out


def _lookup(pipe: Pipe, at: int, known: set[int]) -> Lookup | None:
    leaf = pipe.leaves[at]
    if leaf.optional:
        if pipe.leaf_of(leaf.found_by[0][0]) not in known:
            return None
        return Lookup(at, tuple([a for a, _ in leaf.found_by]), tuple([b for _, b in leaf.found_by]), is_id=True)
    met: dict[int, int] = {}
    checks = []
    for a, b in [*pipe.equalities, *[pair for other in pipe.leaves for pair in other.found_by]]:
        mine, other = (a, b) if a in leaf.columns else (b, a)
        source = pipe.leaf_of(other)
        if mine not in leaf.columns or source not in known:
            continue
        if mine in met:
            checks.append((other, mine))
        else:
            met[mine] = other
    if not met:
        return None
    wanted = [leaf.offset + place for place in leaf.id_columns]
    if wanted and set(wanted) <= set(met):
        checks += [(other, mine) for mine, other in met.items() if mine not in wanted]
        return Lookup(at, tuple([met[place] for place in wanted]), tuple(wanted), True, tuple(checks))
    on = sorted(met)
    return Lookup(at, tuple([met[place] for place in on]), tuple(on), False, tuple(checks))


def test_of(pair: tuple[int, int]) -> Expression:
    """An equality as a predicate."""
    return Call("=", (Column(pair[0]), Column(pair[1])))
