"""Exact sums: what was added can be taken away again and leaves no trace.

Owns the running sum of a group's numbers as plain integers, and how it is read. Refuses to know groups and NULL
(callers skip it). A sum kept as a float drifts: 1e16 + 1 - 1e16 is 0, and a view that adds and removes rows all day
ends with a value no recomputation gives. Here every finite float is an integer count of 2⁻¹⁰⁷⁴ (the smallest float),
every decimal one of 10⁻ᵖ, infinities and NaN are counted, and rounding happens once, on reading.
"""

from __future__ import annotations

from copy import copy
from decimal import Context, Decimal
from math import inf, isfinite
from typing import Final

from sspcore.algebra.values import MAX_INTEGER_BITS, NAN, Value, canonical

SCALE: Final = 1074
"""Every finite float is a whole multiple of 2 to the power of minus this."""
QUOTIENT_DIGITS: Final = 34
"""Significant digits of a decimal average after those of its whole part, as of every decimal quotient."""


class ExactSum:
    """The sum of a multiset of numbers, with their average. Each field is a component that removal must bring to zero.

    Weights may be negative; all values whose weights cancel are as if never added. Values that are no numbers
    (booleans among them) are counted in `errors` and take no part. Cost of `add`: some 0.2 µs for an integer, 0.6 µs
    for a float.

    >>> total = ExactSum()
    >>> for value in (1e16, 1.0): total.add(value, 1)
    >>> total.add(1e16, -1); total.result()
    1.0
    """

    __slots__ = (
        "_decimals", "_exponents", "_floats", "_integers", "_minus", "_nans", "_places", "_plus",
        "errors", "float_count", "integer_count",
    )  # fmt: skip

    def __init__(self) -> None:
        self.errors = 0
        """Values that are no numbers."""
        self.integer_count = 0
        self.float_count = 0
        self._integers = 0
        self._floats = 0  # in units of 2**-SCALE
        self._plus = self._minus = self._nans = 0
        self._decimals = 0  # in units of 10**-_places
        self._places = 0
        self._exponents: dict[int, int] = {}  # of the decimals present: the sum shows as many places as they do

    def add(self, value: Value, weight: int) -> None:
        """Add a value (not NULL) `weight` times; a negative weight takes it away."""
        kind = type(value)
        if kind is int:
            self._integers += value * weight
            self.integer_count += weight
        elif kind is float:
            self.float_count += weight
            if isfinite(value):
                numerator, denominator = value.as_integer_ratio()
                self._floats += (numerator * weight) << (SCALE + 1 - denominator.bit_length())
            elif value != value:
                self._nans += weight
            elif value > 0:
                self._plus += weight
            else:
                self._minus += weight
        elif kind is Decimal:
            self._add_decimal(value, weight)
        else:
            self.errors += weight

    def _add_decimal(self, value: Decimal, weight: int) -> None:
        sign, digits, exponent = value.as_tuple()
        assert isinstance(exponent, int)  # decimals are finite (`values.canonical`)
        units = int(Decimal((sign, digits, 0)))
        if -exponent > self._places:
            self._decimals *= 10 ** (-exponent - self._places)
            self._places = -exponent
        self._decimals += units * weight * 10 ** (self._places + exponent)
        count = self._exponents.get(exponent, 0) + weight
        if count:
            self._exponents[exponent] = count
        else:
            del self._exponents[exponent]

    @property
    def count(self) -> int:
        """How many numbers are in the sum."""
        return self.integer_count + self.float_count + sum(self._exponents.values())

    @property
    def is_empty(self) -> bool:
        """Every component is zero: nothing is left of what was added (a zero sum, or a zero count, is not enough)."""
        return not (
            self.errors or self.integer_count or self.float_count or self._exponents or self._integers or self._floats
            or self._decimals or self._plus or self._minus or self._nans
        )  # fmt: skip

    def with_others(self, integers: int, integer_count: int, floats: int, float_count: int, bits: int) -> ExactSum:
        """This sum and some numbers summed elsewhere: integers, and floats in units of 2**-bits."""
        total = copy(self)
        total._integers += integers
        total.integer_count += integer_count
        total._floats += floats << (SCALE - bits)
        total.float_count += float_count
        return total

    def result(self) -> Value:
        """The sum, rounded once: an integer if all are, a float if any is, else a decimal.

        NULL of no numbers, and of a sum beyond what a cell may hold. Cost: O(1) for integers, some µs else.
        """
        if self.float_count:
            return self._as_float(1)
        if self._exponents:
            return _held(self._as_decimal())
        return self._integers if self.integer_count and self._integers.bit_length() <= MAX_INTEGER_BITS else None

    def average(self) -> Value:
        """The exact quotient of sum and count, correctly rounded: a float, for decimals (and integers) a decimal."""
        if self.float_count or not self._exponents:
            return self._as_float(self.count)
        total = self._as_decimal()
        whole = max(0, total.adjusted())
        quotient = Context(prec=QUOTIENT_DIGITS + whole, traps=[]).divide(total, Decimal(self.count))
        return _held(quotient)

    def _as_float(self, count: int) -> Value:
        """The sum divided by `count` as the nearest float: the quotient of two integers is correctly rounded."""
        if not count:
            return None
        if self._nans or (self._plus and self._minus):
            return NAN
        if self._plus or self._minus:
            return inf if self._plus else -inf
        try:
            return self._quotient(count) + 0.0
        except OverflowError:
            return None

    def _quotient(self, count: int) -> float:
        if not self.float_count and not self._exponents:
            return self._integers / count
        numerator, denominator = self._floats, 1 << SCALE
        if self._integers:
            numerator += self._integers << SCALE
        if self._decimals:
            unit = 10**self._places
            numerator, denominator = numerator * unit + (self._decimals << SCALE), denominator * unit
        return numerator / (denominator * count)

    def _as_decimal(self) -> Decimal:
        """The sum with as many places as the decimals in it have, so that it depends on nothing removed since."""
        exponent = min(0, *self._exponents) if self.integer_count else min(self._exponents)
        units = self._decimals + self._integers * 10**self._places
        if not units:
            return Decimal(0)
        sign, digits, _ = Decimal(units // 10 ** (self._places + exponent)).as_tuple()  # without rest
        return Decimal((sign, digits, exponent))


def _held(value: Decimal) -> Value:
    """The decimal as a cell holds it; NULL beyond that."""
    try:
        return canonical(value)
    except ValueError:
        return None
