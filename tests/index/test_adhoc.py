"""Ten thousand predicates of unlike forms: answered exactly by few lanes, filed without generating code."""

from __future__ import annotations

import tracemalloc
from random import Random

import pytest

from sspcore.codegen.source import compiles
from sspcore.index import crowds, dispatch, lanes
from sspcore.index.emit import Counter
from sspcore.index.predicate_index import PredicateIndex
from sspcore.plan.evaluate import NullCounter, compile_predicate
from sspcore.plan.expressions import Call, Column, Constant
from tests.index.predicates import Maker
from tests.index.test_routing import history

WIDTH = 12


def call(function, *args):
    return Call(function, tuple([a if isinstance(a, Column | Call) else Constant(a) for a in args]))


class Adhoc:
    """Predicates of which hardly two have one form; each names a key of one of three columns."""

    def __init__(self, seed, keys):
        self.random, self.keys = Random(seed), keys

    def atom(self):
        r = self.random
        column, value = Column(r.randrange(WIDTH)), r.randrange(50)
        match function := r.choice(("=", "<", ">", "<=", ">=", "<>", "in", "is null", "+")):
            case "in":
                return call("in", column, *r.sample(range(50), 3))
            case "is null":
                return call("is null", column)
            case "+":
                return call("=", call("+", column, Column(r.randrange(WIDTH))), value)
        return call(function, column, value)

    def predicate(self):
        r = self.random
        parts = [call("=", Column(r.randrange(3)), r.randrange(self.keys)), self.atom()]
        parts += [self.atom() for _ in range(r.randrange(3))]
        if r.random() < 0.5:
            parts.append(call("or", self.atom(), call("and", self.atom(), self.atom())))
        return call("and", *parts)

    def row(self):
        r = self.random
        return tuple([r.randrange(self.keys if at < 3 else 50) if r.random() < 0.95 else None for at in range(WIDTH)])


@pytest.mark.parametrize(("size", "keys"), [(10_000, 10_000), (2_500, 10)], ids=["keys of few", "crowded keys"])
def test_thousands_of_forms_are_answered_exactly_and_in_bounds(size, keys):
    maker = Adhoc(f"adhoc {keys}", keys)
    predicates = [maker.predicate() for _ in range(size)]
    counter = Counter()
    index = PredicateIndex(["integer"] * WIDTH, counter=counter)
    before = compiles()
    for id, predicate in enumerate(predicates[:-500]):
        index.add(id, predicate)
    tracemalloc.start()
    for id, predicate in enumerate(predicates[-500:], len(predicates) - 500):
        index.add(id, predicate)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert compiles() == before, "code is never generated while filing"
    assert held < 6_000 * 500, "bytes: the closures of four or five conditions each, and their constants"
    assert len(list(index.lanes())) <= dispatch.MAX_LANES + 2 * WIDTH, "those of the first, and equality in a column"

    index.settle()
    tests = {id: compile_predicate(predicate, NullCounter()) for id, predicate in enumerate(predicates)}
    for row in [maker.row() for _ in range(5)]:
        wanted = {id for id, test in tests.items() if test(row)}
        before = counter.probes
        assert set(index.route(row)) == wanted
        assert counter.probes - before <= 2_000, "looks, those into long postings among them"
    for id in range(0, size, 2):
        index.remove(id)
    row = maker.row()
    assert set(index.route(row)) == {id for id, test in tests.items() if id % 2 and test(row)}
    for id in range(1, size, 2):
        index.remove(id)
    assert not any(lane.size for lane in index.lanes())


@pytest.mark.parametrize("limits", [(0, 0), (0, 30), (4, 12)], ids=str)
def test_any_limit_answers_exactly(limits, monkeypatch):
    """Nothing has a lane of its own, or little has: closures, and keys of one column, are as right."""
    for name, limit in zip(("MAX_LANES", "MAX_ACCESSES"), limits, strict=True):
        monkeypatch.setattr(dispatch, name, limit)
    pairs = sum(history(seed, declared=seed % 2 == 0, predicates=120, rows=5) for seed in range(4))
    assert pairs > 1_000


@pytest.mark.parametrize(("alone", "together"), [(64, 2), (64, 8), (3, 4)])
def test_any_crowd_is_looked_up_in_exactly(alone, together, monkeypatch):
    """Nearly every key is crowded, or some are: by predicates of many forms, or of one in its lane as well."""
    monkeypatch.setattr(lanes, "HOT", alone)
    monkeypatch.setattr(crowds, "HOT", together)
    gathered = []
    real = crowds.Crowd.gather
    monkeypatch.setattr(crowds.Crowd, "gather", lambda *args: gathered.append(args) or real(*args))

    def headed(maker, depth=2):
        """A predicate that begins as many others do; half of them end as some others do too."""
        if depth < 2:
            return real_predicate(maker, depth)
        head, order = HEADS[maker.random.randrange(len(HEADS))], maker.random.choice(("<", ">", "<>"))
        rest = call(order, Column(0), maker.random.randrange(9))
        return call("and", head, rest if maker.random.random() < 0.5 else real_predicate(maker, 1))

    real_predicate = Maker.predicate
    monkeypatch.setattr(Maker, "predicate", headed)
    pairs = sum(history(seed, declared=seed % 2 == 0, predicates=160, rows=5) for seed in range(4))
    assert pairs > 500
    assert len(gathered) > 10


HEADS = (
    call("=", Column(1), 1), call("=", Column(4), True), call("in", Column(1), 1, 0), call("is null", Column(2)),
    call("or", call("=", Column(1), 1), call("is null", Column(3))), call("@>", Column(8), (1,)),
    call("or", call("and", call("=", Column(1), 1), call(">", Column(3), 0.5)), call("is null", Column(2))),
)  # fmt: skip
