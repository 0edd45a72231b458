"""The laws of streams: D and I undo each other, all is linear, and linear queries are their own increment."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.stream import ZERO, delay, differentiate, incremental, integrate
from sspcore.algebra.zset import ZSet

zsets = st.lists(st.tuples(st.tuples(st.sampled_from("abc")), st.integers(-2, 2)), max_size=4).map(ZSet)
streams = st.lists(zsets, max_size=6)
Stream = list[ZSet]


def plus(s: Stream, t: Stream) -> Stream:
    return [a + b for a, b in zip(s, t, strict=False)]


@given(streams)
def test_integration_and_differentiation_undo_each_other(s: Stream) -> None:
    assert s == list(differentiate(integrate(s)))
    assert s == list(integrate(differentiate(s)))


@given(streams)
def test_each_operator_satisfies_its_defining_equation(s: Stream) -> None:
    total = list(integrate(s))

    assert list(delay(s)) == [ZERO, *s][: len(s)]
    assert list(differentiate(s)) == [a - b for a, b in zip(s, delay(s), strict=True)]
    assert total == plus(s, list(delay(total)))


@given(streams, streams)
def test_all_three_are_linear(s: Stream, t: Stream) -> None:
    for operator in (delay, integrate, differentiate):
        assert list(operator(plus(s, t))) == plus(list(operator(s)), list(operator(t)))


@given(streams)
def test_a_linear_query_is_its_own_increment_and_distinct_is_not(s: Stream) -> None:
    keep_a = incremental(lambda z: z.filter(lambda row: row == ("a",)))
    assert [z.filter(lambda row: row == ("a",)) for z in s] == list(keep_a(s))

    once = list(incremental(ZSet.distinct)(s))
    assert [z.distinct() for z in integrate(s)] == list(integrate(once))


def test_distinct_needs_its_history() -> None:
    """The second of two equal rows changes nothing, though alone it would."""
    a = ZSet([(("a",), 1)])

    assert [a, ZERO, ZERO, -a] == list(incremental(ZSet.distinct)([a, a, -a, -a]))
