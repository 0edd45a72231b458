"""T17: a limit within nested rows is ignored."""

import attrs

from sspcore.engine.operators import build

TEST = "tests.laws.test_traps_nested:test_children_have_their_own_filter_order_and_limit_and_may_be_shared_at_any_depth"


def plant(patch):
    real = build.Family

    def family(*args):
        made = real(*args)
        return attrs.evolve(made, limit=None if made.many else made.limit)

    patch.setattr(build, "Family", family)
