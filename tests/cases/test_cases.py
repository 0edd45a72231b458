"""External cases: queries of public suites, each view compared with an independent oracle after every batch.

The cases live outside the repository, in the folder `SSPCORE_CASES` names (by default `shared/cases` beside the
checkout). Where it is absent a local run skips; CI fails, since there nobody would notice the skip.
"""

import contextlib
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("SSPCORE_CASES") or ROOT.parent / "shared" / "cases")
SUITES = sorted(p.name for p in FOLDER.glob("data/*") if list(p.glob("cases.jsonl*")))
MODES = ("incremental", "preload", "drain", "late")

if SUITES:
    sys.path.append(str(FOLDER))
    from casekit.adapter import Unsupported
    from casekit.engine import run_suite
    from casekit.filters import run_filters
    from casekit.model import load_suite, read_jsonl

    from tests.cases.adapter import SspAdapter


def test_the_cases_are_there():
    if not SUITES and not os.environ.get("CI"):
        pytest.skip(f"no external cases in {FOLDER}; set SSPCORE_CASES to their folder")
    assert SUITES, f"no external cases in {FOLDER}: CI runs them always"


def sql_cases(suite, tier=2):
    fixtures, cases = load_suite(str(FOLDER / "data" / suite))
    return fixtures, [case for case in cases if case.sql is not None and case.tier <= tier]


def failures(results):
    return [
        f"{r.status} {r.case.name} at {r.step}: {r.case.sql}\n    {r.detail.strip()}"
        for r in results
        if r.status not in ("pass", "unsupported")
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("suite", SUITES)
def test_every_view_is_what_the_oracle_says(suite, mode):
    fixtures, cases = sql_cases(suite)

    results, _ = run_suite(SspAdapter, fixtures, cases, mode)

    assert len(results) == len(cases)
    assert failures(results) == []
    assert any(r.status == "pass" and r.checks for r in results)


def tree_cases(suite):
    fixtures, cases = load_suite(str(FOLDER / "data" / suite))
    return fixtures, [case for case in cases if case.tree is not None]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("suite", SUITES)
def test_every_tree_is_what_the_oracle_says(suite, mode):
    """T17, T20: nested queries with filter, order and limit at each level, shared children, three levels deep."""
    fixtures, cases = tree_cases(suite)

    results, _ = run_suite(SspAdapter, fixtures, cases, mode)

    assert [f"{r.status} {r.case.name} at {r.step}: {r.case.tree}\n    {r.detail}" for r in results
            if r.status != "pass"] == []  # fmt: skip
    assert all(r.checks for r in results)


@pytest.mark.skipif(not SUITES, reason=f"no external cases in {FOLDER}; set SSPCORE_CASES to their folder")
def test_there_are_trees():
    assert sum(len(tree_cases(suite)[1]) for suite in SUITES) > 0


@pytest.mark.skipif(not SUITES, reason=f"no external cases in {FOLDER}; set SSPCORE_CASES to their folder")
def test_every_filter_matches_what_the_oracle_says():
    counts, failed = run_filters(SspAdapter, read_jsonl(str(FOLDER / "data" / "filters" / "filters.jsonl")), tier=3)

    assert failed == []
    assert counts["pass"] > 0
    assert counts["unsupported"] < 0.05 * (counts["pass"] + counts["unsupported"])


@pytest.mark.skipif(not SUITES, reason=f"no external cases in {FOLDER}; set SSPCORE_CASES to their folder")
def test_little_is_unsupported_and_the_reference_names_it():
    """Fewer than one in fifty queries of tier 1 is refused, and of tier 2; the reference names whatever is."""
    total, gate, refused = Counter(), Counter(), []
    for suite in SUITES:
        fixtures, cases = sql_cases(suite, tier=2)
        for case in cases:
            adapter = SspAdapter()
            for table in fixtures[case.fixture].tables.values():
                adapter.create_table(table)
            total[case.tier] += 1
            with contextlib.suppress(Unsupported):
                adapter.register_sql(case.name, case.sql)
            refused.extend(adapter.refused)
            gate[case.tier] += bool(adapter.refused)
    reference = (ROOT / "docs" / "reference" / "sql.md").read_text().casefold()

    assert all(gate[tier] < 0.02 * total[tier] for tier in (1, 2)), gate
    assert sorted({feature(e) for e in refused if feature(e).casefold() not in reference}) == []


def feature(error):
    """What an UnsupportedSql says is not supported: the words before the verb."""
    return error.message.split(" is not ")[0].split(" are not ")[0].strip("`'\" ")
