"""Ordered: a sorted list in chunks, against a plain one."""

from __future__ import annotations

from random import Random

import pytest

from sspcore.engine.operators import ordered as module
from sspcore.engine.operators.ordered import CHUNK, Ordered


@pytest.mark.parametrize("seed", range(4))
def test_it_is_a_sorted_list(seed, monkeypatch):
    """Small chunks, so that they split, merge and run empty all the time."""
    monkeypatch.setattr(module, "CHUNK", 4)
    random, ordered, plain = Random(seed), Ordered(), []
    for _ in range(2_000):
        entry = (random.randrange(10_000), random.random())
        held = random.choice(plain) if plain else None
        growing = random.random() < 0.5 + 0.4 * (len(plain) < 40) - 0.4 * (len(plain) > 80)
        if held is None or (growing and random.random() < 0.7):
            ordered.add(entry)
            plain.append(entry)
        elif growing:
            near = (held[0], random.random()) if random.random() < 0.5 else entry
            at = plain.index(held)
            before, after = plain[at - 1 : at], plain[at + 1 : at + 2]
            stays = all(e < near for e in before[:1] if at) and all(near < e for e in after)
            assert ordered.replace(held, near) is not stays
            plain[at] = near
        else:
            case = random.randrange(3)
            if case == 0:
                ordered.remove(held)
            else:
                held = ordered.pop_first() if case == 1 else ordered.pop_last()
                assert held == (plain[0] if case == 1 else plain[-1])
            plain.remove(held)
        plain.sort()
        assert list(ordered) == plain
        assert ordered.size == len(plain)
        if plain:
            assert (ordered.first(), ordered.last()) == (plain[0], plain[-1])
            at = random.randrange(len(plain))
            assert ordered.predecessor(plain[at]) == (plain[at - 1] if at else None)
            assert ordered.ceiling((plain[at][0],)) == next(e for e in plain if e >= (plain[at][0],))


def test_chunks_stay_of_moderate_size_through_growth_and_shrinking():
    ordered = Ordered([(i,) for i in range(20 * CHUNK)])
    for i in range(10 * CHUNK):
        ordered.add((i + 0.5,))
    assert max(map(len, ordered.chunks)) <= 2 * CHUNK
    for i in range(20 * CHUNK):
        if i % 100:
            ordered.remove((i,))
    assert len(ordered.chunks) <= 4 * ordered.size / CHUNK + 1


def test_an_empty_one_can_be_refilled():
    ordered = Ordered()
    ordered.refill([(1,), (2,)])
    ordered.pop_first()
    ordered.pop_first()
    ordered.add((3,))
    assert list(ordered) == [(3,)]
