"""Strategies side by side, at toy size: right ones get a time, a wrong one gets none and is told with the change."""

from __future__ import annotations

import argparse
import json
from xml.etree import ElementTree as ET

import attrs
import pytest

from benchmarks.routing import away, growth, main, measure, plots, report
from benchmarks.routing.oracle import Oracle
from benchmarks.routing.workloads import FULL, QUICK, TOY, workloads
from sspcore import errors
from sspcore.abc import StrategySpec
from sspcore.engine.options import CircuitOptions
from sspcore.hookspecs import hookimpl
from sspcore.ingress.base_tables import BaseTables
from sspcore.plugins import Plugins
from sspcore.routing.dependency import Dependency

WORKLOADS = {w.name: w for w in workloads(TOY)}
OURS = list(Plugins().strategies)


def asked(workload, strategy):
    return workload.options.get(strategy, main.DEFAULTS.get(strategy, {}))


@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize("strategy", OURS)
def test_every_strategy_is_right_on_every_workload_it_suits(name, strategy):
    workload = WORKLOADS[name]
    measured = measure.measure(workload, strategy, asked(workload, strategy), 0.05)

    assert measured.status in ("ok", "unsuited"), measured.note
    if measured.status == "ok":
        assert 0 < measured.least <= measured.middle
        assert 0 <= measured.wasted <= measured.delivered
        assert measured.memory > 0
        assert (measured.churn is not None) == (name == "churn")


def test_broadcast_delivers_to_everybody_and_most_of_it_in_vain():
    workload = WORKLOADS["tenants"]
    measured = measure.measure(workload, "broadcast", {}, 10)

    circuits = len(workload.circuits) + 1  # and "main"
    assert measured.delivered > 0.8 * circuits * measured.changes
    assert measured.wasted > measured.delivered / 2


def test_tables_of_their_own_leave_little_to_waste():
    measured = measure.measure(WORKLOADS["disjoint"], "dependency", {}, 10)

    assert measured.delivered <= measured.changes


class Forgetful(Dependency):
    """Loses the rows of even ids that change."""

    def route(self, rows):
        return [() if row.old is not None and row.id % 2 == 0 else targets
                for row, targets in zip(rows, super().route(rows), strict=True)]  # fmt: skip


class Stranger:
    @hookimpl
    def sspcore_routing_strategies(self):
        return [StrategySpec("forgetful", Forgetful)]


@pytest.fixture
def stranger(monkeypatch):
    """Installed, as far as the benchmark can tell."""
    plain = Plugins.__init__

    def with_stranger(self, plugins=(), load=()):
        plain(self, [*plugins, *([Stranger()] if "*" in load else [])], [name for name in load if name != "*"])

    monkeypatch.setattr(Plugins, "__init__", with_stranger)


@pytest.mark.usefixtures("stranger")
def test_a_strangers_strategy_takes_part_and_what_it_loses_is_told_with_the_change():
    workload = WORKLOADS["everything"]
    assert "forgetful" in main.strategies(None)

    measured = measure.measure(workload, "forgetful", {}, 10)

    assert measured.status == "wrong"
    assert measured.least is None
    flat = [change for batch in workload.stream for change in batch]
    number = int(measured.note.split("change ")[1].split(" ")[0])
    lost = flat[number - 1]
    assert lost.id % 2 == 0
    assert f"change {number} ({lost.op} orders {lost.id})" in measured.note
    assert "view 'totals'" in measured.note


def test_what_is_needed_is_counted_without_any_index():
    workload = WORKLOADS["everything"]
    flat = sum(map(len, workload.stream))

    needed = Oracle(workload).needed(len(workload.stream), None)

    assert 0.8 * flat * len(workload.circuits) <= needed <= flat * len(workload.circuits)


def test_reports_and_pictures_of_a_run(tmp_path):
    found = [
        measure.measure(WORKLOADS[name], strategy, asked(WORKLOADS[name], strategy), 0.05, memory=False)
        for name in ("tenants", "everything") for strategy in ("broadcast", "routed", "sharded")
    ]  # fmt: skip
    chosen = [WORKLOADS["tenants"], WORKLOADS["everything"]]
    curves = [*growth.measure({"dependency": {}, "broadcast": {}}, (1, 3))]

    titles = [title for title, *_ in [*report.tables(chosen, found), *report.grown(curves)]]
    data = json.loads(json.dumps(report.as_data(chosen, found, curves)))
    (written,) = plots.write(data, tmp_path)

    assert [title.split(":")[0] for title in titles] == ["tenants", "everything", "the ingress alone"]
    assert any("sharded" in note for note in report.notes(found))
    texts = [element.text for element in ET.parse(written).iter() if element.text]
    assert "routed" in texts
    assert len([text for text in texts if text.startswith("broadcast")]) == 3


def options(**given):
    plain = {"strategy": None, "options": [], "only": None, "quick": True, "json": None, "plot": None, "seconds": None}
    return argparse.Namespace(**plain | given)


def test_the_command_measures_what_it_is_asked_for(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(main, "QUICK", TOY)
    file = tmp_path / "run.json"

    code = main.run(options(strategy="dependency", only="tenants", json=str(file), seconds=0.01))

    assert code == 0
    assert "dependency" in capsys.readouterr().out
    (measured,) = json.loads(file.read_text())["measurements"]
    assert (measured["workload"], measured["status"]) == ("tenants", "ok")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategy": "dependncy"}, "no strategy 'dependncy'"),
        ({"only": "tenant"}, "no workload 'tenant'"),
        ({"options": ["mine={"]}, "no JSON after NAME="),
        ({"json": "/nowhere/at/all.json"}, "there is no such folder"),
    ],
)
def test_nonsense_is_refused_before_anything_is_measured(given, message, monkeypatch):
    monkeypatch.setattr(main, "QUICK", TOY)
    with pytest.raises(errors.UsageError, match=message):
        main.run(options(**given))


@pytest.mark.parametrize(
    "case", [c for size in (1, 7, 60) for c in away.cases([size])], ids=lambda c: f"{c.idea} {c.size}"
)
def test_what_routing_does_without_is_measured_on_right_answers(case):
    answer = away.measured(attrs.evolve(case, rows=case.rows[:60]))

    assert answer.instead > 0
    assert answer.index > 0


def test_a_wrong_alternative_has_no_time():
    case = next(iter(away.cases([7])))
    with pytest.raises(SystemExit, match="instead of"):
        away.measured(attrs.evolve(case, instead=lambda row: [99]))


@pytest.mark.parametrize("size", [QUICK, FULL], ids=["quick", "full"])
def test_every_stream_is_one_that_a_strict_door_takes(size):
    for workload in workloads(size):
        base = BaseTables(CircuitOptions())
        for schema in workload.schemas:
            base.declare(schema)
        for batch in [*workload.rows, *workload.stream]:
            base.commit(base.resolve(batch))
