"""The page about the protocol names every message and every field there is."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from sspcore.wire.messages import CLIENT_MESSAGES, SERVER_MESSAGES

PAGE = (Path(__file__).parents[2] / "docs/reference/wire.md").read_text()


@pytest.mark.parametrize("name", [*CLIENT_MESSAGES, *SERVER_MESSAGES])
def test_a_message_is_described_with_all_its_fields(name: str) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    fields = [a.metadata["name"] or a.name for a in attrs.fields((CLIENT_MESSAGES | SERVER_MESSAGES)[name])]
    assert [field for field in fields if f"`{field}`" not in row] == []
