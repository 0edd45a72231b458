"""Values from small domains, so that joins hit, groups form and ties happen; with every awkward value among them.

Owns the domains of the column types. Refuses to know rows.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from sspcore.algebra.values import NAN, FrozenObject, Value
from sspcore.testing.generate.choices import Choices

INF: Final = float("inf")

DOMAINS: Final[dict[str, tuple[Value, ...]]] = {
    "integer": (0, 1, 2, 3, -1, 2**53 + 1, 10),
    "real": (0.0, 1.0, 2.0, 0.1, -1.0, 1.5, NAN, INF, -INF, 1e-7, 9.3e15, 0.2),
    "text": ("a", "b", "ab", "", "B", "é", "a_b", "100%", "1"),
    "boolean": (True, False),
    "decimal": (Decimal(1), Decimal("1.0"), Decimal("0.1"), Decimal(0), Decimal("-2.50")),
    "date": (date(2013, 6, 24), date(2013, 6, 25), date(1970, 1, 1)),
    "timestamp": (datetime(2013, 6, 24, tzinfo=UTC), datetime(2013, 6, 24, 12, 30, tzinfo=UTC)),
    "bytes": (b"", b"a", b"ab", b"\xff"),
    "json": (1, True, "a", (1,), (True,), (1.0,), (),
             FrozenObject({"k": 1}), FrozenObject({"k": 1.0}), FrozenObject({})),
}  # fmt: skip
"""The values each column type draws from; the first is the plainest."""

MIXED: Final[tuple[Value, ...]] = (
    1, 0, 2, 1.0, True, False, "a", "1", "b", 0.0, 1.5, NAN, Decimal(1), (1,), (True,), (1.0,),
    FrozenObject({"k": (1,)}), b"a", INF, -1, 3, "ab", date(2013, 6, 24), "",
)  # fmt: skip
"""The domain of `any`: the values that Python, or a careless engine, takes for one another."""

COLUMN_KINDS: Final = (
    (24, "integer"), (18, "any"), (16, "text"), (14, "real"), (8, "boolean"), (6, "decimal"), (4, "json"),
    (3, "date"), (3, "timestamp"), (2, "bytes"),
)  # fmt: skip


def kind(c: Choices) -> str:
    """A column type."""
    return c.weighted(COLUMN_KINDS)


def value(c: Choices, kind: str, *, nulls: int = 12) -> Value:
    """A cell of a column of this type, NULL in `nulls` of a hundred cases; near the front of its domain most often."""
    if nulls and c.chance(nulls):
        return None
    domain = MIXED if kind == "any" else DOMAINS[kind]
    return c.pick(domain[:3] if c.chance(70) else domain)
