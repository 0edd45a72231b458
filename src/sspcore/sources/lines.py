"""Reading lines from a file or a pipe, in batches, with or without waiting for more.

Owns where lines begin and end, and what "caught up" means. Refuses to know what a line says (`jsonl` does).
"""

from __future__ import annotations

import os
import select
import stat
import time
from collections.abc import Callable, Iterator

from sspcore.errors import ChangeRejected

BLOCK = 1 << 18
"""Bytes per read: below 64 KiB system calls show in a profile; above 1 MiB nothing is gained."""
MAX_LINE = 64 << 20
"""A change beyond 64 MiB is taken for a file that is not JSON lines (one JSON document, a binary)."""
POLL_SECONDS = 0.1
"""How often a followed file is looked at: as quick as the eye asks for, and idle in `top`."""


class LineReader:
    """The lines of an open file descriptor.

    Args:
        descriptor: a readable file descriptor; the caller closes it.
        name: how messages call it.
        follow: at the end of a regular file wait for more, as `tail -f` does; a pipe ends when its writer closes it.
        sleep: waits that many seconds; an argument, so that tests need not wait.

    `position` is the number of bytes consumed, `size` that of a regular file at the start, else None.

    >>> import os
    >>> reading, writing = os.pipe()
    >>> _ = os.write(writing, b"one\\ntwo"); os.close(writing)
    >>> [batch for batch in LineReader(reading, "pipe").batches(10) if batch]
    [[b'one'], [b'two']]
    >>> os.close(reading)
    """

    def __init__(
        self, descriptor: int, name: str, *, follow: bool = False, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.name, self.follow, self.position = name, follow, 0
        self._descriptor, self._sleep, self._idle = descriptor, sleep, False
        status = os.fstat(descriptor)
        self._regular = stat.S_ISREG(status.st_mode)
        self.size = status.st_size if self._regular else None

    def batches(self, most: int) -> Iterator[list[bytes]]:
        """Lists of at most `most` lines without their line ends; an empty list says: caught up, for now.

        A last line without a line end counts, unless a followed file may still complete it. Raises ChangeRejected for
        a line beyond MAX_LINE and for a followed file that was cut short.
        """
        rest: list[bytes] = []
        held = 0
        while True:
            block = self._read()
            if block is None:
                yield []
                continue
            if not block:
                break
            end = block.rfind(b"\n")
            if end < 0:
                rest.append(block)
                held += len(block)
                if held > MAX_LINE:
                    raise ChangeRejected(
                        f"{self.name}: a line is longer than {MAX_LINE >> 20} MiB",
                        hint="a change file holds one JSON object per line; is this another kind of file?",
                    )
                continue
            lines = b"".join([*rest, block[:end]]).split(b"\n")
            rest, held = [block[end + 1 :]], len(block) - end - 1
            for start in range(0, len(lines), most):
                yield lines[start : start + most]
        last = b"".join(rest)
        if last:
            yield [last]

    def _read(self) -> bytes | None:
        """The next bytes, b"" at the end of input, None when there are none for now (at most every POLL_SECONDS)."""
        if self.follow and not self._regular and not self._ready():
            return None
        block = os.read(self._descriptor, BLOCK)
        self.position += len(block)
        if block or not (self.follow and self._regular):
            self._idle = False
            return block
        if os.fstat(self._descriptor).st_size < self.position:
            raise ChangeRejected(f"{self.name} was cut short while it was followed", hint="start again to read it anew")
        if self._idle:
            self._sleep(POLL_SECONDS)
        self._idle = True
        return None

    def _ready(self) -> bool:
        ready = bool(select.select([self._descriptor], [], [], POLL_SECONDS if self._idle else 0)[0])
        self._idle = not ready
        return ready
