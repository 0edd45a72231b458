"""Progress: silent while all is quick, a bar in a terminal, a line now and then in a log."""

from __future__ import annotations

import io

import pytest

from sspcore.cli.progress import Progress, describe


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_what_is_done_at_once_says_nothing(stream):
    clock, out = Clock(), stream()
    progress = Progress(out, 100, clock=clock)
    clock.now += 0.4
    progress.at(100, 10)
    progress.close()

    assert "" == out.getvalue()
    assert not progress.spoke


@pytest.mark.parametrize("plain", [True, False])
def test_a_terminal_gets_a_bar_with_share_rate_and_rest(plain):
    clock, out = Clock(), Terminal()
    progress = Progress(out, 1000, plain=plain, clock=clock)
    clock.now += 2
    progress.at(250, 5000)
    progress.close()

    assert "25%  5,000 changes  2,500/s  0:06 left" in out.getvalue()
    assert progress.spoke


def test_the_plain_bar_leaves_a_clean_line():
    clock, out = Clock(), Terminal()
    progress = Progress(out, 1000, plain=True, clock=clock)
    clock.now += 2
    progress.at(500, 5000)
    progress.close()

    assert "[############............] 50%" in out.getvalue()
    assert out.getvalue().endswith(" \r")


def test_a_log_gets_a_line_every_few_seconds_only():
    clock, out = Clock(), io.StringIO()
    progress = Progress(out, None, clock=clock)
    for _ in range(120):
        clock.now += 0.1
        progress.at(1, 1000)
    progress.close()

    assert 2 == len(out.getvalue().splitlines())


def test_of_a_pipe_only_what_is_known_is_told():
    assert "3,000 changes  1,500/s" == describe(50, None, 3000, 2.0)


def test_the_redraws_in_between_cost_a_look_at_the_clock_only():
    """A million calls while nothing is due must not build text: the display is asked ten times a second at most."""
    clock, out = Clock(), Terminal()
    progress = Progress(out, 10, plain=True, clock=clock)
    clock.now += 1
    for _ in range(1000):
        progress.at(5, 5)

    assert 1 == out.getvalue().count("\r")
