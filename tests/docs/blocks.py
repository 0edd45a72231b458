"""The code blocks of a page, and how each language is made to prove itself.

A page is run from top to bottom in an empty folder, as a reader would: what one block defines or writes, the next may
use.

python     executed; all blocks of a page share their names
pycon      a doctest, with those names
console    each `$ command` is run by bash; lines after it, where there are any, are what it prints (`...` stands for
           any text); `# exits 2` at the end of a command says that it fails, and how
output     what the block before it printed (`...` as above)
toml json jsonl csv   must parse; sql must be a query that can be kept live
text       not code

A block with `title="name"` is also written to that file, for the blocks that follow.
A block that cannot run here says why, on the line before it: `<!-- not run: reason -->`.
"""

from __future__ import annotations

import contextlib
import csv
import doctest
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL)
EXCUSE = re.compile(r"<!-- not run: (?P<reason>.+?) -->\s*\Z")
EXITS = re.compile(r"\s+# exits (?P<code>\d+)$")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SECONDS = 120
"""A command in the documentation that takes longer would lose its reader too."""


@attrs.frozen
class Block:
    """A fenced block: its language, its title (a file to write), its text, its line, and why it is not run."""

    language: str
    title: str
    body: str
    line: int
    excuse: str = ""


class Untrue(AssertionError):
    """The page says something that is not so; the message names page and line."""


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for match in FENCE.finditer(text):
        language, _, rest = match["info"].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', rest)
        excuse = EXCUSE.search(text[: match.start()])
        indent = match["indent"]
        body = "".join(line.removeprefix(indent) for line in match["body"].splitlines(keepends=True))
        yield Block(
            language, title[1] if title else "", body, text.count("\n", 0, match.start()) + 1,
            excuse["reason"] if excuse else "",
        )  # fmt: skip


class Page:
    """One page being run in a folder of its own, with the commands of this environment or of another."""

    def __init__(self, name: str, folder: Path, scripts: Path | None = None) -> None:
        self.name, self.folder = name, folder
        self.scripts = scripts or Path(sys.executable).parent
        self.names: dict[str, Any] = {"__name__": "__docs__"}
        self.printed = ""

    def run(self, block: Block) -> None:
        """Prove one block. Raises Untrue, or whatever its code raises."""
        if block.excuse:
            return
        runner = RUNNERS.get(block.language)
        if runner is None:
            raise self.untrue(
                block, f"no way to check {block.language or 'a block without language'!r}: "
                f"name one of {', '.join(sorted(RUNNERS))}, or write <!-- not run: reason --> above it",
            )  # fmt: skip
        try:
            runner(self, block)
        except Untrue:
            raise
        except Exception as error:
            raise self.untrue(block, f"{type(error).__name__}: {error}") from error
        if block.title:
            file = self.folder / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.body, encoding="utf-8")

    def untrue(self, block: Block, why: str) -> Untrue:
        return Untrue(f"{self.name}:{block.line}: {why}")

    def compare(self, block: Block, expected: str, actual: str) -> None:
        if not doctest.OutputChecker().check_output(expected.strip() + "\n", actual.strip() + "\n", FLAGS):
            raise self.untrue(block, f"the page shows\n{expected.strip()}\nbut it prints\n{actual.strip()}")

    def python(self, block: Block) -> None:
        code = compile("\n" * block.line + block.body, self.name, "exec", dont_inherit=True)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(code, self.names)
        self.printed = out.getvalue()

    def pycon(self, block: Block) -> None:
        test = doctest.DocTestParser().get_doctest(block.body, self.names, self.name, self.name, block.line)
        test.globs = self.names
        report: list[str] = []
        runner = doctest.DocTestRunner(optionflags=FLAGS)
        runner.run(test, out=report.append, clear_globs=False)
        if runner.failures:
            raise self.untrue(block, "".join(report))

    def console(self, block: Block) -> None:
        for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            command = [lines.pop(0)]
            while command[-1].endswith("\\"):
                command.append(lines.pop(0))
            exits = EXITS.search(command[-1])
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", "\n".join(command)],
                cwd=self.folder, env=environment(self.scripts), check=False, timeout=SECONDS,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
            if done.returncode != (int(exits["code"]) if exits else 0):
                raise self.untrue(block, f"{command[0]!r} exits {done.returncode}:\n{done.stdout}")
            if any(line.strip() for line in lines):
                self.compare(block, "\n".join(lines), done.stdout)
            self.printed = done.stdout

    def output(self, block: Block) -> None:
        self.compare(block, block.body, self.printed)

    def json(self, block: Block) -> None:
        json.loads(block.body)

    def jsonl(self, block: Block) -> None:
        for line in block.body.splitlines():
            json.loads(line)

    def toml(self, block: Block) -> None:
        tomllib.loads(block.body)

    def csv(self, block: Block) -> None:
        if len({len(row) for row in csv.reader(block.body.splitlines())}) > 1:
            raise self.untrue(block, "rows of different length")

    def sql(self, block: Block) -> None:
        from sspcore import Circuit

        for statement in re.split(r";\s*$", block.body, flags=re.MULTILINE):
            if statement.strip():
                Circuit().explain(statement)

    def text(self, block: Block) -> None:
        """Not code."""


RUNNERS: dict[str, Callable[[Page, Block], None]] = {
    "python": Page.python, "pycon": Page.pycon, "console": Page.console, "output": Page.output, "json": Page.json,
    "jsonl": Page.jsonl, "toml": Page.toml, "csv": Page.csv, "sql": Page.sql, "text": Page.text,
}  # fmt: skip


def environment(scripts: Path) -> dict[str, str]:
    """The reader's environment: these commands first, no colours, a fixed width."""
    return os.environ | {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PYTHONIOENCODING": "utf-8",
        "TERM": "dumb",
    }
