"""The generated code of some twenty plans, kept as files: a change of an emitter shows as a difference one can read.

To renew them after such a change: `python -m tests.codegen.plans`, then read the difference.
"""

import pytest

from tests.codegen.plans import GOLDEN, QUERIES, explained


@pytest.mark.parametrize("name", QUERIES)
def test_the_generated_code_of_a_plan_is_what_was_read_and_kept(name):
    kept = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")

    assert explained(name) == kept, "if this is meant: python -m tests.codegen.plans, and read the difference"


def test_every_golden_file_has_its_query():
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(QUERIES)


@pytest.mark.parametrize("name", QUERIES)
def test_no_text_of_a_query_is_in_the_code(name):
    """Constants and names stand in comments only: what is compiled holds neither quotes nor words of the query."""
    code = [line for line in explained(name).splitlines() if not line.strip().startswith("#")]
    body = "\n".join(code[code.index(next(line for line in code if line.startswith("def make"))) :])

    for word in ("JFK", "carrier", "dep_delay", "flights", "'", '"', "$"):
        assert word not in body
