"""T60: a LIKE pattern becomes a regular expression that backtracks."""

import re

from sspcore.plan import like

TEST = "tests.plan.test_like:test_a_hostile_pattern_is_no_backtracking_regex"


def plant(patch):
    def matcher(segments):
        parts = ["".join(["." if c is None else re.escape(c) for c in segment]) for segment in segments]
        expression = re.compile(".*".join(parts), re.DOTALL)
        return lambda text: expression.fullmatch(text[-350:]) is not None  # cut: the proof need not take ten seconds

    like.compile_like.cache_clear()
    patch.setattr(like, "_matcher", matcher)
