"""T2: in generated code, whether a deleted row was in a filter is asked of the row that is there now: none."""

from sspcore.codegen.source import Source

TEST = "tests.laws.test_traps:test_deletes_are_judged_by_the_row_that_was"


def plant(patch):
    real = Source.line

    def line(self, text):
        if text.startswith("a = "):
            text = text.replace(" if o0 is not None and ", " if o0 is not None and n0 is not None and ")
        real(self, text)

    patch.setattr(Source, "line", line)
