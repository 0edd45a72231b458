"""Running the command in this process, with its output captured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from sspcore.cli.main import main


@attrs.frozen
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def sspcore(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """`sspcore("query", file, sql)` → exit code, standard output, standard error."""

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run


DAY = """\
{"table": "flights", "op": "create", "id": "AA1", "row": {"carrier": "AA", "dep_delay": 75}}
{"table": "flights", "op": "create", "id": "UA7", "row": {"carrier": "UA", "dep_delay": null}}
{"table": "airlines", "op": "create", "id": "AA", "row": {"name": "American"}}
{"table": "flights", "op": "merge", "id": "UA7", "row": {"dep_delay": 90}}
{"table": "flights", "op": "delete", "id": "AA1"}
"""


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """A change file of five lines."""
    path = tmp_path / "day.jsonl"
    path.write_text(DAY)
    return path
