"""How much one peer may say and ask for. Plain numbers; whoever receives bytes obeys them.

`check_nesting` looks at the brackets of a JSON text before any parser recurses into it.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from sspcore.errors import TooExpensive

PART_BYTES: Final = 256 * 1024
"""A snapshot leaves in parts of at most this size (or one row), so that a heartbeat never waits long behind it."""
MAX_NESTING: Final = 64
SQL_BYTES: Final = 8_192
_BRACKETS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
"""A whole string, an opening or a closing bracket. Possessive, and an unfinished string matches too: always linear."""


@attrs.frozen
class Limits:
    """What one session may take; `welcome` tells them to the peer.

    Args:
        message_bytes: one message.
        nesting: depth of lists and objects in a message.
        sql_bytes: one SQL text.
        query_bytes: one request that holds a query: its plan and params too.
        subscriptions: open at once.
        changes: changes in one ingest message.
        ingests: ingest messages sent and not yet answered.
    """

    message_bytes: int = 1_000_000
    nesting: int = MAX_NESTING
    sql_bytes: int = SQL_BYTES
    query_bytes: int = 65_536
    subscriptions: int = 100
    changes: int = 10_000
    ingests: int = 64


def check_sql(sql: str, limit: int = SQL_BYTES) -> None:
    """Raise TooExpensive (the sender's fault) for SQL above the limit: parsing it would hold up everybody.

    >>> check_sql("SELECT 1")
    """
    size = len(sql.encode())
    if size > limit:
        raise TooExpensive("bytes of SQL", limit=limit, actual=size, hint="split it into several views")


def check_nesting(text: str, limit: int = MAX_NESTING) -> None:
    """Raise TooExpensive (the sender's fault) when lists and objects in a JSON text nest deeper than `limit`.

    Cost: O(length), and next to nothing for texts with fewer brackets than that.

    >>> check_nesting('{"a": "[[[["}', 1)
    """
    if text.count("[") + text.count("{") <= limit:
        return
    depth = 0
    for match in _BRACKETS.finditer(text):
        first = text[match.start()]
        if first in "[{":
            depth += 1
            if depth > limit:
                raise TooExpensive("nesting of lists and objects", limit=limit, actual=depth, hint="flatten it")
        elif first != '"':
            depth -= 1
