"""Geohashes: where on Earth, as a text whose beginnings are the larger cells around it.

Owns the encoding: five bits a character, longitude and latitude in turn, each bit halving its range. Knows no routing.
"""

from __future__ import annotations

from typing import Final

ALPHABET: Final = "0123456789bcdefghjkmnpqrstuvwxyz"
"""The digits, in order: no a, i, l, o, which are easily misread."""

LONGEST: Final = 12
"""Characters of the longest geohash made here: a cell of 4 by 2 centimetres."""

_CELLS: Final = 1 << 30
"""Along each axis, in the longest geohash."""

_SPREAD: Final = tuple([sum([(number >> bit & 1) << 2 * bit for bit in range(5)]) for number in range(32)])
"""Five bits → the same with a gap before each: one of these, and another shifted, interleave."""

_PAIRS: Final = tuple([first + second for first in ALPHABET for second in ALPHABET])
"""Ten bits → two characters."""

_SHIFTS: Final = (25, 20, 15, 10, 5, 0)
"""Where the five bits of each axis begin that make the first two characters, the next two, and so on."""


def encode(latitude: float, longitude: float, length: int = LONGEST) -> str:
    """The geohash of a point, so many characters long. A point on a border belongs to the cell east or north of it.

    Raises ValueError for a point that is not on Earth.

    >>> encode(57.64911, 10.40744, 11)
    'u4pruydqqvj'
    """
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0):
        raise ValueError(f"latitude is in -90 … 90 and longitude in -180 … 180, not {latitude!r} and {longitude!r}")
    x, y, spread = _cell(longitude, 360.0), _cell(latitude, 180.0), _SPREAD
    pairs = [_PAIRS[spread[x >> shift & 31] << 1 | spread[y >> shift & 31]] for shift in _SHIFTS[: (length + 1) // 2]]
    return "".join(pairs)[:length]


def _cell(value: float, span: float) -> int:
    """The number of a coordinate's cell along its axis.

    The division may round into the neighbouring cell. Borders are exact in a float (45 · n / 2²⁷ needs 36 bits), so
    looking at them puts that right: the result is that of halving thirty times.
    """
    half, step = span / 2, span / _CELLS
    number = int((value + half) / step)
    if value < number * step - half:
        number -= 1
    elif value >= (number + 1) * step - half:
        number += 1
    return min(number, _CELLS - 1)  # the pole, and the date line from the west, belong to the last cell
