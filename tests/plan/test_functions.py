"""The library of functions: totality, three-valued logic, and Postgres's meaning (each case ran on PostgreSQL 15)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as D
from itertools import product
from math import inf, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import MAX_INTEGER_BITS, NAN, canonical, class_of, same
from sspcore.plan.functions import FUNCTIONS
from sspcore.plan.total import MAX_TEXT, NULL_BY_ERROR
from sspcore.testing.generate.values import DOMAINS, MIXED

ERROR = NULL_BY_ERROR
VALUES = (*MIXED, *[v for domain in DOMAINS.values() for v in domain], None, 2**4095, -1, 2**70, "%", "\\")


def apply(name: str, *values: object) -> object:
    return FUNCTIONS[name].apply(*values)


@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data())
def test_every_function_is_total(name: str, data: st.DataObject) -> None:
    """Any values at all give a canonical value, NULL, or the mark of an error; nothing is raised."""
    function = FUNCTIONS[name]
    most = function.min_args + 2 if function.max_args is None else function.max_args
    values = data.draw(st.lists(st.sampled_from(VALUES), min_size=function.min_args, max_size=most))
    if name == "case" and len(values) % 2 == 0:
        values = values[1:]

    result = function.apply(*values)

    assert result is ERROR or same(result, canonical(result))


LOGIC = ("and", "or", "not", "is null", "is true", "is false", "is distinct", "in", "case", "coalesce", "nullif",
         "greatest", "least", "concat", "concat_ws", "pi")  # fmt: skip
OF_LISTS = ("array[]", "array_append", "array_cat", "array_position", "array_prepend", "array_remove",
            *[n for n in FUNCTIONS if n.endswith((" any", " all"))])  # fmt: skip
"""For these NULL is an element like others, or an empty list."""


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n not in LOGIC + OF_LISTS])
def test_null_in_gives_null_out(name: str) -> None:
    function = FUNCTIONS[name]
    for count in range(function.min_args, (function.max_args or function.min_args) + 1):
        for at in range(count):
            values = [1] * count
            values[at] = None  # type: ignore[call-overload]
            assert function.apply(*values) is None


TRUTHS = (True, False, None)


@pytest.mark.parametrize(
    ("name", "table"),
    [("and", "TFNFFFNFN"), ("or", "TTTTFNTNN")],
)
def test_and_and_or_follow_the_three_valued_tables(name: str, table: str) -> None:
    expected = [{"T": True, "F": False, "N": None}[t] for t in table]

    assert expected == [apply(name, a, b) for a, b in product(TRUTHS, TRUTHS)]


def test_logic_beyond_two_operands_and_booleans() -> None:
    assert [False, True, None] == [apply("not", t) for t in TRUTHS]
    assert apply("and", True, None, False) is False
    assert apply("or", None, 5, True) is True
    assert apply("and", 5, False) is False
    assert apply("and", 5, True) is ERROR
    assert apply("or", "true", False, None) is ERROR
    assert apply("not", 1) is ERROR
    assert [True, False, False] == [apply("is true", t) for t in TRUTHS]
    assert [False, True, False] == [apply("is false", t) for t in TRUTHS]


@pytest.mark.parametrize(("a", "b"), list(product((1, 1.5, "1", True, b"1", date(2013, 6, 24), (1,)), repeat=2)))
def test_across_classes_equality_is_false_and_order_an_error(a: object, b: object) -> None:
    """T12: `a = 'abc'`, `a = true` and `x >= 5` match nothing of another class."""
    if class_of(a) == class_of(b):
        assert sum(apply(op, a, b) for op in ("<", "=", ">")) == 1
    else:
        assert apply("=", a, b) is False
        assert apply("<>", a, b) is True
        assert [ERROR] * 4 == [apply(op, a, b) for op in ("<", "<=", ">", ">=")]


def test_nan_is_above_all_numbers_and_equal_to_itself() -> None:
    assert apply("=", NAN, NAN) is True
    assert apply(">", NAN, inf) is True
    assert apply("<=", NAN, NAN) is True
    assert apply("<", NAN, 10**400) is False


def test_in_is_null_where_a_null_leaves_it_open() -> None:
    assert apply("in", 1, 2, 1.0) is True
    assert apply("in", 1, 2, None, 1) is True
    assert apply("in", 1, 2, None) is None
    assert apply("in", None, 1) is None
    assert apply("in", 1, True, "1") is False
    assert apply("is distinct", None, None) is False
    assert apply("is distinct", 1, None) is True
    assert apply("is distinct", 1, True) is True


def test_choice() -> None:
    assert apply("case", False, 1, None, 2, 5, 3, "else") == "else"
    assert apply("case", None, 1, True, 2, None) == 2
    assert apply("coalesce", None, 0, 1) == 0
    assert apply("nullif", 1, 1.0) is None
    assert apply("nullif", 1, True) == 1
    assert (apply("greatest", 1, None, 3, 2), apply("least", None, 3, 2)) == (3, 2)
    assert apply("greatest", None, None) is None


@pytest.mark.parametrize(
    ("name", "a", "b", "expected"),
    [("+", 1, 2, 3), ("+", 1, 0.5, 1.5), ("+", 1, D("0.50"), D("1.50")),
     ("+", 0.5, D("0.5"), 1.0), ("-", inf, inf, NAN),
     ("-", 3, 5, -2), ("*", 3, D("1.50"), D("4.50")), ("*", 1e300, 1e300, ERROR), ("*", inf, 0, NAN),
     ("/", 7, 2, 3), ("/", -7, 2, -3), ("/", 7, -2, -3), ("/", 7.0, 2, 3.5), ("/", 1, 0, ERROR), ("/", 1.0, 0.0, ERROR),
     ("/", D(1), 0, ERROR), ("/", D(1), 4, D("0.25")), ("/", D(1), 3, D("0.3333333333333333333333333333333333")),
     ("%", 7, 3, 1), ("%", -7, 3, -1), ("%", 7, -3, 1), ("%", -7.5, 2, -1.5), ("%", D("-2.5"), 2, D("-0.5")),
     ("%", 1, 0, ERROR), ("mod", -7, 3, -1), ("+", 2**63 - 1, 1, 2**63), ("+", "1", 1, ERROR), ("+", True, 1, ERROR),
     ("+", date(2013, 6, 24), "1", ERROR), ("power", 2, 10, 1024.0), ("power", 10, 400, ERROR), ("power", -1, 0.5, ERROR),
     ("power", D(2), 3, D(8)), ("power", 0, -1, ERROR), ("round", 1234, -2, 1200), ("round", 1250, -2, 1300),
     ("round", 2.675, 2, 2.68), ("round", D("2.50"), 0, D(3)), ("round", D("-2.5"), 0, D(-3)),
     ("round", 1.5, 1.0, ERROR),
     ("trunc", D("-2.57"), 1, D("-2.5")), ("trunc", 1299, -2, 1200), ("log", 2, 8, 3.0), ("log", 1, 8, ERROR)],
)  # fmt: skip
def test_arithmetic_of_two_operands(name: str, a: object, b: object, expected: object) -> None:
    result = apply(name, a, b)

    assert result is expected or same(expected, result)


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [("neg", 5, -5), ("neg", 0.0, 0.0), ("neg", D("1.5"), D("-1.5")), ("abs", -3, 3), ("abs", -inf, inf),
     ("sign", -2, -1), ("sign", 2.5, 1.0), ("round", 2.5, 3.0), ("round", -2.5, -3.0),
     ("round", 0.49999999999999994, 0.0),
     ("round", -0.4, 0.0), ("round", 7, 7), ("floor", -1.5, -2.0), ("floor", D("-1.5"), D(-2)), ("ceil", 1.2, 2.0),
     ("trunc", -1.9, -1.0), ("sqrt", 9, 3.0), ("sqrt", -1, ERROR), ("sqrt", D("2.25"), D("1.5")), ("ln", 0, ERROR),
     ("ln", 1, 0.0), ("log", 1000, 3.0), ("exp", 0, 1.0), ("exp", 1000, ERROR), ("sqrt", NAN, NAN), ("abs", "x", ERROR),
     ("floor", True, ERROR), ("round", inf, inf)],
)  # fmt: skip
def test_functions_of_one_number(name: str, x: object, expected: object) -> None:
    result = apply(name, x)

    assert result is expected or same(expected, result)


def test_pi() -> None:
    assert pi == apply("pi")


@pytest.mark.parametrize(
    ("call", "expected"),
    [(("||", "a", "b"), "ab"), (("||", "a", 1), "a1"), (("||", 1.0, "a"), "1a"), (("||", "a", None), None),
     (("||", 1, 2), ERROR), (("||", b"a", b"b"), b"ab"), (("||", (1,), (2,)), (1, 2)), (("||", "a", (1,)), ("a", 1)),
     (("concat", "a", None, 1, D("1.50")), "a11.50"), (("concat",), ""), (("concat_ws", "-", 1, None, "x"), "1-x"),
     (("concat_ws", None, "x"), None), (("concat_ws", 1, "x"), ERROR), (("upper", "aé"), "AÉ"), (("lower", "AÉ"), "aé"),
     (("upper", 1), ERROR), (("initcap", "hello wOrld-x2y"), "Hello World-X2y"), (("length", "é\U0001f600"), 2),
     (("length", b"abc"), 3), (("length", 12), ERROR), (("trim", "  x "), "x"), (("trim", "xyax", "xy"), "a"),
     (("ltrim", "  x "), "x "), (("rtrim", "\tx \n"), "\tx \n"), (("trim", "x", ""), "x"),
     (("substr", "abcdef", 2), "bcdef"), (("substr", "abcdef", 2, 3), "bcd"), (("substr", "abcdef", 0, 3), "ab"),
     (("substr", "abcdef", -5, 8), "ab"), (("substr", "abc", 5, 2), ""), (("substr", "abc", 1, -1), ERROR),
     (("substr", "abc", 1.0), ERROR), (("substr", b"abc", 2, 1), b"b"), (("substr", "abc", 2, 10**30), "bc"),
     (("replace", "abcabc", "b", "xx"), "axxcaxxc"), (("replace", "abc", "", "x"), "abc"),
     (("strpos", "abc", "c"), 3),
     (("strpos", "abc", "z"), 0), (("strpos", "abc", ""), 1), (("left", "abcde", 2), "ab"),
     (("left", "abcde", -2), "abc"),
     (("left", "abc", -9), ""), (("right", "abcde", 2), "de"), (("right", "abcde", -2), "cde"),
     (("right", "abc", 0), ""),
     (("lpad", "ab", 5, "xy"), "xyxab"), (("rpad", "ab", 5, "xy"), "abxyx"), (("lpad", "abc", 2), "ab"),
     (("rpad", "abc", 2), "ab"), (("lpad", "ab", 4, ""), "ab"), (("lpad", "ab", -1), ""), (("reverse", "aé"), "éa"),
     (("repeat", "ab", 2), "abab"), (("repeat", "ab", -1), ""), (("split_part", "a,b,c", ",", 2), "b"),
     (("split_part", "a,b,c", ",", -1), "c"), (("split_part", "a,b,c", ",", 9), ""), (("split_part", "a,b", "", 1),
      "a,b"),
     (("split_part", "a,b", ",", 0), ERROR), (("starts_with", "abc", "ab"), True), (("ascii", "é"), 233),
     (("ascii", ""), 0), (("chr", 233), "é"), (("chr", 0), ERROR), (("chr", 0xD800), ERROR), (("chr", 2**21), ERROR),
     (("like", "abc", "a%"), True), (("like", "abc", "A%"), False), (("ilike", "abc", "A%"), True),
     (("like", "a%c", "a!%c", "!"), True), (("like", "a", "a\\"), ERROR), (("like", 1, "1"), ERROR)],
)  # fmt: skip
def test_text_functions(call: tuple[object, ...], expected: object) -> None:
    result = apply(*call)  # type: ignore[arg-type]

    assert result is expected or same(expected, result)


@pytest.mark.parametrize(
    ("call"),
    [("repeat", "ab", 10**12), ("repeat", "ab", MAX_TEXT), ("lpad", "a", 10**12), ("rpad", "a", MAX_TEXT + 1),
     ("replace", "a" * 2000, "a", "b" * 2000), ("||", "a" * MAX_TEXT, "b"), ("concat", "a" * MAX_TEXT, "b"),
     ("concat_ws", "-" * 2**19, 1, 2, 3), ("*", 2 ** (MAX_INTEGER_BITS - 1), 2), ("+", 2**MAX_INTEGER_BITS - 1, 1),
     ("-", -(2**MAX_INTEGER_BITS) + 1, 1), ("*", D("1e999"), D("1e999")), ("power", D("1e9"), D("1e9")),
     ("exp", D(10**6)), ("cast", 2**4000, "decimal"), ("cast", "9" * 1300, "integer"), ("+", D("1e1000"), D("1e-1000")),
     ("cast", "0." + "1" * 3000, "decimal")],
)  # fmt: skip
def test_results_beyond_the_caps_are_errors_found_without_computing_them(call: tuple[object, ...]) -> None:
    assert apply(*call) is ERROR  # type: ignore[arg-type]


NOON = datetime(2013, 6, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [("t", "boolean", True), (" YES ", "boolean", True), ("on", "boolean", True), ("1", "boolean", True),
     ("of", "boolean", False), ("n", "boolean", False), ("o", "boolean", ERROR), ("2", "boolean", ERROR),
     (2, "boolean", True), (0, "boolean", False), (1.0, "boolean", ERROR), (2.5, "integer", 3), (-2.5, "integer", -3),
     (D("2.5"), "integer", 3),
     (1e20, "integer", 10**20), (True, "integer", 1), (" -12 ", "integer", -12), ("1.5", "integer", ERROR),
     ("1_000", "integer", ERROR), ("٣", "integer", ERROR), (NAN, "integer", ERROR), (NOON, "integer", ERROR),
     ("1e3", "real", 1000.0), (".5", "real", 0.5), ("-Infinity", "real", -inf), ("nan", "real", NAN),
     ("--1", "real", ERROR),
     ("1e400", "real", ERROR), (10**400, "real", ERROR), (D("0.1"), "real", 0.1), (3, "real", 3.0), ("", "real", ERROR),
     ("-0", "real", 0.0), ("1.50", "decimal", D("1.50")), (0.1, "decimal", D("0.1")), (inf, "decimal", ERROR),
     ("1e2000", "decimal", ERROR), ("1e99999999", "decimal", ERROR), (7, "decimal", D(7)), (True, "text", "true"),
     (1.0, "text", "1"), (1e15, "text", "1e+15"), (1e14, "text", "100000000000000"), (1e-5, "text", "1e-05"),
     (0.0001, "text", "0.0001"), (-1.5e300, "text", "-1.5e+300"), (NAN, "text", "NaN"), (-inf, "text", "-Infinity"),
     (D("1.50"), "text", "1.50"), (NOON, "text", "2013-06-24 12:00:00+00"),
     (date(2013, 6, 24), "text", "2013-06-24"),
     (b"a\x00", "text", "\\x6100"), (("a", 1.0), "text", '["a", 1.0]'), ("\\x6162", "bytes", b"ab"),
     ("é", "bytes", "é".encode()),
     ("\\xz", "bytes", ERROR), ("2013-06-24T12:00:00Z", "timestamp", NOON), ("2013-06-24 12:00", "timestamp", NOON),
     ("2013-06-24 14:00:00+02", "timestamp", NOON), ("2013-13-01", "timestamp", ERROR), (5, "timestamp", ERROR),
     (date(2013, 6, 24), "timestamp", datetime(2013, 6, 24, tzinfo=UTC)), ("0001-01-01T00:00+05", "timestamp", ERROR),
     (NOON, "date", date(2013, 6, 24)), ("2013-06-24", "date", date(2013, 6, 24)),
     ("2013-06-24 23:59", "date", date(2013, 6, 24)),
     ("2013-02-30", "date", ERROR), ((1,), "json", (1,)), (NOON, "any", NOON), (1, "money", ERROR), (1, 5, ERROR)],
)  # fmt: skip
def test_casts(value: object, kind: object, expected: object) -> None:
    result = apply("cast", value, kind)

    assert result is expected or same(expected, result)


@given(st.floats(allow_nan=False))
def test_a_float_read_back_from_its_text_is_the_same(value: float) -> None:
    value = canonical(value)

    assert same(value, apply("cast", apply("cast", value, "text"), "real"))
