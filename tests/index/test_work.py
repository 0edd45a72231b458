"""What the index does for its answers, counted: looks, compilations, tests; and what happens where it cannot answer."""

from __future__ import annotations

from random import Random

import pytest

from sspcore.algebra.values import NAN, canonical
from sspcore.codegen.source import compiles
from sspcore.errors import UsageError
from sspcore.index import dispatch
from sspcore.index.emit import Counter
from sspcore.index.predicate_index import PredicateIndex
from sspcore.plan.evaluate import NullCounter, compile_predicate
from sspcore.plan.expressions import Call, Column, Constant, Param


def call(function, *args):
    return Call(function, tuple([a if isinstance(a, Column | Call | Param) else Constant(a) for a in args]))


A, B, C = Column(0), Column(1), Column(2)


def index_of(*predicates, types=("integer", "integer", "text")):
    counter = Counter()
    index = PredicateIndex(types, counter=counter)
    for at, predicate in enumerate(predicates):
        index.add(at, predicate)
    index.settle()
    return index, counter


def probes(counter, question, *rows):
    before = counter.probes
    question(*rows)
    return counter.probes - before


@pytest.mark.parametrize("size", [100, 10_000])
def test_a_row_is_looked_up_once_per_lane_however_many_predicates_there_are(size):
    index, counter = index_of(*[call("=", A, k) for k in range(size)],
                              *[call("and", call("=", B, k), call(">", A, k)) for k in range(size)],
                              *[call("is null", C)] * 3)  # fmt: skip
    row, same, other = (7, 8, "x"), (7, 8, "y"), (9, 8, "x")

    assert probes(counter, index.route, row) == 3
    assert probes(counter, index.touch, None, row) == 3
    assert probes(counter, index.touch, row, (7, 8, "x")) == 3
    assert probes(counter, index.touch, row, same) == 4
    assert probes(counter, index.touch, row, other) == 4
    assert probes(counter, index.route2, row, other) == 4


def test_predicates_on_columns_that_did_not_change_are_found_by_one_look():
    index, counter = index_of(*[call("=", A, k) for k in range(100)])
    assert index.touch((5, 1, "x"), (5, 2, "y")) == [5]
    assert counter.probes == 1


def test_an_empty_index_and_one_of_everything_look_nothing_up():
    index, counter = index_of()
    assert not index.touch(None, (1, 2, "x"))
    index.add("all", None)
    assert list(index.touch((1, 2, "x"), None)) == ["all"]
    assert index.route((1, 2, "x")) == ["all"]
    assert index.route2((1, 2, "x"), (2, 2, "x")) == {"all": "stays"}
    assert counter.probes == 0


@pytest.mark.parametrize("size", [1_000, 10_000])
def test_a_long_posting_is_looked_up_in(size):
    index, counter = index_of(*[call("and", call("=", A, 1), call("=", B, k)) for k in range(1, 65)],
                              *[call("and", call("=", A, 1), call(">", B, size - k)) for k in range(size)])  # fmt: skip
    index.route((1, 2, "x"))
    assert len(index.route((1, 2, "x"))) == 2
    assert probes(counter, index.route, (1, 2, "x")) == 3


@pytest.mark.parametrize(("order", "at"), [(">", 1), (">=", 1), ("<", -1), ("<=", -1)])
def test_bounds_of_one_column_in_several_forms_are_looked_into_by_rows_that_reach_one(order, at):
    index, counter = index_of(*[call("and", call(order, A, at * k), call("<>", (B, C)[k % 2], (0, "x")[k % 2]))
                                for k in range(10, 20)])  # fmt: skip
    near, far = (at * 5, 1, "y"), (at * 15, 1, "y")
    assert probes(counter, index.route, near) == 1, "one look for both lanes"
    assert probes(counter, index.route, far) == 3
    assert probes(counter, index.route2, near, near) == 1
    assert index.route2(near, far).keys() >= {0, 1, 2, 3, 4}
    compiled = compiles()
    index.add("new", call("and", call(order, A, at * 4), call("<>", B, 0)))  # without new code
    assert index.route(near) == ["new"]
    index.remove("new")
    assert probes(counter, index.route, near) == 1
    for k in range(10):
        index.remove(k)
    assert index.route(far) == []
    index.add("again", call("and", call(order, A, at * 15), call("<>", C, "x")))
    assert index.route((at * 16, 1, "y")) == ["again"]
    assert compiles() == compiled


def unlike(count, random):
    """Predicates of a hundred forms: each a state, a range that few rows meet, and something else to be tested."""
    for _ in range(count):
        edge, order = random.randrange(1, 60), random.choice(ORDERS)
        low = call("and", call("=", STATE, random.choice("abcd")),
                   call(order, SCORE, float(edge if "<" in order else 1000 - edge)))  # fmt: skip
        yield call("and", low, random.choice((
            call(random.choice((*ORDERS, "=", "<>")), PRIORITY, random.randrange(1, 9)),
            call("like", TITLE, f"%{edge}%x"), call("=", call("+", PRIORITY, SCORE), edge),
            call("not", call("in", PRIORITY, edge, edge + 1)), call("not", call("is null", TITLE)),
            call("or", call("is null", TITLE), call("=", SCORE, edge)),
        )))  # fmt: skip


ORDERS = ("<", "<=", ">", ">=")
STATE, SCORE, PRIORITY, TITLE = map(Column, range(4))


def test_many_that_share_a_key_and_no_form_are_found_by_what_else_they_ask():
    """A thousand under four keys, a row meets the ranges of a few: those are tested, and not the 250 of its key.

    An eighth of the scores is below 60 or above 940, and meets half of the ranges of its side: 250 / 4 of its key, so
    that a row is expected to be tested against 8, an update of the score against twice as many.
    """
    random, counter = Random(3), Counter()
    index = PredicateIndex(("text", "real", "integer", "text"), counter=counter)
    tests = {}
    for id, predicate in enumerate(unlike(1000, random)):
        index.add(id, predicate)
        tests[id] = compile_predicate(predicate, NullCounter())
    index.settle()

    def row():
        return random.choice("abcd"), random.uniform(0, 1000), random.randrange(10), f"{random.randrange(60)}x"

    pairs = [(old, (*old[:at], row()[at], *old[at + 1 :])) for old in [row() for _ in range(100)] for at in range(4)]
    for old, new in pairs:
        for _ in range(2):
            index.route2(old, new)
    counter.evaluations = counter.probes = 0
    for old, new in pairs:
        before, after = ({id for id, test in tests.items() if test(one)} for one in (old, new))
        assert set(index.route2(old, new)) == before | after
    assert counter.evaluations <= 16 * len(pairs)
    assert counter.probes <= 40 * len(pairs)
    counter.evaluations = 0
    for _, new in pairs:
        index.route(new)
    assert counter.evaluations <= 12 * len(pairs)
    assert len(list(index.lanes())) < 20
    for id in range(1000):
        index.remove(id)
    assert not any(lane.size for lane in index.lanes())


def test_equal_conditions_that_nothing_can_look_up_are_tested_once():
    index, _ = index_of(*[call("=", call("+", A, B), 3)] * 500, call("=", call("+", A, B), 4))
    (lane,) = index.lanes()
    assert len(lane.postings) == 2
    assert len(index.route((1, 2, "x"))) == 500


def test_adding_never_generates_code_and_a_known_template_needs_none():
    index, _ = index_of(*[call("=", A, k) for k in range(10)])
    row = (3, 4, "abc")
    index.touch(None, row), index.route(row), index.route2(row, row)
    before = compiles()
    for k in range(10, 1000):
        index.add(k, call("=", A, k))
    assert index.route((500, 1, "")) == [500]
    assert compiles() == before

    index.add("new", call("and", call("=", B, 4), call("<", A, 5), call("<>", C, "a")))
    found = index.touch(None, row)
    assert sorted(found, key=str) == [3, "new"]
    assert compiles() == before, "a new template is looked through by a loop first"
    for _ in range(2 * dispatch.PATIENCE + 1):
        index.touch(None, row)
    assert compiles() == before + 1, "and then compiled once, for the question that is asked"
    for _ in range(100):
        index.touch(None, row)
    assert compiles() == before + 1


def test_an_id_in_compiled_lanes_and_in_new_ones_has_one_fate():
    index, _ = index_of(call("or", call("=", A, 7), call("=", C, "x")))
    index.route2((0, 0, ""), (0, 0, ""))
    index.add("new", call("or", call("=", A, 1), call("=", B, 2)))  # one lane is compiled, the other is new

    assert index.route2((1, 0, ""), (0, 2, "")) == {"new": "stays"}
    assert index.route2((0, 2, ""), (1, 0, "")) == {"new": "stays"}
    assert index.route2((0, 2, ""), (0, 0, "")) == {"new": "left"}
    assert index.route((1, 2, "")) == index.touch(None, (1, 2, "")) == ["new"]


def test_templates_beyond_the_limit_share_lanes():
    predicates = [
        call("and", call("=", A, k), *[call("<>", B, j) for j in range(k % 9)],
             *[call("<", C, str(j)) for j in range(k % 11)], *[call("like", C, "a%b") for _ in range(k % 13)])
        for k in range(1300)
    ]  # fmt: skip
    index, counter = index_of(*predicates)
    assert len(list(index.lanes())) <= dispatch.MAX_LANES + 2
    assert index.route((117, -1, "")) == [117]
    assert probes(counter, index.route, (117, -1, "")) <= dispatch.MAX_LANES + 2
    for k in range(1300):
        index.remove(k)
    assert not any(lane.size for lane in index.lanes())


def test_lanes_that_are_empty_are_forgotten():
    index, counter = index_of(*[call("=", Column(at), 1) for at in range(40)], types=["integer"] * 40)
    row = tuple(range(40))
    assert probes(counter, index.route, row) == 40
    for at in range(1, 40):
        index.remove(at)
    assert probes(counter, index.route, row) < 20


def test_what_raises_falls_open_and_is_told():
    told = []
    index = PredicateIndex(on_error=told.append)
    for at, predicate in enumerate([call("=", A, 1), call("=", B, 1), None]):
        index.add(at, predicate)
    broken = ([1], 2)  # no canonical row holds a Python list
    for _ in range(2):
        assert set(index.route(broken)) == {0, 1, 2}
        assert set(index.touch(None, broken)) == {0, 1, 2}
        assert set(index.route2((1, 1), broken)) == {0, 1, 2}
        index.settle()
    assert index.errors == len(told) == 6
    assert isinstance(told[0], TypeError)


def test_an_id_is_filed_once_and_parameters_have_values():
    index, _ = index_of(call("=", A, 1))
    with pytest.raises(UsageError, match="0 is in the index already"):
        index.add(0, None)
    with pytest.raises(UsageError, match="'x' is not in the index"):
        index.remove("x")
    with pytest.raises(UsageError, match=r"parameter \$p has no value"):
        index.add(1, call("=", A, Param("p")))
    assert len(index) == index.size == 1
    assert 0 in index
    assert 1 not in index


def test_statistics_tell_lanes_hot_keys_and_what_is_scanned():
    index, _ = index_of(*[call("=", A, k % 7) for k in range(700)], call("=", call("+", A, B), 3), None)
    index.route((3, 0, "x"))
    found = index.statistics()

    assert (found.predicates, found.always, found.probes, found.hits, found.errors) == (702, 1, 2, 2, 0)
    assert found.scanned == pytest.approx(1 / 702)
    assert {(lane.access, lane.columns, lane.predicates, lane.postings) for lane in found.lanes} == {
        ("eq", (0,), 700, 7), ("scan", (), 1, 1)}  # fmt: skip
    assert found.hottest[0] == ("eq", (0,), 0, 100)


VALUES = (1, 1.0, True, False, 0, "1", "", None, NAN, (1,), (True,), (1.0,), b"1")


def test_values_python_takes_for_one_another_are_told_apart():
    index = PredicateIndex()
    for at, value in enumerate(VALUES):
        if value is not None:
            index.add(at, call("=", A, value))
    index.add("null", call("is null", A))
    for _ in range(2):
        for value in VALUES:
            wanted = {at for at, other in enumerate(VALUES) if value is not None and equal(value, other)}
            assert set(index.route((canonical(value),))) == (wanted or {"null"}), value
        index.settle()


def equal(a, b):
    """`=` by the documentation: by value within a class, never across."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    boolean = isinstance(a, bool), isinstance(b, bool)
    return boolean[0] == boolean[1] and (a == b or (a is NAN and b is NAN)) and b is not None
