"""Collected: the values of a group in order, for array_agg and string_agg.

Owns which values are in and where. Refuses to know what a text between them is for, and how rows came to the group.
Unlike an accumulator a collection is told the row and its key: they decide the order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sspcore.algebra.values import Key, Value, canonical_key
from sspcore.engine.operators.base import Row
from sspcore.engine.operators.members import Members
from sspcore.engine.operators.ordered import Ordered
from sspcore.engine.operators.readers import read_value
from sspcore.engine.operators.sortkeys import entry_of, part_of
from sspcore.plan.evaluate import NullCounter, compile_predicate
from sspcore.plan.expressions import Column
from sspcore.plan.nodes import AggregateCall, OrderTerm
from sspcore.plan.total import MAX_TEXT

Admit = Callable[[Row], tuple[Value] | None]
"""From a row to its value, boxed, or None for a row that has no part in the aggregate."""


class Collection(Protocol):
    """Rows of one group, as far as an ordered aggregate needs to know them."""

    errors: int
    """Values of the wrong class, which are left out."""

    def put(self, key: Key, row: Row) -> None:
        """One row more."""

    def take(self, key: Key, row: Row) -> None:
        """One row less, which is there."""

    def values(self) -> list[Value]:
        """The values, in order."""


class Kept:
    """A collection, but for where its values are: rows that have no part in it are left out, as are other classes.

    What is kept of a row's value, and what is taken away with it, the subclass says in `add` and `remove`.
    """

    __slots__ = ("_admit", "_order", "_texts", "errors")

    def __init__(self, admit: Admit, texts: bool) -> None:
        self._admit, self._texts = admit, texts
        self._order = Ordered()
        self.errors = 0

    def put(self, key: Key, row: Row) -> None:
        """One row more."""
        admitted = self._admit(row)
        if admitted is None:
            return
        if self._texts and type(admitted[0]) is not str:
            self.errors += 1
            return
        self.add(key, row, admitted)

    def take(self, key: Key, row: Row) -> None:
        """One row less, which is there."""
        admitted = self._admit(row)
        if admitted is None:
            return
        if self._texts and type(admitted[0]) is not str:
            self.errors -= 1
            return
        self.remove(key, row, admitted)

    def add(self, key: Key, row: Row, admitted: tuple[Value]) -> None:
        """Keep the value of a row, boxed."""
        raise NotImplementedError

    def remove(self, key: Key, row: Row, admitted: tuple[Value]) -> None:
        """The inverse of `add`."""
        raise NotImplementedError


class Collected(Kept):
    """The value of every row, in the order of the rows. Cost: O(log n) comparisons a call, O(n) to read all.

    >>> from sspcore.plan.expressions import Column
    >>> make = collection_of(AggregateCall("array_agg", Column(0), order=(OrderTerm(Column(1)),)), NullCounter())
    >>> names = make()
    >>> names.put(1, ("late", 2)); names.put(2, ("early", 1)); names.values()
    ['early', 'late']
    """

    __slots__ = ("_entry_of", "_values")

    def __init__(self, entry_of: Callable[[Key, Row], tuple[Any, ...]], admit: Admit, texts: bool) -> None:
        super().__init__(admit, texts)
        self._entry_of = entry_of
        self._values: dict[Key, Value] = {}

    def add(self, key: Key, row: Row, admitted: tuple[Value]) -> None:
        self._order.add(self._entry_of(key, row))
        self._values[key] = admitted[0]

    def remove(self, key: Key, row: Row, admitted: tuple[Value]) -> None:
        self._order.remove(self._entry_of(key, row))
        del self._values[key]

    def values(self) -> list[Value]:
        """The values, in order."""
        values = self._values
        return [values[entry[-1]] for entry in self._order]


class CollectedOnce(Kept):
    """Each different value once, in the order of the values. Cost: as of `Collected`."""

    __slots__ = ("_members", "_part")

    def __init__(self, part: Callable[[Value], tuple[Any, ...]], admit: Admit, texts: bool) -> None:
        super().__init__(admit, texts)
        self._part = part
        self._members: dict[Key, Members] = {}

    def add(self, key: Key, row: Row, admitted: tuple[Value]) -> None:
        same_value = canonical_key(admitted[0])
        members = self._members.get(same_value)
        if members is None:
            self._members[same_value] = Members(admitted)
            self._order.add((*self._part(admitted[0]), same_value))
        else:
            members.add(admitted)

    def remove(self, key: Key, row: Row, admitted: tuple[Value]) -> None:
        same_value = canonical_key(admitted[0])
        members = self._members[same_value]
        members.remove(admitted)
        if not members.count:
            del self._members[same_value]
            self._order.remove((*self._part(admitted[0]), same_value))

    def values(self) -> list[Value]:
        """The values, in order."""
        members = self._members
        return [members[entry[-1]].shown[0] for entry in self._order]


def collection_of(call: AggregateCall, nulls: NullCounter) -> Callable[[], Collection]:
    """How to make the collection that an ordered aggregate reads."""
    admit, texts = _admission(call, nulls), call.function == "string_agg"
    if call.distinct:
        part = part_of(call.order[0] if call.order else OrderTerm(Column(0)))
        return lambda: CollectedOnce(part, admit, texts)
    entry = entry_of(call.order, nulls)
    return lambda: Collected(entry, admit, texts)


def _admission(call: AggregateCall, nulls: NullCounter) -> Admit:
    """Which rows have a part: those where the condition is TRUE; for texts those with a value."""
    assert call.argument is not None
    read = read_value(call.argument, nulls)
    if call.function == "string_agg":

        def text(row: Row) -> tuple[Value] | None:
            value = read(row)
            return None if value is None else (value,)

        return text
    if call.where is None:
        return lambda row: (read(row),)
    meets = compile_predicate(call.where, nulls)
    return lambda row: (read(row),) if meets(row) else None


def collected_reading(call: AggregateCall, separator: Value, nulls: NullCounter) -> Callable[[Collection], Value]:
    """How an ordered aggregate reads its value: a list, or the texts joined; NULL over nothing."""
    if call.function == "array_agg":
        return lambda collection: tuple(collection.values()) or None
    between = "" if separator is None else separator
    if type(between) is not str:  # an operand of the wrong class
        return lambda collection: _failed(nulls)

    def joined(collection: Collection) -> Value:
        texts = collection.values()
        if not texts:
            return None
        text = between.join(texts)
        return text if len(text) <= MAX_TEXT else _failed(nulls)

    return joined


def _failed(nulls: NullCounter) -> None:
    nulls.errors += 1
