"""Interests: which rows of each table a plan can possibly depend on.

Owns the descent of conditions to scans. The interest I of a scan is *sound* iff for every database and every H with
σ_I(T) ⊆ H ⊆ T the plan over H equals the plan over T. The interest of a plan in a table is the OR over its scans. The
filters stay in the plan; nothing here rewrites it. Refuses to know who holds which rows.

What a condition may pass, and why, is said at each node. Two things are asked of conditions beside where they stand:

- above DISTINCT, GROUP BY and set operations one row stands for all its equals (`1` for `1.0`), and an equality in ON
  tells of equal values, not of the same: only a condition that *respects equality* is carried across;
- WHERE over an outer join that no padded row can meet makes the join an inner one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from sspcore.plan.expressions import (
    Call,
    Column,
    Constant,
    Expression,
    columns_read,
    conjunction,
    conjuncts,
    remap,
    rewrite,
    shift,
)
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
    Pairs,
    Plan,
    Project,
    Rank,
    Scan,
    SemiJoin,
    TopK,
    Union,
)
from sspcore.plan.traverse import children, columns
from sspcore.plan.truths import congruent, is_column, rejects

Conditions = list[Expression]
Interests = Mapping[str, Expression | None]
"""Table → a condition over its columns by position (parameters may stand in it), or None: all rows."""


def interests(plan: Plan, columns_of: Callable[[str], Sequence[str]]) -> dict[str, Expression | None]:
    """The plan's interest in each of its tables; None is every row.

    Args: `columns_of` gives the column names of a table, in the order of its rows; a name a table does not have reads
    as NULL. Parameters stay parameters (`expressions.bind`). Cost: O(plan), once per plan.

    >>> late = Filter(Scan("flights", ("id", "delay")), Call(">", (Column(1), Constant(60))))
    >>> interests(Distinct(late), lambda table: ("id", "carrier", "delay"))
    {'flights': Call(function='>', args=(Column(index=2, name='delay'), Constant(value=60)))}
    """
    found: dict[str, dict[Expression, None] | None] = {}

    def meet(scan: Scan, conditions: Conditions) -> None:
        places = {name: i for i, name in enumerate(columns_of(scan.table))}

        def of_table(e: Expression) -> Expression:
            if not isinstance(e, Column):
                return e
            name = scan.columns[e.index]
            return Column(places[name], name) if name in places else Constant(None)

        held = found.setdefault(scan.table, {})
        whole = conjunction([rewrite(c, of_table) for c in dict.fromkeys(conditions)])
        if whole is None or held is None:
            found[scan.table] = None
        else:
            held[whole] = None

    _descend(plan, [], meet)
    return {table: None if scans is None else _either(list(scans)) for table, scans in found.items()}


def _either(scans: list[Expression]) -> Expression:
    return scans[0] if len(scans) == 1 else Call("or", tuple(scans))


Meet = Callable[[Scan, Conditions], None]


def _descend(plan: Plan, above: Conditions, meet: Meet) -> None:
    """Carry down conditions over the plan's columns that every row which matters above meets."""
    match plan:
        case Scan():
            meet(plan, above)
        case Filter():
            _descend(plan.input, above + conjuncts(plan.predicate), meet)
        case Project():
            _descend(plan.input, _through(above, [e for _, e in plan.columns]), meet)
        case Distinct():
            _descend(plan.input, _respectful(above), meet)
        case Union(inputs, all=every):
            for part in inputs:
                _descend(part, above if every else _respectful(above), meet)
        case Intersect() | Except():
            _descend(plan.left, _respectful(above), meet)
            _descend(plan.right, _respectful(above), meet)
        case Join():
            _descend_join(plan, above, meet)
        case SemiJoin() | AntiJoin() | Mark() | Nest():
            _descend_subquery(plan, above, meet)
        case Aggregate():  # a condition on group values takes away whole groups; without GROUP BY there is one, always
            groups = [e for _, e in plan.groups]
            _descend(plan.input, _respectful(_through(_reading_first(above, len(groups)), groups)), meet)
        case TopK():  # a row cut away would let another one in, but one of another partition
            if plan.limit is None and plan.offset is None:
                _descend(plan.input, above, meet)
            else:
                _descend(plan.input, _of_partition(above, plan.partition), meet)
        case Rank():
            passed = _reading_first(above, len(columns(plan.input)))
            _descend(plan.input, _of_partition(passed, plan.partition), meet)
        case _:  # Values, and what has no rule here
            for child in children(plan):
                _descend(child, [], meet)


def _descend_join(plan: Join, above: Conditions, meet: Meet) -> None:
    """Inner: to either side. Outer: from above to the preserved side only, from ON to the other only; FULL: neither."""
    sides = _Sides(plan)
    kind = _strengthened(plan.kind, above, sides)
    keeps_left, keeps_right = kind in ("left", "full"), kind in ("right", "full")
    left = sides.left([] if keeps_right else above) + sides.left([] if keeps_left else sides.on)
    right = sides.right([] if keeps_left else above) + sides.right([] if keeps_right else sides.on)
    if kind != "full":
        known_left = left + facts(plan.left) + sides.left(sides.on)
        known_right = right + facts(plan.right) + sides.right(sides.on)
        left += [] if keeps_left else sides.to_left(known_right)
        right += [] if keeps_right else sides.to_right(known_left)
    _descend(plan.left, left, meet)
    _descend(plan.right, right, meet)


def _descend_subquery(plan: SemiJoin | AntiJoin | Mark | Nest, above: Conditions, meet: Meet) -> None:
    """From above to the left; to the right what ON asks of it, and what holds for its partners' equal columns."""
    sides = _Sides(plan)
    left = sides.left(above)
    right = sides.right(sides.on)
    known = left + facts(plan.left) + sides.left(sides.on)
    if isinstance(plan, SemiJoin):  # a left row without partners does not matter
        left = left + sides.left(sides.on) + sides.to_left(right + facts(plan.right))
    _descend(plan.left, left, meet)
    _descend(plan.right, right + sides.to_right(known), meet)


def _strengthened(kind: str, above: Conditions, sides: _Sides) -> str:
    """The kind of join that is left when padded rows never meet the conditions above."""
    no_right_pads = any(rejects(c, sides.right_columns) for c in above)
    no_left_pads = any(rejects(c, sides.left_columns) for c in above)
    keeps_left = kind in ("left", "full") and not no_right_pads
    keeps_right = kind in ("right", "full") and not no_left_pads
    if keeps_left:
        return "full" if keeps_right else "left"
    return "right" if keeps_right else "inner"


class _Sides:
    """The two inputs of a join: conditions over both cut to one of them, or carried across by the equalities."""

    def __init__(self, plan: Join | SemiJoin | AntiJoin | Mark | Nest) -> None:
        self.width = len(columns(plan.left))
        self.left_columns = range(self.width)
        self.right_columns = range(self.width, self.width + len(columns(plan.right)))
        self.pairs = plan.on
        self.on = conjuncts(plan.residual)
        """What ON asks for beside equality of columns, over the left columns and then the right."""
        for a, b in plan.on:
            if not columns_read(a) or not columns_read(b):
                self.on.append(Call("=", (a, shift(b, self.width))))

    def left(self, conditions: Conditions) -> Conditions:
        """Those that read the left only."""
        return [c for c in conditions if reads_only(c, self.left_columns)]

    def right(self, conditions: Conditions) -> Conditions:
        """Those that read the right only, over its columns."""
        return [shift(c, -self.width) for c in conditions if reads_only(c, self.right_columns)]

    def to_right(self, conditions: Conditions) -> Conditions:
        """What conditions on left rows say of their partners."""
        return _across(conditions, self.pairs)

    def to_left(self, conditions: Conditions) -> Conditions:
        """What conditions on right rows say of their partners."""
        return _across(conditions, tuple([(b, a) for a, b in self.pairs]))


def _across(conditions: Conditions, pairs: Pairs) -> Conditions:
    """Conditions on the first sides of equal pairs of columns, said of the second sides."""
    equal = [(a.index, b.index) for a, b in pairs if isinstance(a, Column) and isinstance(b, Column)]
    places = dict(reversed(equal))
    carried: dict[Expression, None] = {}
    for condition in conditions:
        read = columns_read(condition)
        if read and read <= places.keys() and _respects_equality(condition):
            for pair in equal:
                if pair[0] in read:
                    carried[remap(condition, places | dict([pair]))] = None
    return list(carried)


def facts(plan: Plan) -> Conditions:
    """Conditions over the plan's columns that every row of its result meets, whatever the tables hold."""
    match plan:
        case Filter():
            return facts(plan.input) + conjuncts(plan.predicate)
        case Project():
            return _shown(facts(plan.input), [e for _, e in plan.columns])
        case Join():
            return _facts_of_join(plan)
        case SemiJoin() | AntiJoin() | Mark() | Nest():
            return facts(plan.left)
        case Distinct():
            return _respectful(facts(plan.input))
        case Intersect():
            return _respectful(facts(plan.left) + facts(plan.right))
        case Except():
            return _respectful(facts(plan.left))
        case Aggregate():
            return _respectful(_shown(facts(plan.input), [e for _, e in plan.groups]))
        case TopK() | Rank():
            return facts(plan.input)
    return []


def _facts_of_join(plan: Join) -> Conditions:
    sides = _Sides(plan)
    left, right = facts(plan.left), facts(plan.right)
    if plan.kind == "inner":
        left, right = left + sides.left(sides.on), right + sides.right(sides.on)
        left, right = left + sides.to_left(right), right + sides.to_right(left)
    known = left if plan.kind in ("inner", "left") else []
    return known + [shift(c, sides.width) for c in (right if plan.kind in ("inner", "right") else [])]


def _through(conditions: Conditions, outputs: Sequence[Expression]) -> Conditions:
    """Conditions over output columns as conditions over the input: those that read columns passed as they are."""
    passed = {i: e.index for i, e in enumerate(outputs) if isinstance(e, Column)}
    return [remap(c, passed) for c in conditions if reads_only(c, passed)]


def _shown(conditions: Conditions, outputs: Sequence[Expression]) -> Conditions:
    """Conditions over the input as conditions over output columns: those that read columns passed as they are."""
    places = {e.index: i for i, e in reversed(list(enumerate(outputs))) if isinstance(e, Column)}
    return [remap(c, places) for c in conditions if reads_only(c, places)]


def _of_partition(conditions: Conditions, partition: tuple[Expression, ...]) -> Conditions:
    """Those that read columns of the partition only, and so take away whole partitions."""
    passed = [e.index for e in partition if isinstance(e, Column)]
    return [c for c in conditions if columns_read(c) and reads_only(c, passed) and _respects_equality(c)]


def _reading_first(conditions: Conditions, count: int) -> Conditions:
    """Those that read the first columns only, and at least one of them."""
    return [c for c in conditions if columns_read(c) and reads_only(c, range(count))]


def reads_only(condition: Expression, positions: Collection[int]) -> bool:
    """Whether the condition reads no other columns than these."""
    return columns_read(condition).issubset(positions)


def _respects_equality(condition: Expression) -> bool:
    return congruent(condition, is_column)


def _respectful(conditions: Iterable[Expression]) -> Conditions:
    return [c for c in conditions if _respects_equality(c)]
