"""A strategy that fails makes routing slower, never wrong."""

from __future__ import annotations

import re

import pytest

from sspcore.abc import ALL, Resolved
from sspcore.errors import PluginError
from sspcore.routing.dependency import Dependency
from sspcore.routing.guard import Guard

row = Resolved("t", 1, None, (1,))


class Moody(Dependency):
    """Does its work, unless told to fail: by an exception, or by an answer."""

    def __init__(self):
        super().__init__()
        self.fail_on = ""
        self.answer = None

    def route(self, rows):
        if self.fail_on == "route":
            raise RuntimeError("no idea")
        return super().route(rows) if self.answer is None else self.answer

    def view_added(self, circuit, view, interests):
        if self.fail_on == "view_added":
            raise RuntimeError("what is a view?")
        super().view_added(circuit, view, interests)

    def explain(self, row):
        if self.fail_on:
            raise RuntimeError("because")
        return super().explain(row)


@pytest.fixture
def guard():
    guard = Guard(Moody(), "moody")
    for circuit in ("a", "b"):
        guard.circuit_added(circuit)
    guard.view_added("a", "late", {"t": ALL})
    return guard


def test_while_it_works_its_answer_stands(guard):
    guard.strategy.answer = [(("b", "put"),)]

    assert [(("b", "put"),)] == guard.route([row])
    assert 0 == guard.fell_open


def test_a_route_that_raises_falls_open_to_every_reader_for_that_batch(guard):
    told = []
    guard.on_fault = told.append
    guard.strategy.fail_on = "route"
    assert [(("a", "put"),)] == list(guard.route([row]))
    assert [(("a", "put"),)] == list(guard.route([row]))
    guard.strategy.fail_on = ""
    assert [(("a", "put"),)] == list(guard.route([row]))

    assert 2 == guard.fell_open
    assert [guard.error] == told, "told once"
    assert re.search(
        rf"routing strategy .moody.: route \({__file__}:\d+\) failed with RuntimeError: no idea", str(guard.error)
    )


@pytest.mark.parametrize(
    "answer",
    [[], [(), ()], None.__class__, [(("nowhere", "put"),)], [(("a", "push"),)], [("a",)], 7],
    ids=["too few", "too many", "a class", "unknown circuit", "unknown kind", "no pairs", "a number"],
)
def test_nonsense_falls_open(guard, answer):
    guard.strategy.answer = answer

    assert [(("a", "put"),)] == list(guard.route([row]))
    assert 1 == guard.fell_open
    assert isinstance(guard.error, PluginError)


def test_a_strategy_that_missed_a_view_is_not_trusted_again(guard):
    """It would not raise when routing: it just would not know."""
    guard.strategy.fail_on = "view_added"
    guard.view_added("b", "all", {"t": ALL})
    guard.strategy.fail_on = ""

    assert [(("a", "put"), ("b", "put"))] == list(guard.route([row]))
    assert 1 == guard.fell_open
    assert "from now on" in str(guard.error)


def test_explain_says_that_the_strategy_failed(guard):
    guard.strategy.fail_on = "explain"
    reasons = guard.explain(row)

    assert [("a", True), ("b", False)] == [(r.circuit, r.routed) for r in reasons]
    assert "'moody' failed" in reasons[0].why
