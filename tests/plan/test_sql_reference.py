"""The reference of SQL and the code say the same."""

import re
from pathlib import Path

import pytest

from sspcore.errors import SqlError
from sspcore.plan.functions import FUNCTIONS
from sspcore.plan.sql.lower import lower
from tests.plan.sql_world import CATALOG
from tests.plan.test_sql_errors import UNSUPPORTED

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "sql.md").read_text(encoding="utf-8")
EXPRESSIONS = PAGE.partition("## Expressions")[2].partition("## What is refused")[0]
NOT_CALLED = {"and", "or", "not", "like", "ilike", "in", "case", "cast", "neg"}
"""Operators of the library that are spelled like functions."""


SPELLED = {"date_trunc": "date_trunc('day', $at)", "extract": "extract(day FROM $at)"}
"""Functions whose first argument is no value."""


def called():
    return sorted(name for name in FUNCTIONS if re.fullmatch(r"\w+", name) and name not in NOT_CALLED)


@pytest.mark.parametrize("name", called())
def test_every_function_of_the_library_is_in_the_reference_and_in_sql(name):
    assert re.search(rf"`{name}[`(]", EXPRESSIONS)
    if name in SPELLED:
        lower(f"SELECT {SPELLED[name]} FROM t", CATALOG)
        return
    count = FUNCTIONS[name].min_args or (1 if name == "concat" else 0)
    lower(f"SELECT {name}({', '.join(['b'] * count)}) FROM t", CATALOG)


NAMED = re.findall(r"`([a-z_]+)`", EXPRESSIONS.partition("| numbers |")[2].partition("| aggr")[0])


@pytest.mark.parametrize("name", sorted({*NAMED} - {"position", "array_length", *SPELLED}))
def test_every_function_of_the_reference_is_one(name):
    """With some number of arguments it is understood."""
    assert any(understood(f"SELECT {name}({', '.join(['b'] * count)}) FROM t") for count in range(4))


def understood(sql):
    try:
        return lower(sql, CATALOG)
    except SqlError:
        return None


@pytest.mark.parametrize("message", sorted({m for _, m, _, _ in UNSUPPORTED if m != "'uper'" and "no query" not in m}))
def test_what_a_refusal_names_is_in_the_reference(message):
    table = PAGE.partition("## What is refused")[2].replace("`", "").casefold()
    words = [w for w in re.findall(r"[a-z_]{3,}", message.casefold()) if w not in ("the", "front", "query")]
    assert not words or any(w.rstrip("s") in table for w in words)
