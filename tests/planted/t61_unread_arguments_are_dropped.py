"""T61: what a handler does not read is not missed."""

from sspcore.plan.sql.arguments import Arguments

TEST = "tests.laws.test_traps_sql:test_no_argument_of_a_query_goes_unread"


def plant(patch):
    patch.setattr(Arguments, "done", lambda self: None)
