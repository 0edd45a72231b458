"""T3: a row's place in an order is found when it comes, and never again."""

from sspcore.engine.operators import build

TEST = "tests.laws.test_traps:test_a_changed_sort_key_ranks_anew_and_a_changed_join_key_joins_anew"


def plant(patch):
    real = build.entry_of

    def entry_of(order, nulls):
        entry, known = real(order, nulls), {}
        return lambda key, row: known.setdefault(key, entry(key, row))

    patch.setattr(build, "entry_of", entry_of)
