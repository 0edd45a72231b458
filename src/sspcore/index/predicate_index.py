"""The predicate index of one table: ids filed under predicates, found by the rows that concern them.

Owns who is filed under what, and statistics. Refuses to know what ids stand for, and to evaluate what it can look up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sspcore.errors import UsageError
from sspcore.index.clauses import TRUE, Clause, clause_of
from sspcore.index.dispatch import Dispatch, Id
from sspcore.index.emit import Counter
from sspcore.index.statistics import IndexStatistics, statistics_of
from sspcore.plan.expressions import Expression


class PredicateIndex(Dispatch):
    """Which of many predicates over one table's columns may, or do, hold for a row.

    Args:
        types: the declared type of each column, by position, as far as known; `any` beyond. It only makes it faster.
        counter: counts the looks into lanes, if given.
        on_error: told of every exception while routing. Then every id is an answer: routing falls open.

    `touch`, `route` and `route2` are attributes, replaced when code is generated: call them on the index each time.
    Rows are tuples of canonical values in table order. Ids are hashable, and no lists.

    >>> from sspcore.plan.expressions import Call, Column, Constant
    >>> index = PredicateIndex()
    >>> index.add("alice", Call("=", (Column(1), Constant("alice"))))
    >>> index.add("late", Call(">", (Column(2), Constant(60))))
    >>> index.add("all", None)
    >>> sorted(index.route((1, "alice", 10)))
    ['alice', 'all']
    >>> sorted(index.route2((1, "alice", 10), (1, "bob", 90)).items())
    [('alice', 'left'), ('all', 'stays'), ('late', 'entered')]
    >>> sorted(index.touch(None, (1, "bob", 90)))
    ['all', 'late']
    """

    __slots__ = ("_filed", "errors")

    def __init__(
        self,
        types: Sequence[str] = (),
        *,
        counter: Counter | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        self._filed: dict[Id, Clause] = {}
        self.errors = 0
        """Times that routing fell open."""

        def fell_open(error: Exception) -> None:
            self.errors += 1
            if on_error is not None:
                on_error(error)

        super().__init__(types, counter=counter, open=fell_open)

    def add(self, id: Id, predicate: Expression | None) -> None:
        """File an id under a predicate, its parameters bound; None is every row.

        Raises UsageError when the id is filed already, or a parameter has no value (the caller's fault).
        Cost: some microseconds, whatever else is filed; code is never generated here.
        """
        self.add_clause(id, TRUE if predicate is None else clause_of(predicate))

    def add_clause(self, id: Id, clause: Clause) -> None:
        """`add`, for who knows the predicate's clause (`clauses`) already. Raises UsageError when the id is filed."""
        if id in self._filed:
            raise UsageError(f"{id!r} is in the index already", hint="remove it first")
        self.file(id, clause)
        self._filed[id] = clause

    def remove(self, id: Id) -> None:
        """Forget an id. Raises UsageError when it is not filed. Cost: as `add`."""
        if id not in self._filed:
            raise UsageError(f"{id!r} is not in the index")
        self.unfile(id, self._filed.pop(id))

    def __contains__(self, id: object) -> bool:
        return id in self._filed

    def __len__(self) -> int:
        return len(self._filed)

    def ids(self) -> Collection[Id]:
        """All that are filed."""
        return self._filed.keys()

    def statistics(self) -> IndexStatistics:
        """What the index holds, and how it is looked through. Cost: O(postings)."""
        return statistics_of(self, self.errors)
