"""Lines from files and pipes: whole, in order, and nothing is taken for a line before it ends."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.errors import ChangeRejected
from sspcore.sources import lines
from sspcore.sources.lines import LineReader


def read(path: Path, most: int = 1000) -> list[list[bytes]]:
    with path.open("rb", buffering=0) as file:
        return list(LineReader(file.fileno(), path.name).batches(most))


@given(
    st.lists(st.binary(max_size=12).filter(lambda b: b"\n" not in b)), st.integers(1, 5), st.integers(1, 40), st.data()
)
def test_a_file_gives_its_lines_whatever_the_block_and_batch_size(tmp_path_factory, parts, most, block, data):
    path = tmp_path_factory.mktemp("lines") / "file"
    ended = data.draw(st.booleans())
    path.write_bytes(b"\n".join(parts) + (b"\n" if ended and parts else b""))
    before, lines.BLOCK = lines.BLOCK, block
    try:
        found = read(path, most)
    finally:
        lines.BLOCK = before

    expected = path.read_bytes().split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    assert expected == [line for batch in found for line in batch]
    assert all(0 < len(batch) <= most for batch in found)


def test_a_last_line_without_an_end_counts(tmp_path):
    (tmp_path / "f").write_bytes(b"one\ntwo")

    assert [[b"one"], [b"two"]] == read(tmp_path / "f")


def test_an_empty_file_has_no_lines(tmp_path):
    (tmp_path / "f").touch()

    assert [] == read(tmp_path / "f")


def test_a_followed_file_gives_what_is_appended_and_a_half_line_only_when_it_ends(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"one\ntw")
    appended = iter([b"", b"o\nthr", b"ee\n"])

    def sleep(seconds: float) -> None:
        with path.open("ab") as file:
            file.write(next(appended))

    with path.open("rb", buffering=0) as file:
        batches = LineReader(file.fileno(), "f", follow=True, sleep=sleep).batches(10)
        found = list(islice((batch for batch in batches if batch), 3))

    assert [[b"one"], [b"two"], [b"three"]] == found


def test_a_followed_file_says_that_it_was_cut_short(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"one\n")
    with path.open("rb", buffering=0) as file:
        batches = LineReader(file.fileno(), "f", follow=True, sleep=lambda s: os.truncate(path, 0)).batches(10)
        with pytest.raises(ChangeRejected, match="f was cut short"):
            list(batches)


def test_a_followed_pipe_ends_when_its_writer_does():
    reading, writing = os.pipe()
    os.write(writing, b"one\n")
    batches = LineReader(reading, "pipe", follow=True).batches(10)

    assert [b"one"] == next(batches)
    assert [] == next(batches)  # caught up: the writer is still there
    os.write(writing, b"two")
    os.close(writing)
    assert [[b"two"]] == [batch for batch in batches if batch]
    os.close(reading)


def test_a_line_that_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE", 1 << 20)
    (tmp_path / "f").write_bytes(b"x" * (3 << 20))

    with pytest.raises(ChangeRejected, match="longer than 1 MiB"):
        read(tmp_path / "f")
