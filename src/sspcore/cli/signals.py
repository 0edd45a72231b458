"""Running a trio program from the command line until it ends or someone asks it to.

Owns SIGINT and SIGTERM: the first stops in order (everything inside is cancelled and cleans up), a second one at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from sspcore.errors import SspError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
FORCED = 130


def run(main: Callable[[], Awaitable[int]]) -> int:
    """The exit code of `main`; 0 when a signal ended it. A single expected error leaves bare, out of trio's groups."""
    try:
        return trio.run(partial(_until_signal, main))
    except BaseExceptionGroup as group:
        errors = list(_leaves(group))
        expected = [error for error in errors if isinstance(error, SspError)]
        if len(expected) == len(errors) and expected:
            raise expected[0] from None
        if all(isinstance(error, KeyboardInterrupt) for error in errors):
            raise KeyboardInterrupt from None
        raise


async def _until_signal(main: Callable[[], Awaitable[int]]) -> int:
    code = 0
    with trio.open_signal_receiver(*SIGNALS) as signals:
        async with trio.open_nursery() as nursery:

            async def listen() -> None:
                asked = False
                async for _ in signals:
                    if asked:
                        os._exit(FORCED)
                    asked = True
                    print("\nstopping", file=sys.stderr)
                    work.cancel()

            nursery.start_soon(listen)
            with trio.CancelScope() as work:
                code = await main()
            nursery.cancel_scope.cancel()
    return code


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
