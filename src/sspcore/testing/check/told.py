"""Told: what a strategy has been told, and what follows for a row, as naively as it can be said.

Owns the meaning of the events of a strategy: which interests route at any time. It has the methods of a strategy, so
that whoever tells a strategy tells it the same. Refuses to be fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import attrs

from sspcore.abc import Everything, Interest, Interests, Move, Resolved
from sspcore.errors import ChangeRejected, shown

Kind = Literal["put", "retract"]
Row = tuple[Any, ...]


def concerns(interest: Everything | Interest | None, image: Row | None) -> bool:
    """Whether a row's image is one the interest is in."""
    if interest is None or image is None:
        return False
    return isinstance(interest, Everything) or interest.matches(image)


@attrs.define(eq=False)
class Told:
    """Which views there are, and what they need: the newest interests first, then the older ones until they settle."""

    circuits: dict[str, dict[str, list[Interests]]] = attrs.field(factory=dict)
    ever: set[str] = attrs.field(factory=set)
    """Every circuit there ever was."""
    lost: dict[tuple[str, str], list[Everything | Interest]] = attrs.field(factory=dict)
    """(circuit, table) → what a placing strategy took away, until it has settled."""

    def circuit_added(self, circuit: str) -> None:
        """A circuit without views."""
        self.circuits[circuit] = {}
        self.ever.add(circuit)

    def circuit_removed(self, circuit: str) -> None:
        """It and its views are gone."""
        del self.circuits[circuit]
        for place in [place for place in self.lost if place[0] == circuit]:
            del self.lost[place]

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """It needs these, whatever it needed before."""
        self.circuits[circuit][view] = [interests]

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> None:
        """It needs the new ones too."""
        self.circuits[circuit][view].insert(0, new)

    def view_settled(self, circuit: str, view: str) -> None:
        """It needs the newest only."""
        del self.circuits[circuit][view][1:]

    def view_removed(self, circuit: str, view: str) -> None:
        """It needs nothing."""
        del self.circuits[circuit][view]

    def moved(self, move: Move) -> None:
        """What is lost routes until it has settled."""
        if move.lost is not None:
            self.lost.setdefault((move.circuit, move.table), []).append(move.lost)

    def settled(self, circuit: str, table: str) -> None:
        """Nothing lost of the table routes any more."""
        self.lost.pop((circuit, table), None)

    def needing(self, circuit: str, table: str) -> Iterator[tuple[str, Everything | Interest, bool]]:
        """Each interest of a circuit in a table: its view, and whether it is the view's newest."""
        for view, several in self.circuits.get(circuit, {}).items():
            for at, interests in enumerate(several):
                if table in interests:
                    yield view, interests[table], at == 0

    def reads(self, circuit: str, table: str) -> bool:
        """Whether a view of the circuit needs anything of the table."""
        return any(True for _ in self.needing(circuit, table))


@attrs.frozen
class Fault:
    """A row too few or too many in an answer: the law it breaks, the circuit it is about, and what is wrong with it."""

    law: str
    circuit: str
    missing: bool
    text: str
    kind: str = ""


class Judge:
    """What a strategy must answer, by what it was told and by which kind of strategy it says it is."""

    def __init__(self, strategy: Any, told: Told) -> None:
        self.told = told
        self.selects: Callable[[str], bool] = getattr(strategy, "selects", None) or _nothing
        self.holds: Callable[[str, Resolved], bool] | None = getattr(strategy, "holds", None)

    def share(self, circuit: str, row: Resolved, image: Row | None) -> bool:
        """Whether a circuit holds a row with this image, as far as the strategy says."""
        if image is None:
            return False
        if self.holds is None:
            return True
        try:
            return bool(self.holds(circuit, row._replace(old=None, new=image)))
        except ChangeRejected:
            return False

    def wants(self, circuit: str, row: Resolved, image: Row | None) -> bool:
        """Whether a circuit must hear of a row with this image: it is in its share, and a view may need it."""
        if image is None or not self.told.circuits.get(circuit):
            return False
        if self.selects(row.table):
            needed = any(concerns(interest, image) for _, interest, _ in self.told.needing(circuit, row.table))
        else:
            needed = self.told.reads(circuit, row.table)
        return needed and self.share(circuit, row, image)

    def required(self, rows: Sequence[Resolved]) -> list[dict[str, Kind]]:
        """For each row circuit → what it must get. What is lost by a move is judged by what circuits then hold."""
        known: dict[tuple[str, int], tuple[str, ...]] = {}  # few images, in many rows: each is judged once

        def wanting(row: Resolved, image: Row | None) -> tuple[str, ...]:
            if image is None:
                return ()
            place = row.table, id(image)
            found = known.get(place)
            if found is None:
                found = known[place] = tuple([c for c in self.told.circuits if self.wants(c, row, image)])
            return found

        answers: list[dict[str, Kind]] = []
        for row in rows:
            puts = wanting(row, row.new)
            answer: dict[str, Kind] = dict.fromkeys(puts, "put")
            for circuit in wanting(row, row.old):
                answer.setdefault(circuit, "retract")
            answers.append(answer)
        return answers

    def faults(self, row: Resolved, targets: Any, required: dict[str, Kind]) -> Iterator[Fault]:
        """What is wrong with an answer, form first."""
        if type(targets) is tuple and targets == tuple(required.items()):
            return
        if not isinstance(targets, Sequence) or isinstance(targets, str):
            yield Fault(
                "answers", "", True, f"the answer for {told_row(row)}, is {shown(targets)}, no tuple of targets"
            )
            return
        got: dict[str, Kind] = {}
        for target in targets:
            fault = self._form(row, target, got)
            if fault is not None:
                yield fault
                return
            got[target[0]] = target[1]
        for circuit, kind in required.items():
            have = got.get(circuit)
            if have != kind and not (have == "put" and kind == "retract" and self._losing(circuit, row)):
                yield self._missing(row, circuit, kind, have)
        for circuit, kind in got.items():
            if circuit not in required:
                extra = self._extra(row, circuit, kind)
                if extra is not None:
                    yield extra

    def _form(self, row: Resolved, target: Any, got: dict[str, Kind]) -> Fault | None:
        if not isinstance(target, tuple) or len(target) != 2 or target[1] not in ("put", "retract"):
            return Fault("answers", "", True, f"the answer for {told_row(row)} holds {shown(target)}, no target")
        circuit, kind = target
        if circuit not in self.told.circuits:
            known = ", ".join(map(repr, self.told.circuits)) or "none"
            law = "gone circuits" if circuit in self.told.ever else "known circuits"
            return Fault(law, str(circuit), False,
                         f"{told_row(row)}, is routed to circuit {circuit!r}; circuits there are: {known}")  # fmt: skip
        if circuit in got:
            return Fault("one target", circuit, False, f"{told_row(row)}, is routed to circuit {circuit!r} twice")
        if kind == "put" and row.new is None:
            return Fault("put needs an image", circuit, False, f"{told_row(row)}, is put to circuit {circuit!r}")
        return None

    def _missing(self, row: Resolved, circuit: str, kind: Kind, have: Kind | None) -> Fault:
        done = "put to" if kind == "put" else "retracted from"
        instead = "" if have is None else f"; it is {'put there' if have == 'put' else 'retracted'} instead"
        law = "enters" if kind == "put" else "leaves"
        if self.holds is not None and not self.selects(row.table):
            law = "share"
        return Fault(law, circuit, True, f"{told_row(row)}, is not {done} circuit {circuit!r}, "
                     f"{self._why(row, circuit, kind)}{instead}", kind)  # fmt: skip

    def _why(self, row: Resolved, circuit: str, kind: Kind) -> str:
        image = row.new if kind == "put" else row.old
        views = [
            _view(view, interest) + ("" if newest else ", not settled yet,")
            for view, interest, newest in self.told.needing(circuit, row.table)
            if not self.selects(row.table) or concerns(interest, image)
        ]
        tense = "needs it" if kind == "put" else "needed the old image"
        granted = f", and holds {'grants' if kind == 'put' else 'granted'} it" if self.holds is not None else ""
        return f"where {' and '.join(views)} {tense}{granted}"

    def _extra(self, row: Resolved, circuit: str, kind: Kind) -> Fault | None:
        losing = self._losing(circuit, row)
        if self.holds is not None and kind == "put" and not losing and not self.share(circuit, row, row.new):
            return Fault("share", circuit, False,
                         f"{told_row(row)}, is put to circuit {circuit!r}, though holds denies it", kind)  # fmt: skip
        if not self.selects(row.table) or losing:
            return None  # more than needed is only slower
        needs = ", ".join([_view(view, interest) for view, interest, _ in self.told.needing(circuit, row.table)])
        done = "put to" if kind == "put" else "retracted from"
        return Fault("nothing more", circuit, False, f"{told_row(row)}, is {done} circuit {circuit!r}, "
                     f"which needs of {row.table!r}: {needs or 'nothing'}", kind)  # fmt: skip

    def _losing(self, circuit: str, row: Resolved) -> bool:
        lost = self.told.lost.get((circuit, row.table), ())
        return any(concerns(interest, image) for interest in lost for image in (row.old, row.new))


def _view(view: str, interest: Everything | Interest) -> str:
    """A view and what it needs, for people."""
    text = str(interest)
    return f"view {view!r} {text if text.startswith('(') else f'({text})'}"


def told_row(row: Resolved) -> str:
    """A change of a row in words."""
    where = f"row {shown(row.id)} of {row.table!r}"
    if row.old is None:
        return f"{where}, new as {told_image(row)}"
    if row.new is None:
        return f"{where}, deleted as {told_image(row, old=True)}"
    return f"{where}, changed from {told_image(row, old=True)} to {told_image(row)}"


def told_image(row: Resolved, *, old: bool = False) -> str:
    """An image of a row, its cells by name; the id is named before."""
    image = (row.old if old else row.new) or ()
    cells = [(n, v) for n, v in zip(row.columns, image, strict=False) if n != "id"]
    return "{" + ", ".join([f"{name}: {'NULL' if value is None else shown(value)}" for name, value in cells]) + "}"


def _nothing(table: str) -> bool:
    return False
