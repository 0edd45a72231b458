"""Plan nodes: the relational algebra of a view, a frozen tree and a closed union.

Owns the form of plans. What they mean is `engine/interpret.py`; whether one is well formed is `plan/check.py`.

Every node yields *keyed rows*: a mapping from a key, unique in the node's result, to a row (a plain tuple in the
order of `columns(node)`). Keys follow from the plan alone:

    Scan                          the id                       Values       the position
    Filter Project TopK           the input's key              SemiJoin AntiJoin Mark Nest   the left key
    Join                          flat tuple of the ids of its inputs, in FROM order, None for a padded side
    Aggregate                     the tuple of canonical group values, () without GROUP BY
    Distinct, UNION, INTERSECT, EXCEPT, Recursive   the canonical row     UNION ALL    (branch, key)
    Rank                          the input's key              INTERSECT ALL, EXCEPT ALL   (canonical row, n)
"""

from __future__ import annotations

import attrs

from sspcore.plan.expressions import Constant, Expression, Param

Pairs = tuple[tuple[Expression, Expression], ...]
"""Equalities (expression over the left row, expression over the right row); NULL never matches."""


@attrs.frozen
class Scan:
    """The rows of a table, cut to the named columns in this order.

    A name the table does not have reads as NULL. `star` marks a scan of all columns (`SELECT *`), lowered anew
    when the table grows a column. `alias` is for people.
    """

    table: str
    columns: tuple[str, ...]
    star: bool = attrs.field(default=False, eq=False)
    alias: str = attrs.field(default="", eq=False)


@attrs.frozen
class Values:
    """Constant rows: `VALUES (1, 'a'), (2, 'b')`; each cell a Constant or Param. `SELECT 1` scans one empty row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Expression, ...], ...]


@attrs.frozen
class Filter:
    """The rows for which the predicate is TRUE (not FALSE, not NULL)."""

    input: Plan
    predicate: Expression


@attrs.frozen
class Project:
    """One output column per (name, expression)."""

    input: Plan
    columns: tuple[tuple[str, Expression], ...]


@attrs.frozen
class Join:
    """Pairs of rows where all `on` equalities hold and `residual`, over the left columns then the right, is TRUE.

    `kind` is inner, left, right or full; a row of a preserved side with no partner is padded with NULLs.
    Without equalities it is a theta join, at the cost of the whole other side per change.
    """

    kind: str
    left: Plan
    right: Plan
    on: Pairs = ()
    residual: Expression | None = None


@attrs.frozen
class SemiJoin:
    """Rows of the left with at least one partner on the right (EXISTS, IN)."""

    left: Plan
    right: Plan
    on: Pairs = ()
    residual: Expression | None = None


@attrs.frozen
class AntiJoin:
    """Rows of the left with no partner on the right (NOT EXISTS)."""

    left: Plan
    right: Plan
    on: Pairs = ()
    residual: Expression | None = None


@attrs.frozen
class Mark:
    """Every left row with one more column `name`, three-valued: does it have a partner on the right?

    Candidates are the right rows for which `on` and `residual` hold (the correlation). Without `key` (EXISTS):
    TRUE iff there is a candidate. With `key = (probe, member)` (probe IN (SELECT member …)): TRUE if a candidate's
    member equals the probe; else NULL if there is a candidate and the probe is NULL, or a candidate's member is
    NULL; else FALSE.
    """

    left: Plan
    right: Plan
    name: str
    on: Pairs = ()
    residual: Expression | None = None
    key: tuple[Expression, Expression] | None = None


@attrs.frozen
class Nest:
    """Every left row with one more column `name`: its children, the right rows for which `on` and `residual` hold.

    The children stand in `order` (over the right columns), ties broken by their keys, cut to the window of `limit` and
    `offset`. A child shows `cells`, named expressions over the right columns; without any, all right columns. `form`
    says what the new column holds: `objects` a list of objects, one member per cell; `values` a list of the values of
    the one cell; `object` and `value` the first of these, NULL when there is none. Without children a list is empty,
    never NULL. `keyed` makes it a list in every form, of pairs `(key, child)`: what the tree format reads.
    The right side may itself be a Nest: trees of any depth, and rows that many parents share.
    """

    left: Plan
    right: Plan
    name: str
    on: Pairs = ()
    residual: Expression | None = None
    order: tuple[OrderTerm, ...] = ()
    limit: Constant | Param | None = None
    offset: Constant | Param | None = None
    cells: tuple[tuple[str, Expression], ...] = ()
    form: str = "objects"
    keyed: bool = False


@attrs.frozen
class OrderTerm:
    """Sort by an expression; `nulls_first` is explicit (SQL's default: last when ascending, first when descending)."""

    expression: Expression
    descending: bool = False
    nulls_first: bool = False


@attrs.frozen
class AggregateCall:
    """One value of a group: `function` over what `argument` gives for each of its rows (count: of rows, without one).

    NULLs are skipped, but for array_agg; over nothing all but count are NULL. `distinct` takes each set of equal values
    once, as the least of them by `full_order_key`.

    - count.
    - min, max: the least and the greatest by `full_order_key`, over all classes.
    - sum, avg, and of a sample or a whole population var_samp, var_pop, stddev_samp, stddev_pop: of numbers only (other
      classes are skipped and counted), exact until rounded once, on reading (`algebra.exact`). sum is an integer, float
      or decimal as its numbers are, the others a float, of decimals a decimal; a sample of one has no variance: NULL.
    - bool_and, bool_or: of booleans only, others are skipped and counted.
    - array_agg: the list of all values, NULLs too, of the rows for which `where` is TRUE; string_agg: the texts (others
      are skipped and counted) with `separator` between them, NULL being none. Both in the order `order` says of the
      rows, ties by key; with `distinct` in that of the values, where a term can only be the argument.
    """

    function: str
    argument: Expression | None = None
    distinct: bool = False
    order: tuple[OrderTerm, ...] = ()
    separator: Constant | Param | None = None
    where: Expression | None = None


@attrs.frozen
class Aggregate:
    """One row per distinct combination of the group values, NULLs equal: the group values, then the aggregates.

    Without groups exactly one row, also over nothing (count 0, the rest NULL). Where equal group values differ in
    type (1 and 1.0) the least of the members' tuples of group values is shown, each value by its `full_order_key`.
    """

    input: Plan
    groups: tuple[tuple[str, Expression], ...]
    aggregates: tuple[tuple[str, AggregateCall], ...]


@attrs.frozen
class Distinct:
    """Each different row once, NULLs equal; shown as the least of its equals, cell by cell by `full_order_key`."""

    input: Plan


@attrs.frozen
class Union:
    """The rows of all inputs, each different one once unless `all`."""

    inputs: tuple[Plan, ...]
    all: bool = False


@attrs.frozen
class Intersect:
    """The different rows that are in both; shown as the least of its equals on the left.

    With `all` each as often as it is in both: as often as in the one that has it less often, numbered from 0.
    """

    left: Plan
    right: Plan
    all: bool = False


@attrs.frozen
class Except:
    """The different rows of the left that are not in the right; shown as the least of its equals on the left.

    With `all` each as often as it is in the left more than in the right, numbered from 0.
    """

    left: Plan
    right: Plan
    all: bool = False


@attrs.frozen
class TopK:
    """The input in order, ties broken by key; with `limit`/`offset` (Constant, Param or None) only that window.

    Without `partition` it orders: a plan whose TopK is reached from the root through Projects only gives an ordered
    view. With it, it gives such a window of each combination of these values, NULLs equal, and no order.
    """

    input: Plan
    order: tuple[OrderTerm, ...]
    limit: Constant | Param | None = None
    offset: Constant | Param | None = None
    partition: tuple[Expression, ...] = ()


@attrs.frozen
class Rank:
    """Every row with one more column `name`: its place in the order of its partition, counted from 1.

    Rows equal in all order terms are peers. row_number counts rows, ties broken by key; rank counts the rows before
    the first peer; dense_rank counts the different peers before. Partitions are the different combinations of the
    values, NULLs equal. With `limit` only rows for which place <= limit is TRUE.
    """

    input: Plan
    name: str
    function: str
    partition: tuple[Expression, ...] = ()
    order: tuple[OrderTerm, ...] = ()
    limit: Constant | Param | None = None


@attrs.frozen
class Working:
    """The rows that the Recursive of this name has found so far; it stands once in that node's `step`."""

    name: str
    columns: tuple[str, ...]


@attrs.frozen
class Recursive:
    """The least set of rows that holds those of `base` and, with every row, all that `step` makes of it.

    `step` reads these rows as Working(name). It must be *linear*: each of its rows comes of one row of Working, so
    Working is reached through filters, projections, the preserved side of joins, and the left of semi-joins and their
    kin; elsewhere in `step` may be anything (`recursion.fault_of`). On the way rows that differ in type are different;
    of equal ones, NULLs equal, the least is shown, cell by cell by `full_order_key`. A recursion that finds ever more
    rows ends with TooExpensive (`recursion.MAX_ROUNDS`, `recursion.MAX_ROWS`).
    """

    base: Plan
    step: Plan
    name: str


Plan = (
    Scan | Values | Filter | Project | Join | SemiJoin | AntiJoin | Mark | Nest
    | Aggregate | Distinct | Union | Intersect | Except | TopK | Rank | Recursive | Working
)  # fmt: skip

JOIN_KINDS = ("inner", "left", "right", "full")
NEST_FORMS = ("objects", "object", "values", "value")
AGGREGATES = (
    "count", "sum", "avg", "min", "max", "bool_and", "bool_or", "array_agg", "string_agg",
    "stddev_samp", "stddev_pop", "var_samp", "var_pop",
)  # fmt: skip
LISTS = ("array_agg", "string_agg")
"""The aggregates whose values have an order."""
RANKS = ("row_number", "rank", "dense_rank")
