"""The index beside others: who is right gets a time, who is wrong or absent gets the reason."""

from __future__ import annotations

import json
import types
from xml.etree import ElementTree as ET

import pytest

from benchmarks.engine.peers import Absent
from benchmarks.routing import index, rules
from sspcore.plan.expressions import Call, Column, Constant

USER, PROJECT, CATEGORY, TAGS = Column(1), Column(2), Column(3), Column(7)


def call(function, *args):
    return Call(function, tuple([a if isinstance(a, Column | Call) else Constant(a) for a in args]))


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Sizes of a toy, and no engine installed."""
    monkeypatch.setattr(index, "QUICK_SIZES", (60,))
    monkeypatch.setenv("SSPCORE_BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(index.routing_index, "memory", lambda kind, n: {
        "case": f"memory {kind}", "predicates": n, "bytes lanes": 50.0, "bytes index": 60.0})  # fmt: skip


def test_everybody_there_is_timed_and_the_others_say_why(small, tmp_path, capsys):
    assert index.main(["--quick", "--json", str(tmp_path / "run.json"), "--plot", str(tmp_path / "run.svg")]) == 0

    data = json.loads((tmp_path / "run.json").read_text("utf-8"))
    found = {(m["case"], m["subject"]): m for m in data["measurements"]}
    for case in ("eq", "mix", *index.FORMS):
        assert all(found[case, name]["seconds"] > 0 for name in (index.OURS, index.LOOPED, index.NAIVE))
    assert "not installed; a run without --quick installs it" == found["eq", "json-logic"]["note"]
    told = capsys.readouterr().out
    assert "json-logic: not installed" in told
    assert len([line for line in told.splitlines() if line.startswith("one env AND @>")]) == 1
    assert ET.parse(tmp_path / "run.svg").getroot().tag.endswith("svg")


def test_who_is_wrong_gets_no_time(small, monkeypatch, capsys):
    monkeypatch.setitem(rules.MAKERS, "json-logic", lambda module, predicates: lambda row: [0])
    monkeypatch.setattr(rules, "module", lambda name, fetch: types.ModuleType(name))
    monkeypatch.delitem(rules.PACKAGES, "business-rules")
    monkeypatch.setattr(index, "SUBJECTS", (index.OURS, index.NAIVE, *rules.PACKAGES))
    monkeypatch.setitem(rules.MAKERS, "rule-engine", lambda module, predicates: rules.said(Call("like", ())))
    assert index.main(["--quick"]) == 1
    told = capsys.readouterr().out
    assert "WRONG" in told
    assert "json-logic: WRONG for (" in told
    assert "rule-engine: has no words for such predicates" in told


def test_predicates_in_the_languages_of_rule_engines():
    either = call("or", call("and", call("=", USER, 7), call("<>", CATEGORY, 1)), call("in", PROJECT, 1, 2))
    assert rules.said(either) == "(((user_id == 7) and (category != 1)) or (project_id in [1, 2]))"
    assert rules.said(call("@>", TAGS, ("a", "b"))) == '("a" in tags and "b" in tags)'
    assert rules.logic(call("@>", TAGS, ("a",))) == {"and": [{"in": ["a", {"var": "tags"}]}]}
    assert rules.logic(either)["or"][1] == {"in": [{"var": "project_id"}, [1, 2]]}
    with pytest.raises(Absent):
        rules.logic(call("like", USER, "a%"))
