"""Recursive: the least fixpoint of a step, kept while rows come and go. Owns what each row rests on; refuses to know
what the step is made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sspcore.algebra.values import row_key, type_rank
from sspcore.engine.operators.base import Change, Delta, Meter, Operator, Row
from sspcore.engine.operators.members import Pool, Touched
from sspcore.errors import TooExpensive
from sspcore.plan import recursion

FOUND: Final = "\0found"
"""What the step calls the table of the rows found so far; no table of a circuit can be called so."""
_PLAIN: Final = frozenset({type(None), int, str, bytes})

Exact = Any
"""Equal for rows that are the same, type by type: 1 is not 1.0 here."""


def exact_key(row: Row) -> Exact:
    """What tells rows apart that are not the same.

    >>> exact_key((1, "a")) == exact_key((1.0, "a")), exact_key((1,)) == exact_key((1,))
    (False, True)
    """
    return row if _PLAIN.issuperset(map(type, row)) else (row_key(row), type_rank(row))


class Fact:
    """A row that the base gives, or that the step makes of others.

    `level` is its distance from the base when it was found, None while it is not in the result. Of the rows that it is
    made of (`sources`, id → how often), `below` counts those of a lower level: while it is made of one, or given by the
    base, it does not rest on itself.
    """

    __slots__ = ("base", "below", "id", "key", "level", "row", "sources")

    def __init__(self, key: Exact, row: Row, number: int) -> None:
        self.key, self.row, self.id = key, row, number
        self.base = self.below = 0
        self.level: int | None = None
        self.sources: dict[int, int] = {}


class Recursive(Operator):
    """The rows of the base, and with every row all that the step makes of it; NULLs equal, under the canonical row.

    Equation:   F = δ(B + S(F)), the least such set; F' is found from F in three moves: what has lost its last support
                from below goes, and all that rested on it alone (over-deletion); of that, what still has support comes
                back; then what is new is added, and what follows of it (semi-naive)
    Linearity:  neither: the fixpoint of a linear step; the step itself is advanced by deltas only
    State:      per row its sources and its level, per different row a count; the state of the base and of the step;
                freed with the rows
    Cost:       insertion: the new rows and what the step makes of them; deletion: the rows that lose all support from
                below, and what the step made of them, at worst all that hung on the row
    Contract:   requires a linear step (`plan.recursion.fault_of`; if broken: rows stay that rest on each other) /
                guarantees the least fixpoint after every step / raises TooExpensive beyond `recursion.MAX_ROUNDS`
                rounds or `recursion.MAX_ROWS` rows.
    Example:
        >>> from sspcore.engine.operators.network import Network
        >>> from sspcore.plan.expressions import Column
        >>> from sspcore.plan.nodes import Join, Project, Scan
        >>> base = Network(Scan("start", ("node",)), lambda table: ("node",), Meter())
        >>> edges, found = Scan("edge", ("a", "b")), Scan(FOUND, ("node", "thread"))
        >>> step = Project(Join("inner", found, edges, ((Column(0), Column(0)),)), (("b", Column(3)), ("t", Column(1))))
        >>> names = {"edge": ("a", "b"), FOUND: ("node", "thread")}
        >>> reach = Recursive(base, Network(step, names.__getitem__, Meter()), ("start", "edge"), "reach", Meter())
        >>> reach.step([(1, None, ("x",))], [(1, None, ("x", "y")), (2, None, ("y", "x"))])
        [(('x',), None, ('x',)), (('y',), None, ('y',))]
        >>> reach.step([], [(1, ("x", "y"), None)])    # the edge from y to x does not keep y
        [(('y',), ('y',), None)]

    See also:   DBSP §5 (recursive queries); Gupta, Mumick, Subrahmanian 1993 (delete and rederive);
                tests/engine/operators/test_recursive.py
    """

    __slots__ = (
        "_base", "_by_id", "_facts", "_fresh", "_meter", "_name", "_pool", "_size", "_step", "_tables", "_total",
    )  # fmt: skip

    def __init__(self, base: Any, step: Any, tables: Sequence[str], name: str, meter: Meter) -> None:
        self._base, self._step = base, step
        """The networks of both parts. The step reads FOUND, and shows last of all columns the id of its source."""
        self._tables = tuple(tables)
        self._name = name
        self._meter = meter
        self._facts: dict[Exact, Fact] = {}
        self._by_id: dict[int, Fact] = {}
        self._pool = Pool()
        self._fresh = True
        self._total = self._size = 0

    def step(self, *deltas: Delta) -> Delta:
        given = dict(zip(self._tables, deltas, strict=True))
        touched: dict[Fact, None] = {}
        if self._fresh:
            self._fresh = False
            rows = {table: {key: new for key, _, new in delta if new is not None} for table, delta in given.items()}
            started = self._base.hydrate(lambda table: rows[table])
            self._given([(key, None, row) for key, row in started.items()], touched)
            made = self._step.hydrate(lambda table: rows.get(table, {}))
            self._made([(key, None, row) for key, row in made.items()], touched)
        else:
            changed = {table: delta for table, delta in given.items() if delta}
            self._given(self._base.advance(changed), touched)
            self._made(self._step.advance(changed), touched)
        return self._settle(touched)

    def port(self, index: int) -> Any:
        before, after = index, len(self._tables) - index - 1
        return lambda delta: self.step(*[[]] * before, delta, *[[]] * after)

    # What changes in support

    def _fact(self, row: Row) -> Fact:
        key = exact_key(row)
        fact = self._facts.get(key)
        if fact is None:
            self._total += 1
            fact = self._facts[key] = self._by_id[self._total] = Fact(key, row, self._total)
        return fact

    def _given(self, delta: Delta, touched: dict[Fact, None]) -> None:
        """The base gives a row more or less."""
        for _, old, new in delta:
            for row, step in ((old, -1), (new, 1)):
                if row is not None:
                    fact = self._fact(row)
                    fact.base += step
                    touched[fact] = None

    def _made(self, delta: Delta, touched: dict[Fact, None]) -> None:
        """The step makes a row of another, or no longer."""
        self._meter.rows += len(delta)
        self._meter.probes += 2 * len(delta)
        for _, old, new in delta:
            if old is not None:
                self._supports(old, -1, touched)
            if new is not None:
                self._supports(new, 1, touched)

    def _supports(self, made: Row, step: int, touched: dict[Fact, None]) -> None:
        """The step makes a row so many times more of the row that is its source."""
        by_id = self._by_id
        fact = self._fact(made[:-1])
        source: Any = made[-1]
        times = fact.sources.get(source, 0) + step
        if times:
            fact.sources[source] = times
        else:
            del fact.sources[source]
        level = by_id[source].level
        if fact.level is not None and level is not None and level < fact.level:
            fact.below += step
        touched[fact] = None

    # The three moves

    def _settle(self, touched: dict[Fact, None]) -> Delta:
        was: dict[Fact, bool] = {}
        rounds = self._over_delete(touched, was)
        self._insert(touched, was, rounds)
        shown: Touched = {}
        changes: list[Change] = []
        for fact, before in was.items():
            if before is (fact.level is None):
                changes.append((fact.id, fact.row, None) if before else (fact.id, None, fact.row))
        for fact in touched:
            if fact.level is None:
                self._forget(fact)
        self._pool.absorb(changes, shown)
        return self._pool.changes(shown)

    def _over_delete(self, touched: dict[Fact, None], was: dict[Fact, bool]) -> int:
        """Take out what no longer has support from below, round by round; how many rounds that took."""
        lost = [f for f in touched if f.level is not None and not f.base and not f.below]
        rounds = 0
        while lost:
            rounds = self._counted(rounds, len(lost))
            for fact in lost:
                was.setdefault(fact, True)
            gone: dict[Fact, None] = {}
            self._made(self._step.advance({FOUND: [(f.id, (*f.row, f.id), None) for f in lost]}), gone)
            for fact in lost:
                fact.level = None
                self._size -= 1
            touched.update(gone)
            lost = [f for f in gone if f.level is not None and not f.base and not f.below]
        return rounds

    def _insert(self, touched: dict[Fact, None], was: dict[Fact, bool], rounds: int) -> None:
        """Put in what has support, round by round."""
        found = self._supported(touched)
        while found:
            rounds = self._counted(rounds, len(found))
            self._size += len(found)
            if self._size > recursion.MAX_ROWS:
                self._beyond("rows", recursion.MAX_ROWS, self._size)
            for fact in found:
                was.setdefault(fact, False)
                self._place(fact)
            made: dict[Fact, None] = {}
            self._made(self._step.advance({FOUND: [(f.id, None, (*f.row, f.id)) for f in found]}), made)
            touched.update(made)
            found = self._supported(made)

    def _supported(self, facts: Iterable[Fact]) -> list[Fact]:
        return [f for f in facts if f.level is None and (f.base or f.sources)]

    def _place(self, fact: Fact) -> None:
        """Give a fact its level: one more than the lowest of its sources, all of which have theirs."""
        by_id = self._by_id
        if fact.base:
            fact.level = fact.below = 0
            return
        self._meter.probes += len(fact.sources)
        if len(fact.sources) == 1:
            ((source, fact.below),) = fact.sources.items()
            fact.level = 1 + (by_id[source].level or 0)
            return
        levels = [(by_id[source].level or 0, times) for source, times in fact.sources.items()]
        fact.level = 1 + min(level for level, _ in levels)
        fact.below = sum(times for level, times in levels if level < fact.level)

    def _forget(self, fact: Fact) -> None:
        if not fact.base and not fact.sources and self._by_id.pop(fact.id, None) is not None:
            del self._facts[fact.key]

    def _counted(self, rounds: int, facts: int) -> int:
        self._meter.rows += facts
        if rounds >= recursion.MAX_ROUNDS:
            self._beyond("rounds", recursion.MAX_ROUNDS, rounds + 1)
        return rounds + 1

    def _beyond(self, what: str, limit: int, actual: int) -> None:
        raise TooExpensive(
            f"{what} of the recursion {self._name!r}", limit=limit, actual=actual,
            hint="bound it: WHERE depth < 10 in its recursive part",
        )  # fmt: skip
