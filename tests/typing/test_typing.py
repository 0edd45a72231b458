"""A type checker finds the slips in typed queries, and nothing else: `good.py` passes, every line of `bad.py` fails."""

import re
from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def complaints():
    """Line → message, per file."""
    files = [str(HERE / "good.py"), str(HERE / "bad.py")]
    out, err, _ = api.run(["--strict", "--no-error-summary", "--hide-error-context", "--no-pretty", *files])
    assert not err
    found = re.findall(r"(\w+)\.py:(\d+): error: (.*)", out)
    assert found, out
    return {(name, int(line)): message for name, line, message in found}


def test_what_is_right_passes(complaints):
    assert {place: message for place, message in complaints.items() if place[0] != "bad"} == {}


def test_every_slip_is_found(complaints):
    lines = (HERE / "bad.py").read_text().splitlines()
    wanted = {number: line.partition("  # ")[2] for number, line in enumerate(lines, 1) if "  # " in line}
    told = {line: message for (name, line), message in complaints.items() if name == "bad"}

    assert wanted.keys() == told.keys()
    assert [n for n, message in wanted.items() if not told[n].startswith(message)] == [], told
