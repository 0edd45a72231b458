"""Time and chance: what the runtime reads from the world, in one place, so that tests can bring their own."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import attrs
import trio


def _epoch() -> str:
    return secrets.token_hex(4)


def _clock() -> datetime:
    return datetime.now(UTC)


@attrs.frozen
class Environment:
    """`now`, in seconds of any steady clock; `chance`, in [0, 1); `epoch`, a name no circuit had before; `clock`, the
    time of day, aware."""

    now: Callable[[], float] = trio.current_time
    chance: Callable[[], float] = random.random
    epoch: Callable[[], str] = _epoch
    clock: Callable[[], datetime] = _clock
