"""Code that gives no answer: interrupted, reported, and never felt by anything that runs after it."""

from __future__ import annotations

import logging
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from sspcore import hookimpl, upsert
from sspcore.abc import Accept, PolicySpec, StrategySpec
from sspcore.errors import PluginError
from sspcore.routing.dependency import Dependency
from sspcore.runtime import watchdog as room
from sspcore.runtime.watchdog import Interrupted, Watchdog
from tests.runtime.tools import ALL, balanced, judge, open_test

PATIENCE = 0.05


def for_ever(*_):
    while True:
        pass


@contextmanager
def watching(patience=PATIENCE):
    made = Watchdog(patience)
    made.start()
    try:
        yield made
    finally:
        made.stop()


# A call


def test_an_answer_in_time_is_the_answer_and_an_error_the_error():
    with watching() as watchdog:
        assert [2, 1, 0] == watchdog.bounded(sorted, "x")([2, 0, 1])[::-1]
        with pytest.raises(ZeroDivisionError):
            watchdog.bounded(lambda row: row / 0, "x")(1)
    assert 0 == watchdog.hung


def test_no_answer_is_an_error_that_names_the_place_and_the_log_has_the_stack_once(caplog):
    caplog.set_level(logging.ERROR, "sspcore.runtime")
    with watching() as watchdog:
        call = watchdog.bounded(for_ever, "strategy 'slow': route")
        for _ in range(2):
            with pytest.raises(TimeoutError, match=rf"no answer within 0.05 s, interrupted at {__file__}:2\d"):
                call(1)
    (record,) = caplog.records
    assert "strategy 'slow': route gave no answer within 0.05 s and was interrupted:\n" in record.getMessage()
    assert "in for_ever" in record.getMessage()
    assert "bounded" not in record.getMessage(), "the stack is the plugin's"
    assert 2 == watchdog.hung


def test_what_hung_three_times_in_a_row_is_not_asked_again(caplog):
    asked = []

    def moody(row):
        asked.append(row)
        return row if row == "fine" else for_ever()

    with watching() as watchdog:
        call = watchdog.bounded(moody, "x")
        for row in ("bad", "bad", "fine", "bad", "bad", "bad", "fine"):
            if row == "fine" and len(asked) < 6:
                assert row == call(row)
            else:
                with pytest.raises(TimeoutError):
                    call(row)
        with pytest.raises(TimeoutError, match="not asked: no answer within 0.05 s, 3 times in a row"):
            call("fine")
    assert ["bad", "bad", "fine", "bad", "bad", "bad"] == asked


def test_what_catches_exceptions_is_interrupted_and_what_catches_everything_in_the_end(caplog):
    caught = []

    def stubborn(times):
        while True:
            try:
                for_ever()
            except Exception:
                pass
            except BaseException as error:
                caught.append(type(error))
                if len(caught) == times:
                    raise

    with watching() as watchdog, pytest.raises(TimeoutError):
        watchdog.bounded(stubborn, "x")(3)
    assert [Interrupted] * 3 == caught


def test_c_code_that_does_not_return_is_reported_with_its_stack(caplog):
    """Nothing can interrupt it: here the log's reader lets it go on."""
    caplog.set_level(logging.ERROR, "sspcore.runtime")
    lock = threading.Lock()
    lock.acquire()
    told = []

    class Reader(logging.Handler):
        def emit(self, record):
            told.append(record.getMessage())
            if "cannot be interrupted" in told[-1]:
                lock.release()

    def waits(row):
        lock.acquire()

    log = logging.getLogger("sspcore.runtime")
    reader = Reader()
    log.addHandler(reader)
    try:
        with watching() as watchdog, pytest.raises(TimeoutError):
            watchdog.bounded(waits, "policy 'p': admit")(1)
    finally:
        log.removeHandler(reader)
    first = told[0]
    assert "policy 'p': admit has given no answer for 0.1 s and cannot be interrupted" in first
    assert "in waits" in first and "bounded" not in first


# The races


def test_an_interruption_that_comes_when_the_call_has_returned_is_taken_back():
    """The watchdog has looked, the call ends, and only then it fires: the worst moment there is."""
    watchdog = Watchdog(60.0)
    looked = threading.Event()

    def late():
        watchdog.firing = room._FIRING
        looked.set()
        while watchdog.inside is not None:
            time.sleep(0)
        room._interrupt(watchdog._thread, Interrupted)
        watchdog.firing = room._FIRED

    def answers(row):
        thread.start()
        looked.wait()
        return row

    for row in range(50):
        looked.clear()
        thread = threading.Thread(target=late)
        assert row == watchdog.bounded(answers, "x")(row)
        thread.join()
        assert room._IDLE == watchdog.firing
    assert 0 == watchdog.hung


def test_two_interruptions_at_the_end_of_a_call_are_both_taken_back():
    """One is on its way when the call ends, the other is sent when it has been seen to end."""

    class Twice(Watchdog):
        """Its own steps at the end of a call send what a thread might just then."""

        left = 2

        def _take_back(self):
            if self.left:
                self.left -= 1
                room._interrupt(self._thread, Interrupted)
            super()._take_back()

    watchdog = Twice(60.0)

    def answers(row):
        watchdog.firing = room._FIRED
        return row

    assert 7 == watchdog.bounded(answers, "x")(7)
    assert 0 == watchdog.left
    assert room._IDLE == watchdog.firing


def storm(watchdog, seconds):
    """Short calls, and a thread that fires at them as fast as it can: how many were answered, and interrupted."""
    over = threading.Event()

    def fire():
        while not over.is_set():
            call = watchdog.inside
            if call is not None:
                watchdog._fire(call)

    def work(row):
        time.sleep(0)  # lets the other thread see that a call is on
        return sum([row, row])

    answered = interrupted = 0
    call = watchdog.bounded(work, "x")
    thread = threading.Thread(target=fire)
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        thread.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                assert call(answered) == 2 * answered
                answered += 1
            except TimeoutError:
                interrupted += 1
            [number for number in range(20)]  # noqa: C416 - bytecodes in which what leaks would be raised
    finally:
        sys.setswitchinterval(switch)
        over.set()
        thread.join()
    return answered, interrupted


@pytest.fixture
def tireless(monkeypatch):
    """Asked again however often it hung, silent, and with time for others between its last look and the shot."""

    def slowly(thread, error, interrupt=room._interrupt):
        time.sleep(0)
        interrupt(thread, error)

    monkeypatch.setattr(room, "_interrupt", slowly)
    monkeypatch.setattr(room, "STRIKES", 10**9)
    monkeypatch.setattr(logging.getLogger("sspcore.runtime"), "disabled", True)


def test_nothing_leaks_from_a_storm(tireless):
    answered, interrupted = storm(Watchdog(60.0), 0.5)
    assert answered and interrupted


def test_a_watchdog_that_takes_nothing_back_would_leak(tireless):
    class Careless(Watchdog):
        def _take_back(self):
            self.firing = room._IDLE

    with pytest.raises(Interrupted):
        storm(Careless(60.0), 60.0)
    with suppress(Interrupted):  # what the last shot of the thread left
        Watchdog(60.0)._take_back()


def test_nothing_is_left_that_a_profiler_trips_over(tireless):
    """CPython 3.11 spins in a profiled call when an interruption was taken back without having been raised."""
    storm(Watchdog(60.0), 0.1)
    calls = []
    sys.setprofile(lambda frame, event, argument: calls.append(event))
    try:
        for_a_while = [number for number in map(abs, range(10))]  # noqa: C416
    finally:
        sys.setprofile(None)
    assert calls and 10 == len(for_a_while)


# In a runtime


class Hangs(Dependency):
    """Routes by table, unless told where to hang."""

    where = ""

    def route(self, rows):
        return for_ever() if self.where == "route" else super().route(rows)

    def view_added(self, circuit, view, interests):
        return for_ever() if self.where == "view_added" else super().view_added(circuit, view, interests)

    def explain(self, row):
        return for_ever() if self.where == "explain" else super().explain(row)


class Share(Hangs):
    """The same, as a partition: each circuit holds everything, in truth."""

    def holds(self, circuit, row):
        return for_ever() if self.where == "holds" else True


class Admits:
    """A policy that lets everything in, unless told to hang."""

    where = ""

    def admit(self, queue, changes, size, now):
        return for_ever() if self.where == "admit" else Accept()


class Plugin:
    @hookimpl
    def sspcore_routing_strategies(self):
        return [StrategySpec("hangs", Hangs), StrategySpec("share", Share)]

    @hookimpl
    def sspcore_backpressure_policies(self):
        return [PolicySpec("admits", Admits)]


@pytest.fixture
def hang(monkeypatch):
    """Where the plugins hang, from now on."""
    monkeypatch.setattr(logging.getLogger("sspcore.runtime"), "disabled", True)

    def at(where):
        monkeypatch.setattr(Hangs, "where", where)
        monkeypatch.setattr(Admits, "where", where)

    return at


def opened(strategy, **more):
    return open_test({"routing": {"strategy": strategy, "patience": PATIENCE}, **more}, plugins=[Plugin()])


def flight(number):
    return upsert("flights", number, {"carrier": "AA", "delay": number})


async def test_a_route_that_hangs_falls_open_and_is_counted(hang, autojump_clock):
    async with opened("hangs") as runtime:
        await runtime.register("all", ALL)
        hang("route")
        for number in range(5):
            await runtime.ingest(flight(number))
        hang("")
        judge(runtime)
        balanced(runtime)
        figures = runtime.statistics()
    assert 5 == figures.fell_open
    assert 3 == figures.hung, "then it was not asked again"


@pytest.mark.parametrize("where", ["view_added", "explain"])
async def test_elsewhere_it_may_hang_too(where, hang, autojump_clock):
    async with opened("hangs") as runtime:
        hang(where)
        await runtime.register("all", ALL)
        await runtime.ingest(flight(1))
        (reason,) = runtime.explain_routing(flight(2))
        assert "strategy 'hangs' failed" in reason.why
        assert 1 == runtime.statistics().hung
        judge(runtime)


async def test_a_partition_that_hangs_refuses_the_batch(hang, autojump_clock):
    async with opened("share") as runtime:
        await runtime.register("all", ALL)
        hang("route")
        with pytest.raises(PluginError, match="strategy 'share' failed: no answer within 0.05 s"):
            await runtime.ingest([flight(1), flight(2)])
        hang("")
        assert [] == await runtime.rows("all")
        await runtime.ingest(flight(3))
        judge(runtime)
        balanced(runtime)


async def test_a_partition_that_hangs_on_whose_a_row_is_gives_it_to_nobody(hang, autojump_clock):
    async with opened("share") as runtime:
        await runtime.ingest([flight(number) for number in range(10)])
        hang("holds")
        await runtime.register("all", ALL)
        assert [] == await runtime.rows("all")
        assert 3 == runtime.statistics().hung, "not once a row"


async def test_a_policy_that_hangs_refuses_the_batch(hang, autojump_clock):
    async with opened("dependency", backpressure={"policy": "admits"}) as runtime:
        await runtime.register("all", ALL)
        hang("admit")
        with pytest.raises(PluginError, match="policy 'admits' of circuit 'main': admit .*failed with TimeoutError"):
            await runtime.ingest(flight(1))
        hang("")
        await runtime.ingest(flight(2))
        assert [2] == [row[0] for row in await runtime.rows("all")]
        balanced(runtime)
