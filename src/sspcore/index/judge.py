"""Tests of a row against one shape, as functions of their own: for lanes that are not fused yet, and closures.

Owns how such a function is made, once per shape. Refuses to know lanes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sspcore.algebra.values import Value, canonical_key
from sspcore.codegen.source import Source
from sspcore.index.clauses import Clause
from sspcore.index.shapes import OWN_KEYS, Closure, condition_of, elements_of, helpers_in, lift


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
    """The clause as one constant of a shape: its test is a call, its code shared with all of its shape."""
    constants: list[Value] = []
    shape = lift(clause, constants)
    judge, values = judge_of(shape), tuple(constants)
    return Closure(clause, lambda row: judge(row, values))
