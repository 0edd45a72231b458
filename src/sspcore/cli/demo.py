"""`sspcore demo`: the bundled day replayed into a runtime, with its live page; or, with `--once`, verified.

Owns the course of the demo: open, serve, replay, then stay or verify. The data, the views and the clock are `demo/`'s.
"""

from __future__ import annotations

import argparse
import errno
import sys
import webbrowser
from collections.abc import Mapping
from functools import partial
from typing import Any

import trio

from sspcore.cli import render, signals
from sspcore.cli.arguments import SPEED_NOT_GIVEN
from sspcore.cli.serve import server
from sspcore.demo import day
from sspcore.demo.follower import Follower
from sspcore.demo.replay import LONGEST_WAIT, default_speed, due
from sspcore.demo.verify import Verdict, read_anew, verify
from sspcore.demo.views import VIEWS
from sspcore.errors import ConfigError
from sspcore.runtime.opening import open_runtime
from sspcore.runtime.runtime import Runtime

PORT = 8667
PORTS_TRIED = 20
"""Without `--port`, a taken port is no reason to stop: the next free one after it will do."""


def run(options: argparse.Namespace) -> int:
    """Run the demo; 0, or 1 when a view did not verify."""
    return signals.run(partial(_demo, options))


async def _demo(options: argparse.Namespace, asked: trio.CancelScope) -> int:
    code = 0
    async with open_runtime(schemas=day.SCHEMAS) as runtime:
        for view in VIEWS:
            await runtime.register(view.id, view.sql)
        with asked:
            async with trio.open_nursery() as nursery:
                code = await _perform(runtime, nursery, options)
                nursery.cancel_scope.cancel()
    return code


async def _perform(runtime: Runtime, nursery: trio.Nursery, options: argparse.Namespace) -> int:
    if not (options.once and options.no_browser):
        await _show(runtime, nursery, options)
    followers = {view.id: Follower() for view in VIEWS} if options.once else {}
    for view_id, follower in followers.items():
        await nursery.start(follower.follow, runtime, view_id)
    start = trio.current_time()
    count = await _replay(runtime, options.speed)
    seconds = trio.current_time() - start
    if not options.once:
        _say(f"the day is over: {count:,} changes; the page stays until Ctrl-C")
        await trio.sleep_forever()
    return _report(await _verify(runtime, followers), count, seconds)


async def _show(runtime: Runtime, nursery: trio.Nursery, options: argparse.Namespace) -> None:
    """Serve the page, say where, and open a browser."""
    serve = server()
    port = PORT if options.port is None else options.port
    last = port + PORTS_TRIED if options.port is None else port
    while True:
        try:
            address = await nursery.start(partial(serve, runtime, port=port))
            break
        except ConfigError as error:
            taken = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE
            if not taken or port >= last:
                raise
            port += 1
    print(f"live page: {address.url}", flush=True)
    if not options.no_browser:
        opened = await trio.to_thread.run_sync(webbrowser.open, address.url, abandon_on_cancel=True)
        if not opened:
            _say("no browser was found; open that address yourself")


async def _replay(runtime: Runtime, speed: float | None) -> int:
    """Feed the day to the runtime at its pace; how many changes."""
    changes = list(day.timed_changes())
    longest = None
    if speed == SPEED_NOT_GIVEN:
        speed, longest = default_speed(changes[0][0], changes[-1][0]), LONGEST_WAIT
    pace = f"{speed:,.0f} times as fast" if speed else "as fast as possible"
    _say(f"replaying {len(changes):,} changes of 24 June 2013, {pace}")
    start, done = trio.current_time(), 0
    clock = sys.stderr.isatty()
    for seconds, moment, batch in due(changes, speed, longest=longest):
        await trio.sleep_until(start + seconds)
        await runtime.ingest(batch)
        done += len(batch)
        if clock:
            print(f"\r{moment:%d %b %H:%M} UTC  {done:,} changes", end="", file=sys.stderr, flush=True)
    if clock:
        print(file=sys.stderr)
    return done


async def _verify(runtime: Runtime, followers: Mapping[str, Follower]) -> list[Verdict]:
    """Every view as a new subscriber sees it, and as one who followed from the start has it, against recomputation."""
    await runtime.settle()
    tables = read_anew(day.path())
    verdicts = []
    for view in VIEWS:
        snapshot = await runtime.snapshot(view.id)
        follower = followers[view.id]
        await follower.reach(snapshot.version)
        verdicts.append(verify(view, snapshot.rows, follower.rows, tables))
    return verdicts


def _report(verdicts: list[Verdict], count: int, seconds: float) -> int:
    def said(check: str | None) -> str:
        return "–" if check is None else check or "agrees"

    rows: list[tuple[Any, ...]] = [(v.view, v.rows, said(v.recomputed), said(v.sqlite)) for v in verdicts]
    print("\n".join(render.table(("view", "rows", "recomputation", "SQLite"), rows)), flush=True)
    wrong = [verdict.view for verdict in verdicts if not verdict.right]
    _say(f"{count:,} changes in {seconds:.1f} s ({count / max(seconds, 1e-9):,.0f}/s)")
    _say(f"wrong: {', '.join(wrong)}" if wrong else f"all {len(verdicts)} views verified")
    return 1 if wrong else 0


def _say(text: str) -> None:
    print(f"sspcore: {text}", file=sys.stderr, flush=True)
