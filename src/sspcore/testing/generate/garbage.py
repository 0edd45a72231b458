"""Garbage: changes with anything at all in every field, right or wrong, for doors that must judge without breaking."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from sspcore.algebra.values import NAN, FrozenObject
from sspcore.engine.change import OPS, Change
from sspcore.testing.generate.choices import Choices

WEST: Final = timezone(timedelta(hours=-5))


class _Odd:
    """What no cell may hold."""


CELLS: Final[tuple[Any, ...]] = (
    None, 1, 0, -1, 2**63, -(2**63) - 1, 10**400, True, False, 1.0, -0.0, NAN, float("nan"), float("inf"), 1e308,
    "", "a", "1", "é", "\ud800", "\x00", "x" * 300, b"", b"\xff", bytearray(b"a"), Decimal(1), Decimal("1.0"),
    Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("1e2000"), Decimal("-0"), date(2013, 6, 24),
    datetime(2013, 6, 24), datetime(2013, 6, 24, tzinfo=UTC), datetime.max, datetime.max.replace(tzinfo=WEST),
    FrozenObject({"k": 1}), FrozenObject({"k": [float("nan")]}), 1j, _Odd(), _Odd,
    range(3), {1, 2}, frozenset(), ...,
)  # fmt: skip
IDS: Final[tuple[Any, ...]] = (
    1, 2, "1", "x:01", (1, "p"), (2, "q"), [1, "p"], (1,), (), [], "", None, True, 1.0, "\ud800", (1, None),
    ((1,), "p"),
)  # fmt: skip
NAMES: Final[tuple[Any, ...]] = ("u", "v", "w", "id", "k", "l", "zz", "", "\ud800", 1, None, ("u",))


def value(c: Choices, depth: int = 3) -> Any:
    """Any value: a cell right or wrong, an integer or text of any size, a list, a mapping; now and then very deep."""
    form = c.below(20)
    if form < 12 or depth <= 0:
        return c.pick(CELLS)
    if form == 12:
        return c.below(2**70) - 2**69
    if form == 13:
        return "".join([chr(c.below(0x11_0000)) for _ in range(c.below(4))])
    if form == 14 and c.chance(10):
        nested: Any = 1
        for _ in range(c.pick((10, 70, 3_000))):
            nested = [nested]
        return nested
    if form < 17:
        return [value(c, depth - 1) for _ in range(c.below(3))]
    return {name: value(c, depth - 1) for name in _names(c) if isinstance(name, Hashable)}


def _names(c: Choices) -> list[Any]:
    return [c.pick(NAMES[:3] if c.chance(70) else NAMES) for _ in range(c.below(4))]


def _row(c: Choices, op: Any) -> Any:
    if op == "delete" or op == "clear":
        return None if c.chance(85) else value(c)
    if op == "replace" and c.chance(85):
        keys = [c.pick(IDS[:5] if c.chance(80) else IDS) for _ in range(c.below(3))]
        return {key: _row(c, "upsert") for key in keys if not isinstance(key, list)}
    if c.chance(8):
        return value(c)
    if c.chance(8):
        return tuple([value(c, 1) for _ in range(c.below(5))])
    names = [name for name in _names(c) if name != "id"] if c.chance(90) else _names(c)
    return {name: (c.pick(CELLS[:8]) if c.chance(60) else value(c)) for name in names}


def change(c: Choices, table: str = "a") -> Change:
    """A change of `table` most often; about a third of them admissible."""
    op: Any = c.pick(OPS) if c.chance(94) else c.pick(("insert", "", None, 1, "UPSERT"))
    row_id: Any = c.pick(IDS[:5] if c.chance(80) else IDS) if c.chance(92) else value(c)
    if op in ("clear", "replace") and c.chance(90):
        row_id = None
    names: Any = ("b", "view", "new", "", None, 7)
    sources: Any = (3, "", None, ["s"])
    return Change(
        table if c.chance(85) else c.pick(names),
        op, row_id, _row(c, op),
        seq=c.between(-2, 5) if c.chance(25) else (value(c) if c.chance(4) else None),
        source=c.pick(("s", "t")) if c.chance(30) else (c.pick(sources) if c.chance(4) else None),
        version=c.between(-2, 5) if c.chance(20) else (value(c) if c.chance(4) else None),
    )  # fmt: skip


def batch(c: Choices, table: str = "a") -> list[Change]:
    """One to four of them."""
    return [change(c, table) for _ in range(c.between(1, 4))]
