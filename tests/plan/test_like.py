"""LIKE means what SQL says, and no pattern makes it slow."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.plan.like import compile_like

HOSTILE = ("%a%a%a%b", "%a_a_a_a%b%", "%_%_%_%b", "%aaaaaaaa_b%", "%" + "a" * 200 + "b%", "%ab" * 50 + "%", "a%a%a%c")


def reference(text: str, pattern: str) -> bool:
    """LIKE by its definition: every way to split the text, remembered."""

    @lru_cache(None)
    def match(i: int, j: int) -> bool:
        if j == len(pattern):
            return i == len(text)
        symbol = pattern[j]
        if symbol == "%":
            return match(i, j + 1) or (i < len(text) and match(i + 1, j))
        if symbol == "\\":
            return i < len(text) and text[i] == pattern[j + 1] and match(i + 1, j + 2)
        return i < len(text) and symbol in ("_", text[i]) and match(i + 1, j + 1)

    return match(0, 0)


def dangling(pattern: str) -> bool:
    return (len(pattern) - len(pattern.rstrip("\\"))) % 2 == 1


@given(st.text("ab", max_size=12), st.text("ab%_", max_size=8))
def test_patterns_of_wildcards_match_as_defined(text: str, pattern: str) -> None:
    test = compile_like(pattern)

    assert test is not None
    assert test(text) == reference(text, pattern)


@given(st.text("a%_\\\n", max_size=8), st.text("a%_\\\n", max_size=8))
def test_escapes_match_as_defined_and_a_dangling_one_means_nothing(text: str, pattern: str) -> None:
    test = compile_like(pattern)

    if dangling(pattern):
        assert test is None
    else:
        assert test is not None
        assert test(text) == reference(text, pattern)


@given(st.text("aAbBéÉİß", max_size=8), st.text("aAbBéÉİß%_", max_size=6))
def test_ilike_ignores_case_and_counts_code_points_alike(text: str, pattern: str) -> None:
    test = compile_like(pattern, fold=True)

    assert test is not None
    assert test(text) == test(text.swapcase() if len(text.swapcase()) == len(text) and "İ" not in text else text)
    assert compile_like("_" * len(text), fold=True)(text)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "pattern", "escape", "expected"),
    [("a%b", "a!%b", "!", True), ("axb", "a!%b", "!", False), ("a\\b", "a\\b", "", True), ("ab", "a\\b", "\\", True),
     ("A", "a", "\\", False), ("a\nb", "a_b", "\\", True), ("a\nb", "%b", "\\", True), ("\U0001f600", "_", "\\", True),
     ("ab", "ab%b", "\\", False), ("abb", "ab%b", "\\", True), ("", "", "\\", True), ("", "%", "\\", True),
     (".*", ".*", "\\", True), ("ab", ".*", "\\", False), ("x", "[x]", "\\", False)],
)  # fmt: skip
def test_like_is_case_sensitive_whole_and_literal(text: str, pattern: str, escape: str, expected: bool) -> None:
    test = compile_like(pattern, escape)

    assert test is not None
    assert test(text) is expected


def test_an_escape_of_two_code_points_and_a_boundless_pattern_mean_nothing() -> None:
    assert compile_like("a", "ab") is None
    assert compile_like("a_" * 2048) is not None
    assert compile_like("a_" * 2048 + "b") is None


def test_a_hostile_pattern_is_no_backtracking_regex() -> None:
    """T60: a regex tries 700³/6 splits here, for a second, inside C where no step is counted; one pass takes 10 µs."""
    test = compile_like("%a%a%a%b")
    assert test is not None
    start = process_time()

    assert not test("a" * 700)
    assert process_time() - start < 0.1


def steps(test: Callable[[str], bool], text: str) -> int:
    """Python lines run and calls into C made by one test: the work, counted."""
    count = 0

    def tick(frame: object, event: str, argument: object) -> object:
        nonlocal count
        count += event in ("line", "c_call")
        return tick

    tracer = sys.gettrace()
    sys.settrace(tick)
    sys.setprofile(tick)
    try:
        test(text)
    finally:
        sys.settrace(tracer)
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("pattern", HOSTILE)
def test_hostile_patterns_take_steps_linear_in_the_text(pattern: str) -> None:
    """T60: twice the text, at most twice the steps; at most four lines per code point, whatever the pattern."""
    test = compile_like(pattern)
    assert test is not None
    short, long = "a" * 1000, "a" * 2000

    assert steps(test, long) <= 2 * steps(test, short) + 20
    assert steps(test, long) <= 4 * len(long) + 10 * len(pattern) + 20
