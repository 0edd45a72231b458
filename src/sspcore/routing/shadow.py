"""Shadow: one strategy delivers, another is watched: what would it have answered?

Owns the comparison and what becomes of it. Refuses to log: it counts, keeps the first differences and tells whoever
asked. Whatever the watched strategy does, also failing, changes nothing of what is delivered.

What differs, of a table:
- both select rows, or neither does: other circuits, or put here and retracted there;
- only the watched one selects: it answers with others than those an interest of a view of theirs meets, each asked;
- only the one that delivers selects: the other leaves somebody out, or retracts what is put. More is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from sspcore.abc import Move, Reason, Resolved, Routing, RoutingStrategy, Target
from sspcore.errors import UsageError, shown
from sspcore.routing.ledger import Ledger
from sspcore.routing.listening import Listening


@attrs.frozen
class ShadowOptions:
    """Options of `shadow`.

    Args: `a`, the strategy that delivers, by name; `b`, the one that is watched; `a_options` and `b_options`, theirs;
    `most`, how many differences are reported: the others are only counted.
    """

    a: str
    b: str
    a_options: Mapping[str, Any] = attrs.field(factory=dict)
    b_options: Mapping[str, Any] = attrs.field(factory=dict)
    most: int = 1_000

    def __attrs_post_init__(self) -> None:
        if self.most < 0:
            raise UsageError(f"most is a number of reports, not {self.most}")


@attrs.frozen
class Difference:
    """A row two strategies send to different circuits: `delivered` is what a answered, `watched` what b did.

    >>> print(Difference(Resolved("t", 7, None, ("x",)), (("main", "put"),), ()))
    t 7, None -> ('x',): delivered to main (put), b would to nobody
    """

    row: Resolved
    delivered: tuple[Target, ...]
    watched: tuple[Target, ...]

    def __str__(self) -> str:
        _, key, old, new = self.row[:4]
        return (
            f"{self.row.table} {shown(key)}, {shown(old)} -> {shown(new)}: "
            f"delivered to {_listed(self.delivered)}, b would to {_listed(self.watched)}"
        )


class Shadow(Listening):
    """Delivers a's answers and reports where b's differ. Cost: a and b, and a comparison per row; O(interests) a row
    where only b selects.

    Args: `a`, `b`, strategies; `most`, differences kept in `differences` and told to `report`, a function of one text.

    Attributes: `different`, rows that differed; `failed`, the first error of b, which is not asked again if it failed
    while being told of a circuit or a view.

    >>> from sspcore.routing.broadcast import Broadcast
    >>> from sspcore.routing.dependency import Dependency
    >>> shadow = Shadow(Broadcast(), Dependency(), report=print)
    >>> shadow.circuit_added("main")
    >>> list(shadow.route([Resolved("t", 7, None, ("x",))]))
    t 7, None -> ('x',): delivered to main (put), b would to nobody
    [(('main', 'put'),)]
    """

    def __init__(
        self, a: RoutingStrategy, b: RoutingStrategy, most: int = 1_000, report: Callable[[str], object] | None = None
    ) -> None:
        self.a, self.b = a, b
        self.most = most
        self.report = report
        self.different = 0
        self.differences: list[Difference] = []
        self.failed: Exception | None = None
        self._watching = True
        self._interests = Ledger()
        for offered in ("holds", "selects"):  # circuits hold what a says
            if (method := getattr(a, offered, None)) is not None:
                setattr(self, offered, method)
        if any(callable(getattr(strategy, "addressed", None)) for strategy in (a, b)):
            self.addressed = self._addressed
        if any(callable(getattr(strategy, "admitted", None)) for strategy in (a, b)):
            self.watches, self.admitted, self.settled = self._watches, self._admitted, self._settled

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """a's answer."""
        delivered = self.a.route(rows)
        if self._watching:
            try:
                self._compare(rows, delivered, self.b.route(rows))
            except Exception as error:  # noqa: BLE001 - it is watched, not relied upon
                self._note(error, "route")
        return delivered

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """a's reasons; what b would have done otherwise is said after them."""
        reasons = self.a.explain(row)
        if not self._watching:
            return reasons
        try:
            watched = {r.circuit: r for r in self.b.explain(row)}
        except Exception as error:  # noqa: BLE001 - as above
            self._note(error, "explain")
            return reasons
        return [_beside(reason, watched.get(reason.circuit)) for reason in reasons]

    def _addressed(self, table: str) -> bool:
        """Both are told: addresses kept for b are there when it is the one that delivers."""
        return any(_offer(strategy, "addressed", False, table) for strategy in (self.a, self.b))

    def _watches(self, table: str) -> bool:
        return any(_offer(strategy, "watches", False, table) for strategy in (self.a, self.b))

    def _admitted(self, rows: Sequence[Resolved]) -> Sequence[Move]:
        """a's moves are made; those of b are taken for made at once."""
        if self._watching:
            try:
                for move in _admitted(self.b, rows):
                    self.b.settled(move[0], move[1])  # type: ignore[attr-defined]
            except Exception as error:  # noqa: BLE001 - it is watched, not relied upon
                self._watching = False
                self._note(error, "admitted")
        return _admitted(self.a, rows)

    def _settled(self, circuit: str, table: str) -> None:
        _offer(self.a, "settled", None, circuit, table)

    def _tell(self, event: str, *args: Any) -> None:
        getattr(self._interests, event)(*args)
        if self._watching:
            try:
                getattr(self.b, event)(*args)
            except Exception as error:  # noqa: BLE001 - as above
                self._watching = False
                self._note(error, event)
        getattr(self.a, event)(*args)

    def _compare(self, rows: Sequence[Resolved], delivered: Routing, watched: Routing) -> None:
        if len(watched) != len(rows):
            raise ValueError(f"{len(watched)} answers for {len(rows)} rows")
        alike: dict[tuple[int, int], bool] = {}  # strategies hand out few tuples again and again: compare them once
        for row, mine, other in zip(rows, delivered, watched, strict=False):
            selects, other_selects = [_offer(s, "selects", False, row.table) for s in (self.a, self.b)]
            if selects != other_selects:
                wrong = _lacks(other, mine) if selects else set(other) != set(self._interests.targets(row))
                if wrong:
                    self._differs(Difference(row, tuple(mine), tuple(other)))
                continue
            same = alike.get((id(mine), id(other)))
            if same is None:
                same = alike[id(mine), id(other)] = set(mine) == set(other)
            if not same:
                self._differs(Difference(row, tuple(mine), tuple(other)))

    def _differs(self, difference: Difference) -> None:
        self.different += 1
        if self.different <= self.most:
            self.differences.append(difference)
            self._say(str(difference))
        elif self.different == self.most + 1:
            self._say(f"more than {self.most} rows differ: from now on they are only counted")

    def _note(self, error: Exception, event: str) -> None:
        if self.failed is None:
            self.failed = error
            left = "" if self._watching else "; it is watched no more"
            self._say(f"b: {event} failed with {type(error).__name__}: {error}{left}")

    def _say(self, text: str) -> None:
        if self.report is not None:
            self.report(text)


def shadow_from(options: ShadowOptions, make: Callable[[str, Mapping[str, Any], str], RoutingStrategy]) -> Shadow:
    """A shadow as configured; `make` makes a strategy from its name, its options, and the place of these."""
    a = make(options.a, options.a_options, "a")
    return Shadow(a, make(options.b, options.b_options, "b"), options.most)


def _offer(strategy: RoutingStrategy, method: str, otherwise: Any, *args: Any) -> Any:
    """What a strategy says where it offers a method."""
    asked = getattr(strategy, method, None)
    return otherwise if asked is None else asked(*args)


def _admitted(strategy: RoutingStrategy, rows: Sequence[Resolved]) -> Sequence[Move]:
    watched = [row for row in rows if _offer(strategy, "watches", False, row.table)]
    moves: Sequence[Move] = _offer(strategy, "admitted", (), watched) if watched else ()
    return moves


def _lacks(whole: Sequence[Target], needed: Sequence[Target]) -> bool:
    """Whether whole images leave out somebody who needs them; one who must give a row up may have the new image."""
    kinds = dict(whole)
    return any(kinds.get(circuit) != "put" if kind == "put" else circuit not in kinds for circuit, kind in needed)


def _listed(targets: Sequence[Target]) -> str:
    return ", ".join(sorted(f"{circuit} ({kind})" for circuit, kind in targets)) or "nobody"


def _beside(reason: Reason, other: Reason | None) -> Reason:
    if other is None or other.routed == reason.routed:
        return reason
    return attrs.evolve(reason, why=f"{reason.why}; b says {'yes' if other.routed else 'no'}: {other.why}")
