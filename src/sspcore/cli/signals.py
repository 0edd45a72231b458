"""Running a trio program from the command line until it ends or someone asks it to.

Owns SIGINT and SIGTERM: the first one stops the work in order, a second one ends the process at once.
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


def run(main: Callable[[trio.CancelScope], Awaitable[int]]) -> int:
    """The exit code of `main(asked)`, where `asked` is a scope for its work that the first signal cancels.

    What `main` does after leaving that scope, such as closing a runtime in order, still happens. A single expected
    error leaves bare, out of trio's groups.
    """
    try:
        return trio.run(partial(_listen, main))
    except BaseExceptionGroup as group:
        errors = _leaves(group)
        if all(isinstance(error, SspError) for error in errors):
            raise errors[0] from None
        if all(isinstance(error, KeyboardInterrupt) for error in errors):
            raise KeyboardInterrupt from None
        raise


async def _listen(main: Callable[[trio.CancelScope], Awaitable[int]]) -> int:
    asked = trio.CancelScope()
    with trio.open_signal_receiver(*SIGNALS) as signals:
        async with trio.open_nursery() as nursery:

            async def listen() -> None:
                async for _ in signals:
                    if asked.cancel_called:
                        os._exit(FORCED)
                    print("sspcore: stopping", file=sys.stderr, flush=True)
                    asked.cancel()

            nursery.start_soon(listen)
            code = await main(asked)
            nursery.cancel_scope.cancel()
    return code


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
