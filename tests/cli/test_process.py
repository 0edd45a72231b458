"""The command as a process: pipes, signals, a terminal. Few, for each starts an interpreter."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.cli.conftest import DAY

COMMAND = [sys.executable, "-m", "sspcore.cli.main"]
SECONDS = 60
"""A limit against hanging, not a measurement: a shared machine may be slow."""


def popen(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([*COMMAND, *map(str, arguments)], **pipes)


def popen_bytes(*arguments: bytes) -> subprocess.Popen[bytes]:
    command = [part.encode() for part in COMMAND] + list(arguments)
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_pipe_is_read_to_its_end():
    process = popen("query", "-", "SELECT id FROM flights", "--format", "jsonl")
    out, err = process.communicate(DAY.encode(), timeout=SECONDS)

    assert (0, b'{"id": "UA7"}\n', b"") == (process.returncode, out, err)


def test_deltas_leave_as_they_happen():
    """What a change did is written before the next change is sent: nothing waits in a buffer."""
    with popen("query", "-", "SELECT count(*) AS n FROM flights", "--deltas", "--follow", "--format", "csv") as process:
        assert b"version,change,n\n" == process.stdout.readline()
        assert b"0,+,0\n" == process.stdout.readline()
        process.stdin.write(DAY.encode().splitlines(keepends=True)[0])
        process.stdin.flush()
        assert [b"1,-,0\n", b"1,+,1\n"] == [process.stdout.readline(), process.stdout.readline()]
        process.stdin.close()
        assert 0 == process.wait(SECONDS)


def test_a_reader_who_has_seen_enough_ends_the_command_quietly(day):
    reading, writing = os.pipe()
    os.close(reading)
    process = popen("query", day, "SELECT id FROM flights", "--format", "jsonl", stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=SECONDS)

    assert (0, b"") == (process.returncode, err)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_is_told_without_a_traceback(day):
    with open("/dev/full", "wb") as full:
        process = popen("query", day, "SELECT id FROM flights", stdout=full)
        _, err = process.communicate(timeout=SECONDS)

    assert (1, b"sspcore: No space left on device\n") == (process.returncode, err)


@pytest.mark.parametrize(("closing", "stream"), [(">&-", "output"), ("<&-", "input")])
def test_a_closed_stream_is_told_without_a_traceback(closing, stream):
    command = f'"{sys.executable}" -m sspcore.cli.main query - "SELECT 1 AS one" {closing}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False, timeout=SECONDS)

    assert 2 == done.returncode
    assert f"sspcore: standard {stream} is closed".encode() in done.stderr
    assert b"Traceback" not in done.stderr


def test_answers_are_utf_8_whatever_the_locale():
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    process = popen("query", "-", "SELECT 'ü' AS \"ß\"", "--format", "jsonl", env=environment)
    out, err = process.communicate(b"", timeout=SECONDS)

    assert (0, '{"ß": "ü"}\n'.encode(), b"") == (process.returncode, out, err)


def test_a_query_that_is_no_text_is_told():
    process = popen_bytes(b"query", b"-", b'SELECT 1 AS "\xff"')
    out, err = process.communicate(b"", timeout=SECONDS)

    assert (2, b"") == (process.returncode, out)
    assert b"not UTF-8" in err


def test_a_followed_file_is_read_as_it_grows_and_ctrl_c_ends_it_well(day):
    with popen("query", day, "SELECT id FROM flights", "--follow", "--format", "jsonl") as process:
        assert {"id": "UA7"} == json.loads(process.stdout.readline())
        with day.open("a") as file:
            file.write('{"table": "flights", "op": "create", "id": "B6", "row": {}}\n')
        assert [b"\n", b'{"id": "UA7"}\n', b'{"id": "B6"}\n'] == [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)

    assert (0, b"", b"") == (process.returncode, out, err)


def test_ctrl_c_while_reading_a_pipe_exits_130_without_a_traceback():
    with popen("query", "-", "SELECT 1 AS one", "--format", "jsonl") as process:
        # The command is past its start when it has taken what was sent.
        os.set_blocking(process.stdin.fileno(), False)
        time_limit = time.monotonic() + SECONDS
        sent = 0
        while sent < 1 << 20 and time.monotonic() < time_limit:
            if select.select([], [process.stdin], [], 1)[1]:
                sent += os.write(process.stdin.fileno(), b"\n" * 4096)
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)
        err = process.stderr.read()

    assert (130, b"") == (process.returncode, err)


def in_terminal(arguments: list[object], lines: int = 24, columns: int = 80) -> tuple[int, str]:
    """Exit code and everything a command writes to a terminal of that size; Ctrl-C once it has drawn three times."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (lines, columns))
    environment = os.environ | {"TERM": "xterm", "LANG": "C.UTF-8"}
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        environment.pop(name, None)
    process = popen(*arguments, stdin=follower, stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    text = b""
    interrupted = False
    while True:
        try:
            block = os.read(leader, 1 << 16)
        except OSError:  # the last writer is gone
            break
        if not block:
            break
        text += block
        if not interrupted and text.count(b"Ctrl-C ends") >= 2:
            process.send_signal(signal.SIGINT)
            interrupted = True
    os.close(leader)
    return process.wait(SECONDS), text.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_in_a_terminal_the_followed_table_is_redrawn_in_place_and_fits(tmp_path: Path):
    path = tmp_path / "many.jsonl"
    path.write_text("".join(
        f'{{"table": "t", "op": "create", "id": {n}, "row": {{"text": "{"x" * 200}"}}}}\n' for n in range(100)
    ))  # fmt: skip

    code, text = in_terminal(["query", path, "SELECT id, text FROM t ORDER BY id", "--follow"], lines=10, columns=40)

    assert 0 == code
    assert "\x1b[J" in text
    assert "more rows" in text
    pictures = [picture.splitlines() for picture in text.split("\x1b[J")]
    assert all(len(picture) <= 10 for picture in pictures[:-1])
    assert [] == [line for picture in pictures[:-1] for line in picture if len(line) > 40]
    assert 102 == len(pictures[-1])  # at the end all of it is shown, once
