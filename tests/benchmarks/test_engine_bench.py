"""The benchmarks run at toy size, and refuse to tell the time of a wrong answer."""

from __future__ import annotations

import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import attrs
import pytest

from benchmarks.engine import growth, plots, report
from benchmarks.engine.data import after, events, issues, people
from benchmarks.engine.goals import outcomes
from benchmarks.engine.main import suits
from benchmarks.engine.peers import Peer, Peers
from benchmarks.engine.runner import Bench, Measurement, check
from benchmarks.engine.shapes import SHAPES
from benchmarks.engine.subjects import DRIVERS, OURS, SUBJECTS, TUPLES
from benchmarks.engine.workloads import WORKLOADS, Goal, Workload

SMALL = {"issue": issues(60, owners=10), "person": people(1000), "event": events(1200, 10)}
LOCAL = [s for s in SUBJECTS if s.peer is None]
BY_NAME = {s.name: s for s in SUBJECTS}


class Here:
    """Peers for subjects that need none."""

    def find(self, name):
        assert name is None
        return Peer((sys.executable,), DRIVERS)


def small(workload):
    """The workload over 60 rows, its first ten views."""
    return attrs.evolve(
        workload, tables=lambda: SMALL, views=workload.views[:10], length=40, more=dict(workload.more) | {"places": 100}
    )


def measured(workload, subject):
    with Bench(workload, 0.002, 60) as bench:
        return bench.measure(subject, Here())


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda w: w.key)
def test_every_workload_runs_and_its_answer_is_right(workload):
    measurement = measured(small(workload), BY_NAME[OURS])

    assert ("ok", "") == (measurement.status, "" if measurement.status == "ok" else measurement.note)
    assert measurement.least > 0
    assert len(range(5)) <= measurement.repeats or workload.mode == "memory"


@pytest.mark.parametrize("subject", [s for s in LOCAL if s.name != OURS], ids=lambda s: s.name)
@pytest.mark.parametrize("name", ["W2", "W4", "W6"])
def test_what_python_brings_is_right_too(subject, name):
    workload = next(w for w in WORKLOADS if w.name == name)

    assert "ok" == measured(small(workload), subject).status


def test_a_subject_that_answers_wrongly_has_no_time(tmp_path, monkeypatch):
    """A driver that forgets one row in its answer."""
    driver = tmp_path / "forgetful.py"
    driver.write_text(
        f"""import sys
sys.path.insert(0, {str(DRIVERS)!r})
import clock
from in_sqlite import Sqlite
class Forgetful(Sqlite):
    def answers(self):
        return [rows[1:] for rows in super().answers()]
clock.main(Forgetful(False))
""",
        encoding="utf-8",
    )
    workload = small(next(w for w in WORKLOADS if w.name == "W6"))

    found = measured(workload, attrs.evolve(BY_NAME["sqlite"], driver=str(driver)))

    assert ("wrong", None, None) == (found.status, found.least, found.typical)
    assert "WRONG" in [cell for _, _, rows in report.tables([measured(workload, BY_NAME[OURS]), found], []) for r in rows
                       for cell in r]  # fmt: skip


def test_a_subject_that_breaks_is_told_and_the_others_go_on(tmp_path):
    driver = tmp_path / "broken.py"
    driver.write_text("raise SystemExit('no luck')", encoding="utf-8")

    found = measured(small(WORKLOADS[2]), attrs.evolve(BY_NAME["sqlite"], driver=str(driver)))

    assert ("failed", "no luck") == (found.status, found.note)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows[:-1],
        lambda rows: [*rows, rows[0]],
        lambda rows: [(*rows[0][:1], rows[0][1] + 1, *rows[0][2:]), *rows[1:]],
    ],
    ids=["a row missing", "a row twice", "a number off by one"],
)
def test_the_check_finds_a_wrong_answer(spoil):
    views = [("groups", {})]
    right = SHAPES["groups"].answer(SMALL, {})

    assert not check(views, [list(reversed(right))], [right])
    assert check(views, [spoil(right)], [right])


def test_the_check_minds_the_order_where_there_is_one():
    right = SHAPES["top"].answer(SMALL, {})

    assert not check([("top", {})], [right], [right])
    assert check([("top", {})], [[right[1], right[0], *right[2:]]], [right])


def test_the_check_forgives_the_last_digits_of_a_sum():
    assert not check([("groups", {})], [[("open", 3, 0.1 + 0.2, 1.0)]], [[("open", 3, 0.3, 1)]])


@pytest.mark.parametrize("workload", [w for w in WORKLOADS if w.batches and w.mode == "step"], ids=lambda w: w.key)
def test_the_stream_of_changes_is_the_same_every_time_and_changes_the_answer(workload):
    batches = workload.batches(SMALL, 2000)
    shape, params = workload.views[0]

    assert batches == workload.batches(SMALL, 2000)
    assert batches[:50] == workload.batches(SMALL, 50)
    answers = [SHAPES[shape].answer(after(SMALL, batches, n, True), params) for n in range(0, 2000, 50)]
    assert any(answer != answers[0] for answer in answers)


def test_walked_back_the_stream_undoes_itself():
    batches = next(w for w in WORKLOADS if w.name == "W2").batches(SMALL, 20)

    assert SMALL == after(SMALL, batches, 40, False)
    assert after(SMALL, batches, 15, True) == after(SMALL, batches, 25, False) == after(SMALL, batches, 65, False)


def test_what_was_measured_becomes_tables_goals_json_and_pictures(tmp_path):
    workloads = [attrs.evolve(small(WORKLOADS[2]), goal=Goal(1.0, 1e-12, {"rest": 1e-9}))]
    measurements = [measured(workloads[0], s) for s in LOCAL if suits(s, workloads[0], False)]
    judged = list(outcomes(workloads, measurements))
    curve = growth.Series("views", "views", OURS, ((1, 1e-6), (10, 1.1e-6), (100, 1.2e-6)), 0.04)
    data = json.loads(report.as_json(report.as_data(measurements, judged, [curve], 1.5)))

    assert {OURS, TUPLES, "sqlite-triggers", "sqlite"} == {m["subject"] for m in data["measurements"]}
    assert [True, False, True, True] == [goal["met"] for goal in data["goals"]]
    titles = [title for title, header, rows in report.tables(measurements, judged) if header and rows]
    assert ["× faster", "time per", "goals"] == [title[:8].strip() for title in titles]
    assert [tmp_path / "engine-bars.svg", tmp_path / "engine-growth.svg"] == plots.write(data, tmp_path)
    assert [tmp_path / "one.svg"] == plots.write(data, tmp_path / "one.svg")
    for file in tmp_path.glob("*.svg"):
        words = "".join(ET.parse(file).getroot().itertext())
        assert "sspcore" in words, file
    assert "e = 0.04" in (tmp_path / "engine-growth.svg").read_text("utf-8")


@pytest.mark.parametrize(("name", "make"), [(name, make) for name, _, make, _ in growth.CURVES])
def test_what_grows_is_measured_and_right(name, make):
    with Bench(make(10), 0.002, 60, length=40) as bench:
        assert "ok" == bench.measure(BY_NAME[OURS], Here()).status


def test_the_exponent_is_the_slope():
    assert 0.5 == growth.exponent([(n, n**0.5) for n in (1, 10, 100, 1000)])


def test_a_peer_that_cannot_be_had_is_absent_and_says_why(monkeypatch, tmp_path):
    monkeypatch.setenv("SSPCORE_BENCH_CACHE", str(tmp_path))
    with Bench(small(WORKLOADS[2]), 0.002, 60) as bench:
        found = bench.measure(BY_NAME["pydbsp"], Peers("none", print))

    assert "absent" == found.status
    assert "install" in found.note


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "sspcore.cli.main", "bench", *arguments], capture_output=True, text=True, check=False
    )


def test_the_command_measures_and_writes(tmp_path):
    done = command(
        "engine", "--quick", "--only", "W2", "--peers", "sqlite-triggers", "--offline", "--json", str(tmp_path / "run.json"),
        "--plot", str(tmp_path),
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    assert "W2 1 filter view" in done.stdout
    assert "[3/3]" in done.stderr
    assert 3 == len(json.loads((tmp_path / "run.json").read_text("utf-8"))["measurements"])
    assert (tmp_path / "engine-bars.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("engine", "--only", "W99"), "no workload 'W99'"),
        (("engine", "--peers", "oracle"), "no peer 'oracle'"),
        (("engine", "--json", "nowhere/run.json"), "no such folder"),
    ],
)
def test_what_is_not_there_is_told(arguments, words):
    done = command(*arguments)

    assert 2 == done.returncode
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_measurements_know_what_is_typical():
    ours = Measurement("W2", "x", OURS, "ok", least=2.0)

    assert 2.0 == ours.typical
    assert 1.0 == attrs.evolve(ours, slice=1.0).typical


def test_workloads_have_names_of_their_own():
    assert len(WORKLOADS) == len({w.key for w in WORKLOADS})
    assert all(isinstance(w, Workload) for w in WORKLOADS)
