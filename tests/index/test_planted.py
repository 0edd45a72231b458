"""The law of the index can fail: faults planted in it one by one are each caught by the same random histories."""

from __future__ import annotations

import pytest

from sspcore.index import clauses, cover, dispatch, emit, lookups, moves, shapes
from tests.index.test_routing import history


def of(module, name, fault):
    return lambda patch: patch.setattr(module, name, fault(getattr(module, name, None)), raising=name != "max")


def several(real):
    """An id under two keys is answered twice."""
    return lambda entries: 0


def entry(tag, **changes):
    """A cover of clauses of this tag that is not what it should be."""

    def plant(patch):
        real = cover._COVERS[tag]
        patch.setitem(cover._COVERS, tag, lambda clause, without: changed(real(clause, without), changes))

    return plant


def changed(found, changes):
    return found if found is None else found._replace(**{k: v(getattr(found, k)) for k, v in changes.items()})


FAULTS = {
    "TRUE is the key of 1": of(shapes, "OWN_KEYS", lambda real: real | {bool}),
    "and for generated code": of(emit, "OWN_KEYS", lambda real: real | {bool}),
    "ids repeat": of(dispatch, "_several", several),
    "NOT of a range takes in NULL and other classes": of(
        clauses, "NEGATED", lambda real: real | {"<": ">", "<=": ">="}),
    "NOT IN forgets that NULL is unknown": lambda patch: patch.setitem(
        clauses._CALLS, "in", lambda args, want: ("notin", 0, (1,)) if not want else clauses._in(args, want)),
    "an OR is covered by its first branch": entry("or", entries=lambda entries: entries[:1]),
    "an IN by its first item": entry("in", entries=lambda entries: entries[:1]),
    "an AND leaves nothing to test": entry("and", residual=lambda residual: None),
    "what is contained is one element": entry("@>", residual=lambda residual: None),
    "a range has one cell": lambda patch: patch.setattr(
        lookups.CellLane, "places", lambda lane, key: (2, {key[0] >> 2})),
    "thresholds are all exclusive": lambda patch: patch.setattr(
        lookups.ThresholdLane, "found", exclusive(lookups.ThresholdLane.found)),
    "lanes of one access reach as far as the least of them": of(lookups, "max", lambda real: min),
    "residuals see an update's old row as its new one": lambda patch: patch.setattr(
        emit.Writer, "untouched", lambda writer, condition: "True"),
    "keys of both rows are one": lambda patch: patch.setattr(emit.Writer, "equal", lambda writer, lane: "True"),
    "who left and entered again has left": of(moves, "_AFTER_OLD", lambda real: real | {"entered": "left"}),
    "LIKE begins anywhere": lambda patch: patch.setitem(
        cover._COVERS, "like", lambda clause, without: cover.Cover((("eq", (clause[1],), clause[2].prefix),), None, 1.0)),
    "cells of one and more have integers only": of(emit, "whole_of", lambda real: lambda value: None),
    "fractions are cut off": of(emit, "ticks_of", lambda real: lambda value: (
        None if (ticks := real(value)) is None else ticks >> 24 << 24)),
    "only integers have cells": of(emit, "ticks_of", lambda real: lambda value: None),
    "ILIKE looks at the case of rows": of(emit, "folded_trigrams_of", lambda real: lookups.trigrams_of),
    "elements are keys as they come": of(emit, "elements_of", lambda real: lambda value: (
        set(value) if type(value) is tuple else ())),
}  # fmt: skip


def exclusive(real):
    def found(lane, key):
        lane.inclusive = False
        return real(lane, key)

    return found


def law():
    for seed in range(40):
        history(seed, declared=False, predicates=120, rows=6)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(name, monkeypatch):
    dispatch.judge_of.cache_clear()
    FAULTS[name](monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        law()
    dispatch.judge_of.cache_clear()


def test_without_a_fault_nothing_is_caught():
    assert history(0, declared=False, predicates=120, rows=6) > 100
