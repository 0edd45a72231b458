"""Exact variance: the sums of numbers and of their squares, as integers, so that what was added can be taken away.

Owns the squares beside `ExactSum`, and how variance and standard deviation are read off them: one rational number,
rounded once. Refuses to know groups and NULL. Kept as floats these sums drift worse than a plain one, and a variance
may even come out negative.
"""

from __future__ import annotations

from decimal import Context, Decimal
from math import isfinite, isqrt
from typing import Final

from sspcore.algebra.exact import QUOTIENT_DIGITS, SCALE, ExactSum
from sspcore.algebra.values import NAN, Value, canonical

ROOT_BITS: Final = 109
"""Bits of a root before it is rounded to a float of 53: more than twice as many, so that rounding is correct."""


class Moments(ExactSum):
    """The sum of a multiset of numbers and the sum of their squares. Cost of `add`: that of the sum, twice.

    >>> moments = Moments()
    >>> for value in (2, 4, 9): moments.add(value, 1)
    >>> moments.add(9, -1)
    >>> moments.variance(sample=True), moments.deviation(sample=False)
    (2.0, 1.0)
    """

    __slots__ = ("_square_decimals", "_square_floats", "_square_integers", "_square_places")

    def __init__(self) -> None:
        super().__init__()
        self._square_integers = 0
        self._square_floats = 0  # in units of 2**-(2 * SCALE)
        self._square_decimals = 0  # in units of 10**-_square_places
        self._square_places = 0

    def add(self, value: Value, weight: int) -> None:
        """Add a value (not NULL) `weight` times; a negative weight takes it away."""
        super().add(value, weight)
        kind = type(value)
        if kind is int:
            self._square_integers += value * value * weight
        elif kind is float:
            if isfinite(value):
                numerator, denominator = value.as_integer_ratio()
                self._square_floats += (numerator * numerator * weight) << 2 * (SCALE + 1 - denominator.bit_length())
        elif kind is Decimal:
            sign, digits, exponent = value.as_tuple()
            assert isinstance(exponent, int)
            units = int(Decimal((sign, digits, 0))) ** 2 * weight
            if -2 * exponent > self._square_places:
                self._square_decimals *= 10 ** (-2 * exponent - self._square_places)
                self._square_places = -2 * exponent
            self._square_decimals += units * 10 ** (self._square_places + 2 * exponent)

    @property
    def is_empty(self) -> bool:
        """Every component is zero."""
        return super().is_empty and not (self._square_integers or self._square_floats or self._square_decimals)

    def variance(self, *, sample: bool) -> Value:
        """The variance, of a sample or of the whole population; NULL of too few numbers. See `AggregateCall`."""
        return self._read(sample=sample, root=False)

    def deviation(self, *, sample: bool) -> Value:
        """Its square root, the standard deviation, rounded once too."""
        return self._read(sample=sample, root=True)

    def _read(self, *, sample: bool, root: bool) -> Value:
        count = self.count
        if count <= sample:
            return None
        if self._nans or self._plus or self._minus:
            return NAN
        numerator, denominator = self._ratio(count, count - sample)
        if self._exponents and not self.float_count:
            return _as_decimal(numerator, denominator, root=root)
        try:
            return _root(numerator, denominator) if root else numerator / denominator
        except OverflowError:
            return None

    def _ratio(self, count: int, divisor: int) -> tuple[int, int]:
        """(count · Σx² − (Σx)²) / (count · divisor), exactly."""
        total, squares, unit = self._integers, self._square_integers, 1
        if self.float_count:
            total, squares, unit = (
                (total << SCALE) + self._floats,
                (squares << 2 * SCALE) + self._square_floats,
                1 << SCALE,
            )
        if self._exponents:
            tens, square_tens = 10**self._places, 10**self._square_places
            total = total * tens + self._decimals * unit
            squares = squares * square_tens + self._square_decimals * unit * unit
            return (
                count * squares * tens * tens - total * total * square_tens,
                count * divisor * unit * unit * tens * tens * square_tens,
            )
        return count * squares - total * total, count * divisor * unit * unit


def _root(numerator: int, denominator: int) -> float:
    """The square root of a fraction as the nearest float."""
    if not numerator:
        return 0.0
    shift = (numerator.bit_length() - denominator.bit_length() - ROOT_BITS) // 2
    if shift >= 0:
        return float(_odd_root(numerator, denominator << 2 * shift) << shift)
    return _odd_root(numerator << -2 * shift, denominator) / (1 << -shift)


def _odd_root(numerator: int, denominator: int) -> int:
    """The root cut to an integer, its last bit set when something was cut off: so it rounds as the whole root does."""
    root = isqrt(numerator // denominator)
    return root | (root * root * denominator != numerator)


def _as_decimal(numerator: int, denominator: int, *, root: bool) -> Value:
    """As a decimal quotient: 34 significant digits after those of the whole part."""
    whole = isqrt(numerator // denominator) if root else numerator // denominator
    digits = QUOTIENT_DIGITS + max(0, len(str(whole)) - 1) if whole else QUOTIENT_DIGITS
    context = Context(prec=digits, traps=[])
    if not root:
        return _held(context.divide(Decimal(numerator), Decimal(denominator)))
    places = digits + 2 + max(0, (len(str(denominator)) - len(str(numerator))) // 2 + 1)
    scaled = numerator * 10 ** (2 * places)
    found = isqrt(scaled // denominator)
    if found * found * denominator != scaled:  # one more digit for what was cut off: then it rounds as the whole does
        found, places = found * 10 + 1, places + 1
    while places and not found % 10:
        found, places = found // 10, places - 1
    return _held(context.plus(Decimal((0, Decimal(found).as_tuple().digits, -places))))


def _held(value: Decimal) -> Value:
    """The decimal as a cell holds it; NULL beyond that."""
    try:
        return canonical(value)
    except ValueError:
        return None
