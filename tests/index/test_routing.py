"""The law of the index: it answers exactly what evaluating every predicate answers, whatever was added and removed."""

from __future__ import annotations

from collections import Counter as Tally

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.index.clauses import FALSE
from sspcore.index.dispatch import Dispatch
from sspcore.index.lanes import Nested
from sspcore.index.predicate_index import PredicateIndex
from sspcore.plan.expressions import Call, Column, Constant
from tests.index.predicates import TYPES, Maker, Naive, moves
from tests.profiles import scaled

ROUNDS = 5


def exact(found, wanted):
    """The ids found are those wanted, none twice."""
    assert len(found) == len(set(found)), Tally(found).most_common(1)
    assert set(found) == wanted


def judged(index, naive, old, new):
    """Every question about one change; how many true (predicate, row) pairs it was tested on."""
    before, after = naive.route(old), naive.route(new)
    exact(index.route(old), before)
    exact(index.route(new), after)
    exact(index.looped(new), after)
    assert index.route2(old, new) == moves(before, after)
    for rows, wanted in (((old, new), before | after), ((None, new), after), ((old, None), before)):
        touched = index.touch(*rows)
        assert len(touched) == len(set(touched)), Tally(touched).most_common(1)
        assert wanted <= set(touched)
    return len(before) + len(after)


def history(seed, *, declared, slow=False, predicates=240, rows=22, gone=3):
    """Predicates come and go between rows; the number of true pairs seen."""
    maker, naive = Maker(seed), Naive(slow)
    index = PredicateIndex(TYPES if declared else ())
    pairs, row = 0, maker.row()
    for step in range(predicates):
        predicate = None if step % 80 == 79 else maker.predicate()
        naive.add(step, predicate)
        index.add(step, predicate)
        if step % gone == gone - 1:
            some = maker.random.choice(list(naive.filed))
            index.remove(some)
            naive.remove(some)
        if step % 20 == 19:
            if maker.random.random() < 0.6:  # else lanes made since are looked through by a loop
                index.settle()
            for _ in range(rows):
                fresh = maker.moved(row) if maker.random.random() < 0.7 else maker.row()
                pairs += judged(index, naive, row, fresh)
                row = fresh
    assert set(index.ids()) == set(Dispatch.ids(index)) | never(index)
    for some in list(naive.filed):
        index.remove(some)
    assert not index.route(row) and not index.touch(None, row) and not len(index)
    assert not any(lane.size for lane in index.lanes())
    assert not index.errors
    return pairs


def never(index):
    """Ids whose predicate is FALSE whatever the row: they are filed nowhere."""
    return {id for id in index.ids() if index._filed[id] is FALSE}


@pytest.mark.parametrize("declared", [True, False])
def test_routing_is_evaluating_every_predicate(declared):
    pairs = sum(history(seed, declared=declared) for seed in range(ROUNDS))
    assert pairs > 55_000


def test_routing_is_what_the_specification_says():
    pairs = sum(history(seed, declared=False, slow=True, predicates=60, rows=10) for seed in range(100, 104))
    assert pairs > 800


@scaled(0.1)
@given(seed=st.integers(0, 2**32), declared=st.booleans())
def test_any_history_is_answered_exactly(seed, declared):
    history(seed, declared=declared, predicates=60, rows=4)


def crowd(maker, size):
    """Predicates that meet in few postings: one key, one element, one range, one piece of text before what differs."""
    heads = (
        Call("=", (Column(0), Constant(1))), Call("@>", (Column(8), Constant((1, "a")))),
        Call("between", ()), Call("like", (Column(2), Constant("ab%b"))), Call("like", (Column(2), Constant("%abc%"))),
        Call("or", (Call("and", (Call("=", (Column(0), Constant(1))), Call(">", (Column(3), Constant(0.5))))),
                    Call("=", (Column(2), Constant("a"))))),
        Call(">", (Column(0), Constant(2))), Call("in", (Column(0), Constant(1), Constant(2))),
    )  # fmt: skip
    between = Call("and", (Call(">", (Column(0), Constant(0))), Call("<=", (Column(0), Constant(9)))))
    for at in range(size):
        head = heads[at % len(heads)] if at % len(heads) != 2 else between
        yield head if maker.random.random() < 0.1 else Call("and", (head, maker.predicate(1)))


def test_long_postings_are_looked_up_in_and_emptied_again():
    """1200 predicates on few entries, so that each posting holds more than are walked."""
    maker, naive, index = Maker(7), Naive(), PredicateIndex(TYPES)
    for at, predicate in enumerate(crowd(maker, 1200)):
        naive.add(at, predicate)
        index.add(at, predicate)
    index.settle()
    assert sum(isinstance(p, Nested) for lane in index.lanes() for _, p in lane.postings_by_key()) >= 4
    pairs, row = 0, maker.row()
    while naive.filed:
        for _ in range(4):
            fresh = (maker.random.choice((1, 1, 2, 5)), *maker.moved(row)[1:])
            pairs += judged(index, naive, row, fresh)
            row = fresh
        for some in maker.random.sample(list(naive.filed), min(100, len(naive.filed))):
            index.remove(some)
            naive.remove(some)
    assert pairs > 4_000
    assert not index.errors
    assert not any(lane.size for lane in index.lanes())
