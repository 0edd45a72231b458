"""The index's benchmark runs, and refuses to tell the time of a wrong answer."""

from __future__ import annotations

import json

import pytest

from benchmarks import routing_index


def test_every_case_is_right_and_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(routing_index, "timed", lambda function, items, repeats=1: 1.0)
    assert routing_index.main(["--sizes", "60", "--forms", "60", "--json", str(tmp_path / "run.json")]) == 0

    found = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert {case["case"] for case in found} >= {"eq", "mix", "memory eq", "one env AND @>", "20 columns"}
    assert all(case.get("route", 1.0) == 1.0 for case in found)
    assert len(capsys.readouterr().out.splitlines()) == len(found)


def test_a_wrong_answer_ends_the_run():
    predicates = routing_index.Workload("eq", 60).predicates
    index, _ = routing_index.filled(predicates)
    rows = routing_index.Workload("eq", 60).rows(5)
    routing_index.checked(index, routing_index.compiled(predicates), rows)
    with pytest.raises(AssertionError):
        routing_index.checked(index, routing_index.compiled(predicates[::-1]), rows)
