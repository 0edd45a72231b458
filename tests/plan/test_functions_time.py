"""Times, dates and intervals: the library against the specification, and against what PostgreSQL 15 said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.interval import Interval
from sspcore.algebra.tagged import decode, encode
from sspcore.algebra.values import (
    CLASS_NAMES,
    canonical,
    canonical_key,
    class_of,
    compare,
    descending_key,
    equals,
    order_key,
    same,
)
from sspcore.engine.interpret_expressions import evaluate
from sspcore.plan.expressions import Call, Constant
from sspcore.plan.functions import FUNCTIONS
from sspcore.plan.functions_time import FIELDS, TRUNCATIONS
from sspcore.plan.interval_text import read_interval
from sspcore.plan.total import NULL_BY_ERROR
from tests.profiles import scaled

ERROR = NULL_BY_ERROR


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(text: str) -> Interval:
    found = read_interval(text)
    assert found is not None
    return found


def apply(name: str, *values: object) -> object:
    return FUNCTIONS[name].apply(*values)


timestamps = st.datetimes(timezones=st.just(UTC))
dates = st.dates()
small = st.integers(-30, 30)
intervals = st.builds(
    Interval, small | st.integers(-(2**31), 2**31 - 1), small, small | st.integers(-(2**63), 2**63 - 1)
)
operands = (
    timestamps | dates | intervals | st.integers(-(10**7), 10**7) | st.sampled_from([None, True, "a", 1.5, 10**400])
)


@scaled(10)
@given(st.sampled_from("+-"), operands, operands)
def test_sums_and_differences_are_what_the_specification_says(symbol: str, a: object, b: object) -> None:
    actual = apply(symbol, a, b)

    assert same(evaluate(Call(symbol, (Constant(a), Constant(b))), ()), None if actual is ERROR else actual)


@scaled(10)
@given(st.sampled_from(["date_trunc", "extract"]), st.sampled_from(sorted({*FIELDS, *TRUNCATIONS, "x"})), operands)
def test_fields_and_truncations_are_what_the_specification_says(name: str, field: str, x: object) -> None:
    actual = apply(name, field, x)

    assert same(evaluate(Call(name, (Constant(field), Constant(x))), ()), None if actual is ERROR else actual)


@given(intervals)
def test_an_interval_is_read_from_what_it_prints(interval: Interval) -> None:
    assert read_interval(str(interval)) == interval
    assert decode(encode(interval)) == interval


@given(intervals, intervals)
def test_intervals_compare_by_length(a: Interval, b: Interval) -> None:
    expected = (a.length > b.length) - (a.length < b.length)

    assert compare(a, b) == expected
    assert equals(a, b) is (canonical_key(a) == canonical_key(b)) is (order_key(a) == order_key(b)) is (expected == 0)
    assert (descending_key(a) < descending_key(b)) is (order_key(a) > order_key(b))


def test_intervals_are_a_class_of_their_own_after_times() -> None:
    day, month = Interval(days=1), Interval(months=1)

    assert CLASS_NAMES[class_of(day)] == "interval"
    assert [compare(day, x) for x in (1, "1 day", date(2013, 6, 24), None)] == [None] * 4
    assert equals(day, 86_400_000_000) is False
    assert sorted([(), day, date(2013, 6, 24), month], key=order_key) == [date(2013, 6, 24), day, month, ()]
    assert (equals(month, Interval(days=30)), same(month, Interval(days=30))) == (True, False)


def test_a_timedelta_is_an_interval_and_back() -> None:
    interval = canonical(timedelta(days=-2, microseconds=5))

    assert interval == Interval(0, -2, 5)
    assert interval.timedelta() == timedelta(days=-2, microseconds=5)
    with pytest.raises(ValueError, match="no fixed length"):
        Interval(months=1).timedelta()
    with pytest.raises(ValueError, match="at most"):
        canonical(Interval(months=2**31))


@pytest.mark.parametrize(
    ("text", "printed"),
    [("1.5 days", "1 day 12:00:00"), ("1.5 months", "1 mon 15 days"), ("1.5 years", "1 year 6 mons"),
     ("1 day 2 hours", "1 day 02:00:00"), ("2", "00:00:02"), ("1:30", "01:30:00"), ("-1 days -1:30", "-1 days -01:30:00"),
     ("1 02:03:04.5", "1 day 02:03:04.5"), ("-1 day +2:00", "-1 days +02:00:00"), ("1 day ago", "-1 days"),
     ("P1Y2M3DT4H5M6S", "1 year 2 mons 3 days 04:05:06"), ("1 week 2 d", "9 days"), ("1.5 weeks", "10 days 12:00:00"),
     ("0.001 s", "00:00:00.001"), ("1.55 months", "1 mon 16 days 12:00:00"), ("1 year 2", "1 year 00:00:02"),
     ("5 m", "00:05:00"), ("-1.5 hours", "-01:30:00"), ("1-2", "1 year 2 mons"), ("1.1 years", "1 year 1 mon"),
     ("1 mon -1 day", "1 mon -1 days"), ("-1 mon 1 day 00:00:00.5", "-1 mons +1 day 00:00:00.5"), ("0", "00:00:00"),
     ("-14 months", "-1 years -2 mons"), ("100 hours", "100:00:00"), (" 30 MINUTES ", "00:30:00")],
)  # fmt: skip
def test_intervals_are_read_and_printed_as_postgres_does(text: str, printed: str) -> None:
    assert str(read_interval(text)) == printed
    assert apply("cast", text, "interval") == read_interval(text)
    assert apply("cast", span(text), "text") == printed


@pytest.mark.parametrize(
    "text",
    ["", " ", "soon", "1 day 1 day", "3 mons 1 mon", "P", "PT", "1 fortnight", "1e3 days", "99999999999 years", "1:60",
     "1:00:60", "--1 day", "P1D2", "1 day ago 2", "ago", "1.5 quarters", "1 1", "9" * 300, "١ day"],
)  # fmt: skip
def test_text_that_is_no_interval_is_null_by_error(text: str) -> None:
    assert apply("cast", text, "interval") is ERROR


@pytest.mark.parametrize(
    ("symbol", "a", "b", "expected"),
    [("+", at("2013-01-31"), span("1 month"), at("2013-02-28")), ("+", date(2013, 1, 31), span("1 month"), at("2013-02-28")),
     ("+", date(2013, 1, 31), 3, date(2013, 2, 3)), ("+", 3, date(2013, 1, 31), date(2013, 2, 3)),
     ("-", date(2013, 3, 1), date(2013, 1, 1), 59), ("-", date(2013, 3, 1), 1, date(2013, 2, 28)),
     ("-", at("2013-03-01T05:00"), at("2013-01-01T06:30"), span("58 days 22:30")),
     ("-", at("2013-01-01T05:00"), at("2013-03-01T06:30"), span("-59 days -01:30")),
     ("-", at("2013-01-02"), date(2013, 1, 1), span("1 day")), ("-", at("2013-01-02"), span("1 mon 1 day"), at("2012-12-01")),
     ("-", span("1 day"), span("25 hours"), span("1 day -25:00")), ("*", span("1 month"), 1.5, span("1 mon 15 days")),
     ("/", span("1 day"), 7, span("03:25:42.857143")), ("*", Decimal("0.1"), span("1 month 3 days"), span("3 days 07:12")),
     ("/", span("1 year"), 5, span("2 mons 12 days")), ("/", span("1 month"), 7, span("4 days 06:51:25.6896")),
     ("*", span("-1 month"), 1.5, span("-1 mons -15 days")), ("/", span("1 day"), 0, ERROR), ("*", span("1 day"), 10**12, ERROR),
     ("*", span("1 day"), float("inf"), ERROR), ("*", span("1 day"), span("1 day"), ERROR), ("/", 1, span("1 day"), ERROR),
     ("+", at("2013-01-01"), at("2013-01-01"), ERROR), ("+", date(2013, 1, 1), date(2013, 1, 1), ERROR),
     ("+", at("2013-01-01"), 1, ERROR), ("-", 1, date(2013, 1, 1), ERROR), ("-", span("1 day"), at("2013-01-01"), ERROR),
     ("+", at("9999-12-31"), span("1 day"), ERROR), ("-", at("0001-01-01"), span("1 year"), ERROR),
     ("+", date(2013, 1, 1), 10**400, ERROR), ("*", span("1 day"), "2", ERROR), ("+", True, span("1 day"), ERROR)],
)  # fmt: skip
def test_arithmetic_is_postgres_s(symbol: str, a: object, b: object, expected: object) -> None:
    result = apply(symbol, a, b)

    assert result is expected or same(expected, result)


def test_an_interval_is_negated_part_by_part() -> None:
    assert apply("neg", Interval(1, -2, 3)) == Interval(-1, 2, -3)
    assert apply("neg", Interval(-(2**31))) is ERROR


@pytest.mark.parametrize(
    ("field", "source", "expected"),
    [("epoch", span("1 year 2 months 3 days 04:05:06.789"), 37015506.789), ("day", span("40 days"), 40.0),
     ("month", span("14 months"), 2.0), ("hour", span("100 hours"), 100.0), ("quarter", span("14 months"), 1.0),
     ("minute", span("-01:30:15"), -30.0), ("second", at("2013-01-01T00:00:12.345"), 12.345), ("doy", date(2013, 12, 31), 365.0),
     ("epoch", date(2013, 1, 1), 1356998400.0), ("century", date(2000, 12, 31), 20.0), ("dow", date(2013, 6, 23), 0.0),
     ("millennium", date(2001, 1, 1), 3.0), ("decade", date(1999, 1, 1), 199.0), ("isoyear", date(2013, 12, 31), 2014.0),
     ("isodow", date(2013, 6, 23), 7.0), ("week", date(2013, 12, 31), 1.0), ("hour", date(2013, 1, 1), ERROR),
     ("week", span("1 day"), ERROR), ("hour", "2013-01-01", ERROR), ("Year", date(2013, 1, 1), ERROR)],
)  # fmt: skip
def test_fields_are_postgres_s(field: str, source: object, expected: object) -> None:
    result = apply("extract", field, source)

    assert result is expected or same(expected, result)


@pytest.mark.parametrize(
    ("unit", "source", "expected"),
    [("week", at("2013-01-06T12:00"), at("2012-12-31")), ("quarter", at("2013-06-06T12:00"), at("2013-04-01")),
     ("century", date(2000, 6, 6), at("1901-01-01")), ("decade", date(2013, 6, 6), at("2010-01-01")),
     ("milliseconds", at("2013-06-06T12:00:00.123456"), at("2013-06-06T12:00:00.123")),
     ("millennium", date(2000, 6, 6), at("1001-01-01")), ("hour", at("2013-06-06T12:59:59.9"), at("2013-06-06T12:00")),
     ("fortnight", at("2013-06-06"), ERROR), ("day", "2013-06-06", ERROR), ("week", at("0001-01-03"), at("0001-01-01")),
     ("decade", at("0005-01-03"), ERROR)],
)  # fmt: skip
def test_truncations_are_postgres_s(unit: str, source: object, expected: object) -> None:
    result = apply("date_trunc", unit, source)

    assert result is expected or same(expected, result)


def test_times_are_made_from_numbers() -> None:
    assert apply("to_timestamp", 1.5) == at("1970-01-01T00:00:01.5")
    assert apply("to_timestamp", Decimal("-1")) == at("1969-12-31T23:59:59")
    assert [apply("to_timestamp", x) for x in (1e300, float("nan"), "1", True)] == [ERROR] * 4
    assert str(apply("make_interval", 1, 0, 2, 0, 0, 0, 1.5)) == "1 year 14 days 00:00:01.5"
    assert apply("make_interval") == Interval()
    assert apply("make_interval", 1.5) is ERROR


@pytest.mark.parametrize(
    ("a", "b"), list(product([date(2013, 6, 24), at("2013-06-24"), at("2013-06-24T01:00")], repeat=2))
)
def test_dates_compare_with_timestamps_as_their_start_at_utc(a: date, b: date) -> None:
    def moment(x: date) -> datetime:
        return x if isinstance(x, datetime) else datetime(x.year, x.month, x.day, tzinfo=UTC)

    assert apply("<", a, b) is (moment(a) < moment(b))
    assert apply("=", a, b) is (moment(a) == moment(b))
