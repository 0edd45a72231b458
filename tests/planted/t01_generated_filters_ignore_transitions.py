"""T1: in generated code, whether a row that was there before is in a filter is asked of what it was."""

from sspcore.codegen.source import Source

TEST = "tests.laws.test_traps:test_rows_that_come_to_match_or_no_longer_match"


def plant(patch):
    real = Source.line

    def line(self, text):
        head, found, test = text.partition(" if n0 is not None and ")
        if found and text.startswith("b = "):
            test = test.removesuffix(" else None")
            text = f"{head}{found}(a is not None if o0 is not None else {test}) else None"
        real(self, text)

    patch.setattr(Source, "line", line)
