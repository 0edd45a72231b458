"""Tests of a row that stand alone: against one shape, for lanes not fused yet; against one clause, one of too many.

Owns how such a function is made: generated once per shape, or closures, for a clause. Refuses to know lanes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sspcore.algebra.values import FALSE, NAN, TRUE, canonical_key
from sspcore.codegen.source import Source
from sspcore.index.clauses import Clause
from sspcore.index.shapes import NUMBERS, OWN_KEYS, Closure, condition_of, elements_of, helpers_in
from sspcore.plan.evaluate import NullCounter, compile_predicate
from sspcore.plan.evaluate_compare import Row

Test = Callable[[Row], bool]


@lru_cache(maxsize=1024)
def judge_of(shape: Clause) -> Callable[[tuple[Any, ...], tuple[Any, ...]], bool]:
    """The test of a row against a shape with these constants, by a function of its own: for what is not fused yet."""
    condition = condition_of(shape)
    source = Source()
    source.cells.update({"OWN": OWN_KEYS, "key": canonical_key, "elements": elements_of} | helpers_in(condition.text))
    with source.block("def judge(nrow, constants):"):
        if condition.constants:
            source.line(", ".join([f"c{i}" for i in range(condition.constants)]) + ", = constants")
        for column in sorted(condition.columns()):
            source.line(f"n{column} = nrow[{column}]")
        for column in sorted(condition.keys):
            source.line(f"nk{column} = n{column} if type(n{column}) in OWN else key(n{column})")
        for column in sorted(condition.lists):
            source.line(f"ns{column} = elements(n{column})")
        for column in sorted(condition.words):
            source.line(f"nr{column} = set(n{column}) if type(n{column}) is tuple else ()")
        source.line(f"return {condition.text.replace('@', 'n')}")
    judge: Callable[[tuple[Any, ...], tuple[Any, ...]], bool] = source.build("judge")
    return judge


def closure_of(clause: Clause) -> Closure:
    """The clause as one constant of a shape. Cost: O(clause); nothing is generated for it."""
    return Closure(clause, test_of(clause))


def test_of(clause: Clause) -> Test:
    """The test whether the clause holds for a row, made of closures.

    >>> test_of(("and", (("=", 0, 7), (">", 1, 2.5))))((7, 3))
    True
    """
    return _TESTS[clause[0]](clause)


def _and(clause: Clause) -> Test:
    tests = [test_of(part) for part in clause[1]]

    def all_hold(row: Row) -> bool:
        for test in tests:  # noqa: SIM110 - all() would cost a frame
            if not test(row):
                return False
        return True

    return all_hold


def _or(clause: Clause) -> Test:
    tests = [test_of(part) for part in clause[1]]

    def one_holds(row: Row) -> bool:
        for test in tests:  # noqa: SIM110 - any() would cost a frame
            if test(row):
                return True
        return False

    return one_holds


def _equal(clause: Clause) -> Test:
    _, at, wanted = clause
    if wanted is None or type(wanted) is str:
        return lambda row: row[at] == wanted
    if wanted is TRUE or wanted is FALSE or wanted is NAN:
        return lambda row: canonical_key(row[at]) is wanted
    return lambda row: (v if type(v := row[at]) in OWN_KEYS else canonical_key(v)) == wanted


def _in(clause: Clause) -> Test:
    at, keys = clause[1], frozenset(clause[2])
    return lambda row: (v if type(v := row[at]) in OWN_KEYS else canonical_key(v)) in keys


def _not_in(clause: Clause) -> Test:
    at, keys = clause[1], frozenset(clause[2])
    return lambda row: row[at] is not None and canonical_key(row[at]) not in keys


def _not_null(clause: Clause) -> Test:
    at = clause[1]
    return lambda row: row[at] is not None


def _range(clause: Clause) -> Test:
    """NaN is above all numbers, Python calls every comparison with it false, and decimals refuse to be compared."""
    op, at, bound = clause
    kinds = NUMBERS if type(bound) in NUMBERS else {type(bound)}
    above, equal = op in (">", ">="), op in ("<=", ">=")

    def beyond(row: Row) -> bool:
        value = row[at]
        if type(value) not in kinds:
            return False
        if value != value:
            return above
        if value == bound:
            return equal
        return bool((value > bound) is above)

    if type(bound) is not datetime:
        return beyond
    return lambda row: beyond((*row[:at], canonical_key(row[at]), *row[at + 1 :]))


def _like(clause: Clause) -> Test:
    tag, at, pattern = clause
    wanted = tag == "like"
    return lambda row: type(row[at]) is str and bool(pattern.match(row[at])) is wanted


def _contains(clause: Clause) -> Test:
    at, keys = clause[1], frozenset(clause[2])
    return lambda row: keys.issubset(elements_of(row[at]))


def _overlaps(clause: Clause) -> Test:
    at, keys = clause[1], frozenset(clause[2])
    return lambda row: not keys.isdisjoint(elements_of(row[at]))


_TESTS: Final[dict[str, Callable[[Clause], Test]]] = {
    "and": _and, "or": _or, "=": _equal, "in": _in, "notin": _not_in, "notnull": _not_null, "like": _like,
    "notlike": _like, "@>": _contains, "&&": _overlaps, **dict.fromkeys(("<", "<=", ">", ">="), _range),
    "other": lambda clause: compile_predicate(clause[1], NullCounter()),
    "true": lambda clause: lambda row: True, "false": lambda clause: lambda row: False,
}  # fmt: skip
