"""Files one can hold in the head, rooms that say what they are for, no word about the place they were written in."""

from __future__ import annotations

import ast
import doctest
import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture.rings import ROOT, modules, tree

MOST_LINES = 400
"""Six screens: what one reads before lunch."""

FACADES = {"sspcore", "testing"}
"""Packages whose `__init__` is a public door; all others hold a docstring and nothing else."""

FOREIGN = re.compile(r"/(?:work|farm)/|(?<![\w.])/root/|\bshared/(?!cases)|\bissue #?\d|\b(?:FIXME|XXX|TODO)\b")
"""Paths of a machine, a workplace's folders, numbers of a tracker no reader has, and thoughts left unfinished."""


def tracked() -> list[Path]:
    """The files of the repository; without git (an unpacked source distribution), the files of the folders it holds."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [path for folder in ("src", "tests", "docs", "benchmarks") for path in (ROOT / folder).rglob("*.*")]


@pytest.mark.parametrize("module", modules())
def test_a_file_holds_one_idea_and_says_which(module):
    path = modules()[module]
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines < MOST_LINES, f"{path.name} has {lines} lines: find the second idea and give it a file of its own"
    assert ast.get_docstring(tree(path)), f"{path.name}: begin with what the module owns and what it refuses to know"


@pytest.mark.parametrize("module", [name for name, path in modules().items() if path.name == "__init__.py"])
def test_a_room_says_what_it_is_for_and_exports_nothing(module):
    path = modules()[module]
    doc = ast.get_docstring(tree(path)) or ""
    assert doc, f"{module}: two sentences, what the room is for and what it refuses to know"
    if module not in FACADES:
        assert len(tree(path).body) == 1, f"{module}/__init__.py: only the docstring; users import from the facade"
        assert len(doc) < 400, f"{module}: two sentences"


def test_no_file_speaks_of_the_place_it_was_written_in():
    faults = []
    for path in tracked():
        if path == Path(__file__) or path.suffix in {".png", ".jsonl", ".lock"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if found := FOREIGN.search(line):
                faults.append(f"{path.relative_to(ROOT)}:{number}: {found.group()!r} means nothing to a reader")
    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize("line", ["see /" + "work/x", "shared" + "/design", "issue" + " 12", "FIX" + "ME later"])
def test_the_search_for_foreign_words_finds_them(line):
    assert FOREIGN.search(line)


@pytest.mark.parametrize("module", [name for name in modules() if not name.endswith("__main__")])
def test_the_examples_in_docstrings_are_true(module):
    """Each docstring's example runs as written, with the names of its own module at hand."""
    loaded = import_module("sspcore" if module == "sspcore" else f"sspcore.{module}")
    names = dict(vars(loaded))
    if module == "sspcore":  # the facade is lazy: let its examples find its names
        names |= {name: getattr(loaded, name) for name in loaded.__all__}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for test in doctest.DocTestFinder(exclude_empty=True).find(loaded, loaded.__name__, extraglobs=names):
        runner.run(test, out=report.append)
    assert not runner.failures, "\n" + "".join(report)
