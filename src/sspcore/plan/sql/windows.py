"""Window functions: row_number(), rank() and dense_rank() OVER (PARTITION BY … ORDER BY …).

Owns how they are written. Each is a step that gives the rows one more column (`nodes.Rank`), taken after WHERE and
GROUP BY and before DISTINCT and LIMIT, as SQL has it.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from sspcore.plan.expressions import Expression, columns_read
from sspcore.plan.nodes import Rank
from sspcore.plan.sql.arguments import Arguments, describe
from sspcore.plan.sql.expressions import lower_expression
from sspcore.plan.sql.frame import Frame, Step
from sspcore.plan.sql.ordering import order_terms
from sspcore.plan.sql.relation import Relation

FUNCTIONS: Final[dict[type[exp.Expression], str]] = {
    exp.RowNumber: "row_number",
    exp.Rank: "rank",
    exp.DenseRank: "dense_rank",
}
CLAUSES: Final = ("SELECT", "ORDER BY")
"""Where windows may stand: elsewhere the rows they count are not settled yet."""


def lower_window(node: exp.Expression, frame: Frame) -> Expression:
    """The place of a row: a symbol, after the step it leaves in the frame."""
    session, scope = frame.session, frame.scope
    arguments = Arguments(node, session.text)
    function = _function(arguments.node_at("this"), node, frame)
    if frame.clause not in CLAUSES:
        raise session.text.error(
            f"a window function in {frame.clause}: rows have no place there yet", node,
            hint="put the query into FROM with the place as a column, and ask for that",
        )  # fmt: skip
    if node.args.get("spec") is not None:
        raise session.text.unsupported(
            "a frame (ROWS, RANGE, GROUPS) is not supported", node, hint="leave it out: places do not depend on it"
        )
    partition = [_over(part, frame) for part in arguments.nodes("partition_by")]
    order = order_terms(arguments.optional("order"), session, lambda by: _over(by, frame))
    arguments.expect("over", "OVER")
    arguments.done()
    symbol = session.symbol(function, "integer", session.source())
    given = frozenset[int]().union(*[s.gives for s in frame.steps])
    needs = frozenset[int]().union(*[columns_read(e) for e in [*partition, *[t.expression for t in order]]]) - given
    scope.windows = True

    def apply(relation: Relation) -> Relation:
        around = () if scope.domain is None else scope.domain.relation.symbols  # each outer row has a query of its own
        parts = tuple([relation.over(e) for e in [*map(session.column, around), *partition]])
        plan = Rank(relation.plan, function, function, parts, relation.ordered(order))
        return Relation(plan, (*relation.symbols, symbol))

    frame.steps.append(Step(needs, frozenset([symbol]), apply))
    return session.column(symbol)


def _function(node: exp.Expression, window: exp.Expression, frame: Frame) -> str:
    text = frame.session.text
    if type(node) not in FUNCTIONS:
        what = describe(node, text)
        raise text.unsupported(
            f"{what} with OVER is not supported", window,
            hint="row_number, rank and dense_rank are; join to a query with GROUP BY for totals",
        )  # fmt: skip
    Arguments(node, text).done()
    return FUNCTIONS[type(node)]


def _over(node: exp.Expression, frame: Frame) -> Expression:
    """An expression of the window over the rows it counts: over groups, if there are groups."""
    inner = Frame(frame.session, frame.scope, "a window", frame.grouping, frame.steps)
    value = lower_expression(node, inner)
    if frame.grouping is None:
        return value
    given = frozenset[int]().union(*[s.gives for s in frame.steps])
    return frame.grouping.folded(value, node, given)
