"""Nothing is dropped: every argument of every syntax node is honoured or refused, also those nobody has written yet."""

import pytest
from sqlglot import exp

from sspcore.errors import SqlError
from sspcore.plan.sql.queries import lower_query
from sspcore.plan.sql.session import Session
from sspcore.plan.sql.text import Text
from tests.plan.sql_corpus import QUERIES
from tests.plan.sql_corpus_values import OF_POSTGRES
from tests.plan.sql_world import CATALOG

MEANINGLESS = {
    ("CTE", "materialized"),  # how to compute, not what
    ("With", "recursive"),  # allows a query to read itself, and need not be used
    ("Join", "kind"),  # INNER and OUTER say nothing more than the side does
    ("LimitOptions", "rows"),  # ROWS ONLY
    ("Fetch", "direction"),  # FIRST is NEXT
    ("Distinct", "expressions"),
    ("JSONExtract", "only_json_types"), ("JSONExtractScalar", "only_json_types"),  # -> is no function
    ("Subquery", "alias"),  # names what is read by name or not at all
    ("Column", "table"),  # the table it is of anyway
    ("Ordered", "desc"),  # of the only row, or of equal ones
    ("Select", "order"), ("Union", "order"), ("Intersect", "order"), ("Except", "order"), ("Subquery", "order"),
    ("Select", "with_"), ("Union", "with_"), ("Intersect", "with_"), ("Except", "with_"), ("Subquery", "with_"),
    ("Values", "with_"), ("Values", "alias"), ("Table", "alias"), ("TableAlias", "columns"),
    ("Identifier", "quoted"),  # a name written exactly is the same name
}  # fmt: skip
"""(node, argument) that may change nothing: it was looked at, and there is a reason."""


def plan_of(text, tree):
    return lower_query(tree, Session(text, CATALOG, {}), None, {}).relation(ordered=True).plan


def values_for(name):
    """What an argument may hold: a flag, a node, a list of nodes, a word."""
    return (True, exp.Literal.number(7), [exp.Literal.number(7)], "WORD", exp.Column(this=exp.to_identifier("id")))


def mutations():
    """One query for each node class and argument of it that the query leaves empty, over the whole corpus."""
    seen = {}
    for sql in [*[sql for _, sql in QUERIES], *OF_POSTGRES]:
        for node in Text(sql).parse().walk():
            for name in node.arg_types:
                if not node.args.get(name):
                    seen.setdefault((type(node).__name__, name), sql)
    return sorted(seen.items())


MUTATIONS = mutations()


def test_the_corpus_reaches_many_arguments():
    assert len({node for (node, _), _ in MUTATIONS}) > 50
    assert len(MUTATIONS) > 250


@pytest.mark.parametrize(("target", "sql"), MUTATIONS, ids=[f"{node}.{name}" for (node, name), _ in MUTATIONS])
def test_an_argument_is_refused_or_honoured(target, sql):
    """T61: set whatever a node may hold; the query is refused, or it is another query."""
    kind, name = target
    text = Text(sql)
    before = plan_of(text, text.parse())
    for value in values_for(name):
        tree = text.parse()
        node = next(n for n in tree.walk() if type(n).__name__ == kind and not n.args.get(name))
        node.set(name, value)
        try:
            after = plan_of(text, tree)
        except SqlError:
            continue
        assert after != before or target in MEANINGLESS, f"{kind}.{name} = {value!r} of {sql!r} went unread"
