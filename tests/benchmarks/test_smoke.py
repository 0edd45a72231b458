"""The benchmarks run, and refuse to tell the time of a wrong answer."""

from __future__ import annotations

import json

import attrs
import pytest

from benchmarks.__main__ import main
from benchmarks.measure import check, measure
from benchmarks.report import as_json, table
from benchmarks.subjects import SUBJECTS
from benchmarks.workloads import WORKLOADS, after, issues, people

SMALL = {"issue": issues(60, owners=10), "person": people(1000)}


def small(workload):
    """The workload over 60 rows, its first ten views."""
    if workload.name != "W3":
        return attrs.evolve(workload, tables=lambda: SMALL)
    queries = workload.queries[:10]
    return attrs.evolve(
        workload, tables=lambda: SMALL, queries=queries, oracle=lambda tables: workload.oracle(tables)[: len(queries)]
    )


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda w: f"{w.name} {w.title}")
def test_every_subject_gives_the_right_answer(workload, subject):
    measurement = measure(small(workload), subject, seconds=0.0005, repeats=2)

    assert (measurement.least is None) == bool(measurement.note and not measurement.steps)


def test_a_wrong_answer_ends_the_run():
    (workload,) = [w for w in WORKLOADS if w.name == "W6"]
    right = workload.oracle(SMALL)
    wrong = [[(*row[:1], row[1] + 1, *row[2:]) for row in right[0]]]

    check(workload, right, SMALL)
    with pytest.raises(AssertionError, match="instead of"):
        check(workload, wrong, SMALL)


@pytest.mark.parametrize("workload", [w for w in WORKLOADS if w.batches], ids=lambda w: f"{w.name} {w.title}")
def test_the_stream_of_changes_is_the_same_every_time_and_changes_the_answer(workload):
    workload = small(workload)
    batches = workload.batches(SMALL, 2000)

    assert batches == workload.batches(SMALL, 2000)
    assert batches[:50] == workload.batches(SMALL, 50)
    assert workload.oracle(SMALL) != workload.oracle(after(SMALL, batches))


def test_the_report_has_ratios_first_and_every_workload():
    measurements = [measure(small(WORKLOADS[2]), subject, seconds=0.0005, repeats=2) for subject in SUBJECTS]

    text = table(measurements)

    assert "×" in text
    assert WORKLOADS[2].title in text
    assert 4 == len(json.loads(as_json(measurements))["measurements"])


def test_an_unknown_workload_is_told(capsys):
    with pytest.raises(SystemExit):
        main(["W99"])
    assert "no workload W99" in capsys.readouterr().err
