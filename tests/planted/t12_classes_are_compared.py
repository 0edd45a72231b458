"""T12: values of different classes are compared as Python does, so that TRUE is 1."""

from sspcore.plan import evaluate

TEST = "tests.laws.test_traps_values:test_values_of_different_classes_are_never_equal_and_never_ordered"


def plant(patch):
    real = evaluate.column_against_constant

    def compare(symbol, index, constant, slow):
        if symbol == "=" and type(constant) in (int, bool):
            return lambda row: None if row[index] is None else row[index] == constant
        return real(symbol, index, constant, slow)

    patch.setattr(evaluate, "column_against_constant", compare)
