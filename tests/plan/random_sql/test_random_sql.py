"""Random queries mean what DuckDB and SQLite say, before and after random changes, whichever way they are asked."""

import re
from collections import Counter
from random import Random

import pytest

from sspcore.errors import SqlError
from sspcore.plan.check import check
from sspcore.plan.sql.lower import lower
from sspcore.testing.generate.choices import Choices
from tests.plan.random_sql.peers import PARAMS, DuckDb, Sqlite
from tests.plan.random_sql.queries import Queries, Query
from tests.plan.random_sql.runner import Case, Wrong, databases
from tests.plan.random_sql.tables import SCHEMAS
from tests.profiles import profile

CASES = {"dev": 6, "ci": 80, "nightly": 4000}
"""Cases of eight queries each. Their seeds are the numbers from 0 on: a failure tells its seed, query and history."""
MANGLED = {"dev": 150, "ci": 1_500, "nightly": 100_000}


def test_random_queries_mean_what_the_databases_say():
    peers, counts = databases(), Counter()
    for seed in range(CASES[profile()]):
        Case(seed, peers, counts).run()
    assert counts["unsupported"] + counts["too big"] < 0.15 * counts["queries"]
    assert counts["disputed"] < 0.01 * counts["DuckDb answers"]
    assert counts["DuckDb silent"] < 0.05 * counts["DuckDb answers"]
    assert counts["Sqlite answers"] > 0.2 * counts["DuckDb answers"]


def test_a_random_query_with_some_of_its_words_lost_doubled_or_swapped_is_a_plan_or_refused():
    catalog, plans = {schema.table: schema for schema in SCHEMAS}, 0
    for seed in range(MANGLED[profile()]):
        random = Random(seed)
        sql = mangled(Queries(Choices(random)).query().text, random)
        try:
            check(lower(sql, catalog).plan)
            plans += 1
        except SqlError:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {sql}") from error
    assert plans


def mangled(sql: str, random: Random) -> str:
    words = re.findall(r"'[^']*'|[\w.$]+|[^\w\s]+", sql)
    for _ in range(random.randint(1, 3)):
        one, two = random.randrange(len(words)), random.randrange(len(words))
        change = random.choice(("lose", "double", "swap", "copy"))
        if change == "lose" and len(words) > 1:
            del words[one]
        elif change == "double":
            words.insert(one, words[one])
        elif change == "swap":
            words[one], words[two] = words[two], words[one]
        else:
            words[one] = words[two]
    return " ".join(words)


class Optimised(DuckDb):
    """Wrong wherever it may choose how to work an answer out."""

    def ask(self, sql, values=PARAMS):
        rows = super().ask(sql, values)
        return [*rows, *rows] if rows and not self.plainly else rows

    plainly = False

    def ask_plainly(self, sql, values=PARAMS):
        self.plainly = True
        try:
            return super().ask_plainly(sql, values)
        finally:
            self.plainly = False


def test_a_fault_of_a_databases_optimiser_is_told_from_one_of_ours():
    sql = "SELECT id, (ARRAY[id, id])[1] FROM t"  # SQLite does not know this, and sides with nobody
    query = Query(sql, [], False, False)
    case = Case(2, (Optimised(), Sqlite()))
    case.run(given=[query])
    assert case.counts["disputed"]
    alike = Optimised()
    alike.ask_plainly = lambda *_: None
    with pytest.raises(Wrong, match="DuckDb says"):
        Case(2, (alike, Sqlite())).run(given=[query])
