"""Entries as text: where a row stands in an order, as the flat tuple of `operators/sortkeys`.

Owns which parts of an entry are written out: those of numbers and texts. Every other value goes through the function
that makes entries there, so that both order alike. Refuses to know what is kept in that order.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sspcore.algebra.values import NUMBER, TEXT
from sspcore.engine.emit import cells
from sspcore.engine.emit.expressions import Expressions, tuple_of
from sspcore.engine.emit.frame import Frame
from sspcore.engine.operators.sortkeys import entry_of, tie
from sspcore.plan.evaluate import NullCounter
from sspcore.plan.expressions import Column
from sspcore.plan.nodes import OrderTerm


def entry(frame: Frame, terms: Sequence[OrderTerm], key: str, row: str) -> str:
    """The text of the entry of a key and a row of a frame's first leaf."""
    write = frame.expressions
    if not terms:
        return f"(({TEXT}, {key}) if type({key}) is str else {_ties(write)}({key}))"
    env = frame.read({0: row})
    texts = [write.value(term.expression, env) for term in terms]
    order = [attrs.evolve(term, expression=Column(at)) for at, term in enumerate(terms)]
    any_type = cells.fixed(entry_of(order, NullCounter()), "where a row stands, whatever the types")
    general = write.shared("entry", any_type)
    slow = f"{general}({key}, {tuple_of(texts)})"
    names, guards, parts = [], [], []
    for term, text in zip(terms, texts, strict=True):
        v = frame.source.fresh("v")
        found = plain_part(write.kind(term.expression), term.descending, v)
        if found is None:
            return slow
        guard, part = found
        names.append(v)
        guards.append(guard.replace(v, f"({v} := {text})", 1))
        parts += part
    slow = f"{general}({key}, {tuple_of(names)})" if len(names) == 1 else slow
    flat = ", ".join(parts)
    return (
        f"((({flat}, {TEXT}, {key}) if type({key}) is str else ({flat}, *{_ties(write)}({key}))) "
        f"if {' and '.join(guards)} else {slow})"
    )


def _ties(write: Expressions) -> str:
    return write.shared("tie", cells.fixed(tie, "what breaks ties: the key"))


def plain_part(kind: str, descending: bool, v: str) -> tuple[str, list[str]] | None:
    """The text of when a value's part of an entry can be written out, and of the part; None when never."""
    if kind == "text":
        return None if descending else (f"type({v}) is str", [str(TEXT), v])
    if kind == "integer":
        guard = f"type({v}) is int"
    elif kind in ("real", "any"):
        guard = f"(type({v}) is float and {v} == {v} or type({v}) is int)"
    else:
        return None
    return (guard, [str(-NUMBER), "0", f"-{v}"]) if descending else (guard, [str(NUMBER), "0", v])
