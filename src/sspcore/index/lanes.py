"""Lanes: the predicates of one template (access, columns, residual), filed under their constants.

Owns how postings are kept: alone bare, a list from two on, one with its own way of looking up from `HOT` on (`crowds`:
over several lanes). Refuses to know how a lane is chosen, and generated code: what it asks of a lane is
`EqualityLane.postings.get`, `find`.

A *member* of a posting is the bare id where the entry proves the predicate, else `(id, constant, …)` with the
constants of the residual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Final

from sspcore.index.clauses import Clause
from sspcore.index.shapes import lower

HOT: Final = 64
"""Members of one posting from which on it is looked up in, not walked."""
Member = Any
Template = tuple[str, tuple[int, ...], Clause | None, int, bool]
"""Kind of access, columns, shape of the residual, how its members may repeat (0 never, 1 between an old and a new row,
2 within one row), and whether the residual is less than the predicate (`Cover.reduced`)."""


class Many(dict[Any, None]):
    """A long posting of bare ids, each removed at once."""

    __slots__ = ()


class Nested:
    """A long posting of members with residuals: an index of the residuals (`dispatch.Dispatch`)."""

    __slots__ = ("size",)
    size: int

    def file(self, id: Any, clause: Clause) -> None:
        """Add one."""
        raise NotImplementedError

    def unfile(self, id: Any, clause: Clause) -> None:
        """Take one away."""
        raise NotImplementedError

    def ids(self) -> Iterable[Any]:
        """All that are filed."""
        raise NotImplementedError


class Lane:
    """A template and its postings. `several`: how its members may repeat, as in `Template`."""

    __slots__ = ("bare", "columns", "hits", "kind", "nested", "several", "shape", "size", "template")
    crowds: ClassVar[bool] = False
    """Whether members that meet under one key are gathered over the lanes of an access (`crowds`)."""

    def __init__(self, template: Template, nested: Callable[[], Nested]) -> None:
        self.template = template
        self.kind, self.columns, self.shape, self.several, _ = template
        self.bare = self.shape is None
        self.nested = nested
        self.size = 0
        self.hits = 0
        """Postings met, where the index counts."""

    def add(self, key: Any, member: Member, residual: Clause | None) -> None:
        """File a member under a key; `residual` is what its constants are lifted from."""
        raise NotImplementedError

    def remove(self, key: Any, member: Member, residual: Clause | None) -> None:
        """Take a member away. Raises KeyError when it is not there."""
        raise NotImplementedError

    def found(self, key: Any) -> Iterable[Any]:
        """The postings that a row leads to, given the canonical key of its column (a tuple of them for several)."""
        raise NotImplementedError

    def postings_by_key(self) -> Iterator[tuple[Any, Any]]:
        """Every posting with its key."""
        raise NotImplementedError

    # Postings in a dict

    def put(self, postings: dict[Any, Any], key: Any, member: Member, residual: Clause | None) -> None:
        """Add a member to the posting under `key`."""
        held = postings.get(key)
        kind = type(held)
        if held is None:
            postings[key] = member
        elif kind is list:
            if len(held) + 1 < HOT:
                held.append(member)
            else:
                postings[key] = self._hot([*held, member])
        elif kind is Many:
            held[member] = None
        elif self.bare or kind is tuple:
            postings[key] = [held, member]
        else:
            held.file(member[0], residual)

    def cut(self, postings: dict[Any, Any], key: Any, member: Member, residual: Clause | None) -> None:
        """Take a member out of the posting under `key`. Raises KeyError when it is not there."""
        held = postings[key]
        kind = type(held)
        id = member if self.bare else member[0]
        if kind is list:
            ids = held if self.bare else [m[0] for m in held]
            if id not in ids:
                raise KeyError(id)
            del held[ids.index(id)]
            if len(held) == 1:
                postings[key] = held[0]
        elif kind is Many:
            del held[id]
            if not held:
                del postings[key]
        elif self.bare or kind is tuple:
            if (held if self.bare else held[0]) != id:
                raise KeyError(id)
            del postings[key]
        else:
            held.unfile(id, residual)
            if not held.size:
                del postings[key]

    def _hot(self, members: list[Member]) -> Any:
        if self.bare:
            return Many(dict.fromkeys(members))
        nested = self.nested()
        for member in members:
            nested.file(member[0], self.clause(member))
        return nested

    def clause(self, member: tuple[Any, ...]) -> Clause:
        """What is left to be tested of a member."""
        assert self.shape is not None
        return lower(self.shape, member[1:])


def length(posting: Any) -> int:
    """Members of a posting."""
    if isinstance(posting, list | Many):
        return len(posting)
    return posting.size if isinstance(posting, Nested) else 1


class DictLane(Lane):
    """Postings in one dict; how a row's key leads to one or several of them, the subclass says in `found`."""

    __slots__ = ("postings",)

    def __init__(self, template: Template, nested: Callable[[], Nested]) -> None:
        super().__init__(template, nested)
        self.postings: dict[Any, Any] = {}

    def add(self, key: Any, member: Member, residual: Clause | None) -> None:
        self.put(self.postings, key, member, residual)
        self.size += 1

    def remove(self, key: Any, member: Member, residual: Clause | None) -> None:
        self.cut(self.postings, key, member, residual)
        self.size -= 1

    def forget(self, key: Any) -> None:
        """Drop a posting."""
        self.size -= length(self.postings.pop(key))

    def adopt(self, key: Any, nested: Nested) -> None:
        """Take an index as the posting under a key that has none."""
        self.postings[key] = nested
        self.size += nested.size

    def postings_by_key(self) -> Iterator[tuple[Any, Any]]:
        return iter(self.postings.items())


class EqualityLane(DictLane):
    """`=`, IN and IS NULL, of one column or several: a dict by canonical key (a tuple of them)."""

    __slots__ = ()
    crowds = True

    def found(self, key: Any) -> Iterable[Any]:
        posting = self.postings.get(key)
        return () if posting is None else (posting,)


class ScanLane(EqualityLane):
    """What nothing can look up: postings by the constants of the condition, so that equal ones are tested once."""

    __slots__ = ()
    crowds = False

    def __init__(self, template: Template, nested: Callable[[], Nested]) -> None:
        super().__init__(template, nested)
        self.bare = True

    def add(self, key: Any, member: Member, residual: Clause | None) -> None:
        super().add(member[1:], member[0], None)

    def remove(self, key: Any, member: Member, residual: Clause | None) -> None:
        super().remove(member[1:], member[0], None)

    def found(self, key: Any) -> Iterable[Any]:
        raise NotImplementedError
