"""Dispatch: lanes of filed clauses, and the generated functions that look a row up in all of them at once.

Owns filing, unfiling, and when code is generated: never while filing. A lane made since is looked through by a loop
(`_walk`) until it has cost what a compilation costs, or the owner says `settle()`. Refuses to remember which clause an
id was filed under: who unfiles says it again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any, Final

from sspcore.algebra.values import Key, Value, canonical_key
from sspcore.index.clauses import FALSE, TRUE, Clause
from sspcore.index.cover import Entry, choices, cover_of, has_choice
from sspcore.index.crowds import Access, Crowd, access_of, crowded
from sspcore.index.emit import PLAIN_TYPES, Counter
from sspcore.index.judge import closure_of, judge_of
from sspcore.index.lanes import DictLane, Lane, Many, Nested, ScanLane, Template, length
from sspcore.index.lookups import KINDS, ElementLane
from sspcore.index.moves import AFTER_BOTH, ENTERED, LEFT, STAYS, MovesWriter
from sspcore.index.shapes import OWN_KEYS, lift, slot_of

Row = tuple[Value, ...]
Id = Any
Filing = tuple[Template, Clause | None, Any, Any]
"""The lane of an entry, the residual, the member and its key."""

MAX_LANES: Final = 64
"""Lanes of templates; beyond, what brings a new one is looked up by one column, and the rest of it is a closure."""
MAX_ACCESSES: Final = 192
"""Lanes in all, but for equality in one column; beyond, what brings a new one is scanned."""
PATIENCE: Final = 64
"""Looks by loop into lanes not yet compiled, per lane that would have to be compiled: about what that costs."""
_SHARED: Final[Clause] = ("closure", slot_of(0))


class Dispatch(Nested):
    """An index of clauses. `touch`, `route` and `route2` are attributes that change as lanes come: look them up anew.

    Args: `types`, the declared type of each column by position, as far as known (it makes code faster); `counter`, to
    count probes; `open`, told of every error while routing, which then falls open (every id is an answer); `without`,
    the kinds of access that would lead nowhere (`cover`).
    """

    __slots__ = (
        "_code", "_compiled", "_crowds", "_debt", "_elements", "_empty", "_fresh", "_lanes", "_open", "_types",
        "_without", "always", "counter", "route", "route2", "touch",
    )  # fmt: skip

    def __init__(
        self,
        types: Sequence[str] = (),
        *,
        counter: Counter | None = None,
        open: Callable[[Exception], None] | None = None,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self.size = 0
        self.always: dict[Id, None] = {}
        """Ids that every row concerns."""
        self._types = types
        self.counter = counter
        self._open = open
        self._without = without
        self._lanes: dict[Template, Lane] = {}
        self._crowds: dict[Access, Crowd] = {}
        self._compiled: list[Lane] = []
        self._fresh: list[Lane] = []
        self._elements: list[ElementLane] = []
        self._debt = 0
        self._empty = 0
        self._code: dict[str, Callable[..., Any]] = {}
        self.touch: Callable[[Row | None, Row | None], Collection[Id]]
        self.route: Callable[[Row], list[Id]]
        self.route2: Callable[[Row, Row], dict[Id, str]]
        self._unsettle()

    # Filing

    def file(self, id: Id, clause: Clause) -> None:
        """File an id under a clause, which it must not be yet. Cost: O(clause), whatever else is filed."""
        self.size += 1
        if clause[0] == "=":
            self._file_entry(("eq", (clause[1],), None, 0, True), None, id, clause[2])
            return
        if clause is TRUE:
            self.always[id] = None
            return
        if clause is FALSE:
            return
        for entry in self._place(id, self._rarest_first(clause) if has_choice(clause) else clause):
            self._file_entry(*entry)

    def _place(self, id: Id, clause: Clause) -> list[Filing]:
        """The entries of a clause by its template; by what it shares with others where there are too many templates."""
        lanes = self._lanes
        entries = self._entries(id, clause)
        if len(lanes) < MAX_LANES or all(entry[0] in lanes or self._crowded(entry[0], entry[3]) for entry in entries):
            return entries
        entries = self._shared(id, clause)
        if len(lanes) < MAX_ACCESSES or all(entry[0] in lanes for entry in entries):
            return entries
        return self._scanned(id, clause)

    def _entries(self, id: Id, clause: Clause) -> list[Filing]:
        """Every entry of a clause, in lanes of its own template."""
        entries, residual, _, reduced = cover_of(clause, self._without)
        member, shape = id, None
        if residual is not None:
            constants: list[Any] = []
            shape = lift(residual, constants)
            member = (id, *constants)
        several = _several(entries) if len(entries) > 1 else 0
        return [
            ((kind, columns, shape, several, reduced), residual, member, key) for kind, columns, key in entries
        ]  # fmt: skip

    def _shared(self, id: Id, clause: Clause) -> list[Filing]:
        """Every entry of a clause, in lanes of one column, the residual a closure."""
        entries, residual, _, reduced = cover_of(clause, self._without | {"composite"})
        if residual is None:
            several = _several(entries)
            return [((kind, columns, None, several, reduced), None, id, key) for kind, columns, key in entries]
        member = (id, closure_of(residual))
        return [((kind, columns, _SHARED, 2, False), residual, member, key) for kind, columns, key in entries]

    def _scanned(self, id: Id, clause: Clause) -> list[Filing]:
        """A clause that is not looked up, as a closure."""
        return [(("scan", (), _SHARED, 2, False), clause, (id, closure_of(clause)), None)]

    def _rarest_first(self, clause: Clause) -> Clause:
        """The clause with the element first, of each list to be contained, that fewest others are filed under."""
        if clause[0] == "and":
            return ("and", tuple([self._rarest_first(part) for part in clause[1]]))
        if clause[0] != "@>" or len(clause[2]) < 2:
            return clause
        _, index, keys = clause
        lanes = [lane.postings for lane in self._elements if lane.columns[0] == index]

        def load(key: Key) -> int:
            return sum([length(postings[key]) for postings in lanes if key in postings])

        first = min(keys, key=load)
        return ("@>", index, (first, *[key for key in keys if key is not first]))

    def _file_entry(self, template: Template, residual: Clause | None, member: Any, key: Any) -> None:
        if residual is None:
            self._lane(template).add(key, member, None)
            return
        keys = self._crowded(template, key)
        if keys is not None:
            keys.add(key, member, residual)
            return
        lane = self._lane(template)
        lane.add(key, member, residual)
        if lane.crowds and lane.shape is not _SHARED:
            crowd = self._crowds[access_of(template)]
            if crowd.due(lane, key):
                for left in crowd.gather(key, partial(self._lane, crowded(template))):
                    self._emptied(left)

    def _lane(self, template: Template) -> Any:
        """The lane of a template, made if there is none yet."""
        lane = self._lanes.get(template)
        if lane is None:
            lane = self._lanes[template] = KINDS[template[0]](template, self._within(template))
            self._join(lane)
            self._fresh.append(lane)
            self._loop()
        return lane

    def _join(self, lane: Lane) -> None:
        """See a lane beside the others of its kind."""
        if isinstance(lane, ElementLane):
            self._elements.append(lane)
        if lane.crowds and lane.shape is not None and lane.shape is not _SHARED and isinstance(lane, DictLane):
            self._crowds.setdefault(access_of(lane.template), Crowd()).join(lane)

    def _crowded(self, template: Template, key: Any) -> DictLane | None:
        """The lane where all with a residual are that come under a key, if there are many of many templates."""
        if template[2] is None or template[2] is _SHARED:
            return None
        crowd = self._crowds.get(access_of(template))
        return None if crowd is None else crowd.at(key)

    def unfile(self, id: Id, clause: Clause) -> None:
        """Undo `file`. Raises KeyError when the id is not filed under the clause. Cost: as filing."""
        if clause is TRUE:
            del self.always[id]
        elif clause is not FALSE:
            self._unfile_entries(id, clause)
        self.size -= 1

    def _unfile_entries(self, id: Id, clause: Clause) -> None:
        if clause[0] == "=":
            self._unfile_entry(("eq", (clause[1],), None, 0, True), None, id, clause[2])
        else:
            several = choices(clause) if has_choice(clause) else (clause,)
            for choice, placed in product(several, (self._entries, self._shared, self._scanned)):
                try:  # where it was filed depended on the others; the first entry tells
                    for entry in placed(id, choice):
                        self._unfile_entry(*entry)
                    return
                except KeyError:
                    continue
            raise KeyError(id)

    def _unfile_entry(self, template: Template, residual: Clause | None, member: Any, key: Any) -> None:
        lanes = (self._crowded(template, key), self._lanes.get(template))
        for lane in lanes:
            if lane is not None:
                try:
                    lane.remove(key, member, residual)
                except KeyError:  # it has an index of its own in its lane, from before the key was crowded
                    continue
                self._emptied(lane)
                return
        raise KeyError(member)

    def _emptied(self, lane: Lane) -> None:
        """Generate code anew, later, once most lanes it looks into are empty."""
        if not lane.size:
            self._empty += 1
            if self._empty > 8 + len(self._lanes) // 2:
                self._empty = sum([not lane.size for lane in self._lanes.values()])  # some are filled again
                if self._empty > 4 + len(self._lanes) // 2:
                    self._unsettle()

    def _within(self, template: Template) -> Callable[[], Nested]:
        """What long postings of a lane are looked up in; by other means where the same would lead to it again."""
        without = self._without
        if not template[4]:
            without |= {"or", template[0].split()[0]}
        return lambda: Dispatch(self._types, counter=self.counter, open=self._open, without=without)

    # Code

    def settle(self) -> None:
        """Fuse the lanes made since into the generated functions, at the next question. Cost: O(lanes)."""
        if self._fresh:
            self._unsettle()

    def _unsettle(self) -> None:
        self._lanes = {template: lane for template, lane in self._lanes.items() if lane.size}
        self._compiled = sorted(self._lanes.values(), key=_order)
        self._elements, self._crowds = [], {}
        for lane in self._compiled:
            self._join(lane)
        self._fresh = []
        self._debt = 0
        self._empty = 0
        self._code = {}
        self._loop()

    def _loop(self) -> None:
        """Answer by method: what is asked first compiles, or there are lanes to be looked through besides."""
        self.touch, self.route, self.route2 = self._touch, self._route, self._route2

    def _write(self, name: str) -> Callable[..., Any]:
        types = {column: kind for column, kind in enumerate(self._types) if kind in PLAIN_TYPES}
        writer = MovesWriter(self._compiled, types, self.counter)
        fall = partial(self._fell_open, moves=name == "route2")
        made: Callable[..., Any] = getattr(writer, name)(self.always, fall)
        self._code[name] = made
        if not self._fresh:
            setattr(self, name, made)
        return made

    def _patient(self) -> bool:
        """Whether lanes not compiled yet are to be looked through once more."""
        if not self._fresh:
            return False
        self._debt += len(self._fresh)
        if self._debt <= PATIENCE * len(self._lanes):
            return True
        self._unsettle()
        return False

    def _touch(self, old: Row | None, new: Row | None) -> Collection[Id]:
        patient = self._patient()
        found = (self._code.get("touch") or self._write("touch"))(old, new)
        if not patient:
            return found  # type: ignore[no-any-return]
        try:
            more = [id for row in (old, new) if row is not None for id in self._walk(self._fresh, row, judged=False)]
        except Exception as error:  # noqa: BLE001 - what raises falls open
            return self._fell_open(error, old, new)  # type: ignore[no-any-return]
        return list(dict.fromkeys([*found, *more])) if more else found

    def _route(self, row: Row) -> list[Id]:
        patient = self._patient()
        found: list[Id] = (self._code.get("route") or self._write("route"))(row)
        if not patient:
            return found
        try:
            more = list(self._walk(self._fresh, row))
        except Exception as error:  # noqa: BLE001 - what raises falls open
            return self._fell_open(error, row)  # type: ignore[no-any-return]
        return list(dict.fromkeys([*found, *more])) if more else found

    def _route2(self, old: Row, new: Row) -> dict[Id, str]:
        patient = self._patient()
        found: dict[Id, str] = (self._code.get("route2") or self._write("route2"))(old, new)
        if patient:
            try:
                before, after = set(self._walk(self._fresh, old)), set(self._walk(self._fresh, new))
            except Exception as error:  # noqa: BLE001 - what raises falls open
                return self._fell_open(error, old, new, moves=True)  # type: ignore[no-any-return]
            for id in before | after:  # the same id may have entries in compiled lanes too
                mark = LEFT if id not in after else STAYS if id in before else ENTERED
                found[id] = AFTER_BOTH[found.get(id), mark]
        return found

    def looped(self, row: Row) -> list[Id]:
        """What `route` answers, by a loop over the lanes: for lanes not compiled yet, and to compare with."""
        return list(dict.fromkeys([*self.always, *self._walk(self._lanes.values(), row)]))

    def _walk(self, lanes: Iterable[Lane], row: Row, *, judged: bool = True) -> Iterator[Id]:
        counter = self.counter if self.counter is not None else Counter()
        for lane in lanes:
            counter.probes += 1
            scanned = isinstance(lane, ScanLane)
            judge = judge_of(lane.shape) if lane.shape is not None and (judged or scanned) else None
            if isinstance(lane, ScanLane):
                assert judge is not None
                for constants, posting in lane.postings.items():
                    counter.evaluations += 1
                    if judge(row, constants):
                        yield from _ids(posting)
                continue
            keys = [v if type(v := row[column]) in OWN_KEYS else canonical_key(v) for column in lane.columns]
            for posting in lane.found(keys[0] if len(keys) == 1 else tuple(keys)):
                if lane.bare:
                    yield from _ids(posting)
                elif isinstance(posting, Dispatch):
                    yield from posting.route(row) if judged else posting.touch(None, row)
                else:
                    for member in posting if type(posting) is list else (posting,):
                        counter.evaluations += judge is not None
                        if judge is None or judge(row, member[1:]):
                            yield member[0]

    def _fell_open(self, error: Exception, *rows: Row | None, moves: bool = False) -> Any:
        """The answer when a question raised: everyone. `rows` are (row,) of `route`, (old, new) of the others."""
        if self._open is not None:
            self._open(error)
        return dict.fromkeys(self.ids(), STAYS) if moves else list(self.ids())

    # What is in it

    def ids(self) -> Iterable[Id]:
        """Every id that a row could concern, each once."""
        found = dict(self.always)
        for lane in self._lanes.values():
            for _, posting in lane.postings_by_key():
                if isinstance(posting, Dispatch):
                    found.update(dict.fromkeys(posting.ids()))
                elif lane.bare:
                    found.update(dict.fromkeys(_ids(posting)))
                else:
                    found.update(dict.fromkeys([m[0] for m in (posting if type(posting) is list else (posting,))]))
        return found

    def lanes(self) -> Iterable[Lane]:
        """The lanes, to read."""
        return self._lanes.values()


def _ids(posting: Any) -> Iterable[Id]:
    return posting if type(posting) is list or type(posting) is Many else (posting,)


def _order(lane: Lane) -> tuple[Any, ...]:
    """Lanes of one access together, and the same lanes always in one order: so that they have one text."""
    return (*lane.template[:2], lane.several, repr(lane.shape), lane.template[4])


def _several(entries: tuple[Entry, ...]) -> int:
    """How the members may repeat: never, between an old and a new row, or within one row too."""
    if len(entries) == 1:
        return 0
    return 1 if entries[0][0] == "eq" and len({(kind, columns) for kind, columns, _ in entries}) == 1 else 2
