"""T14: a query is read as far as it can be read; the rest is dropped."""

from sspcore.errors import SqlError
from sspcore.plan.sql.text import Text

TEST = "tests.laws.test_traps_sql:test_what_cannot_be_read_to_its_end_is_refused"


def plant(patch):
    real = Text.parse

    def parse(self):
        words = self.sql.split(" ")
        while len(words) > 2:
            self.sql = " ".join(words)
            try:
                return real(self)
            except SqlError:
                words.pop()
        return real(self)

    patch.setattr(Text, "parse", parse)
