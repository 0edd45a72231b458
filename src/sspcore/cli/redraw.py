"""Drawing a text over itself in a terminal.

Owns the cursor. Refuses to know what the text says. The text is clipped to the screen by its maker: a line that
wraps, or a screen that scrolls, would leave the cursor where nobody knows.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TextIO


class Redraw:
    """Shows lines, each time in place of those before.

    >>> import io
    >>> out = io.StringIO()
    >>> redraw = Redraw(out)
    >>> redraw.show(["one"]); redraw.show(["two"])
    >>> out.getvalue()
    'one\\n\\x1b[1F\\x1b[Jtwo\\n'
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._height = 0

    def size(self) -> tuple[int, int]:
        """(width, height) of the terminal, one line kept for the cursor."""
        size = shutil.get_terminal_size()
        return size.columns, max(4, size.lines - 1)

    def show(self, lines: Sequence[str]) -> None:
        """Replace what was shown before."""
        up = f"\x1b[{self._height}F\x1b[J" if self._height else ""
        self._stream.write(up + "".join([line + "\n" for line in lines]))
        self._stream.flush()
        self._height = len(lines)
