"""The law of the index: it answers exactly what evaluating every predicate answers, whatever was added and removed."""

from __future__ import annotations

from collections import Counter as Tally

import pytest

from sspcore.index.predicate_index import PredicateIndex
from tests.index.predicates import TYPES, Maker, Naive

ROUNDS = 4


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
    moves = index.route2(old, new)
    assert moves == naive.route2(old, new)
    for rows, wanted in (((old, new), before | after), ((None, new), after), ((old, None), before)):
        touched = index.touch(*rows)
        assert len(touched) == len(set(touched)), Tally(touched).most_common(1)
        assert wanted <= set(touched)
    return len(before) + len(after)


def history(seed, declared, predicates=90, rows=60):
    """Predicates come and go between rows; the number of true pairs seen."""
    maker, naive = Maker(seed), Naive()
    index = PredicateIndex(TYPES if declared else ())
    pairs, row = 0, maker.row()
    for step in range(predicates):
        naive.filed[step] = None if step % 40 == 39 else maker.predicate()
        index.add(step, naive.filed[step])
        if step % 3 == 2:
            gone = maker.random.choice(list(naive.filed))
            index.remove(gone)
            del naive.filed[gone]
        if step % 30 == 29:
            index.settle()
        if step % 10 == 9:
            for _ in range(rows // 10):
                fresh = maker.moved(row) if maker.random.random() < 0.7 else maker.row()
                pairs += judged(index, naive, row, fresh)
                row = fresh
    for gone in list(naive.filed):
        index.remove(gone)
    assert not index.route(row) and not index.touch(None, row) and not len(index)
    assert not index.errors
    return pairs


@pytest.mark.parametrize("declared", [True, False])
def test_routing_is_evaluating_every_predicate(declared):
    pairs = sum(history(seed, declared) for seed in range(ROUNDS))
    print(pairs)
