"""T49: a join hands on pairs whose weights cancel."""

from sspcore.engine.operators.join import Join

TEST = "tests.laws.test_traps:test_no_operator_emits_or_keeps_weight_zero"


def plant(patch):
    real = Join._advance

    def advance(self, delta, way):
        out = real(self, delta, way)
        return [*out, *[(("zero", *map(repr, c[:1])), None, None) for c in out[:1]]]

    patch.setattr(Join, "_advance", advance)
