"""The examiner: it tells a strategy what happens, asks it about rows, and judges each answer at once.

Owns the story told so far, and who is to blame: the event after which a right answer had become a wrong one, found by
telling fresh strategies less and less of the story. Refuses to know what circuits hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import attrs

from sspcore.abc import Move, Resolved
from sspcore.errors import ChangeRejected, shown
from sspcore.testing.check.laws import STRATEGY_LAWS, ContractBroken
from sspcore.testing.check.told import Fault, Judge, Kind, Told, concerns, told_row
from sspcore.testing.check.worlds import World

METHODS: Final = (
    "circuit_added", "circuit_removed", "view_added", "view_changed", "view_settled", "view_removed",
    "route", "explain",
)  # fmt: skip
MORE: Final = {"holds": (), "admitted": ("holds", "watches", "settled")}
"""Method of a kind of strategy → what else that kind must have."""

Call = tuple[str, tuple[Any, ...]]
Answers = list[tuple[Resolved, dict[str, Kind]]]


@attrs.define
class Checked:
    """What a check has looked at.

    Attributes: `examples`, histories; `steps` in them; `views` added or changed; `batches` routed, `refused`; `rows`
    asked about, in batches and between; `pairs` of a row and a circuit that had to get it, and did; `wasted`, those
    that need not have; `backfilled` and `swept`, rows filled in and given up; `failures` of circuits; `worst`, the most
    circuits one row went to.
    """

    examples: int = 0
    steps: int = 0
    views: int = 0
    batches: int = 0
    refused: int = 0
    rows: int = 0
    pairs: int = 0
    wasted: int = 0
    backfilled: int = 0
    swept: int = 0
    failures: int = 0
    worst: int = 0

    def __str__(self) -> str:
        return "\n".join([f"{name:>12} {value:>9,}" for name, value in attrs.asdict(self).items()])


class Examiner:
    """Speaks to one strategy, in one history."""

    def __init__(self, make: Callable[[], Any], world: World, checked: Checked) -> None:
        self.make, self.world, self.checked = make, world, checked
        self.strategy = make()
        self.told = Told()
        self.judge = Judge(self.strategy, self.told)
        self.story: list[str] = []
        self.placing = callable(getattr(self.strategy, "admitted", None))
        self._calls: list[Call] = []
        self._lines: list[int] = []
        """For each call its line in the story."""
        self._shares: dict[tuple[str, str, int], bool] = {}
        self._turn = 0
        self._complete()

    # Telling

    def tell(self, line: str, event: str, *args: Any) -> Any:
        """Tell the strategy of an event, then ask it about every row there could be. Gives what it answered."""
        self.story.append(line)
        self._calls.append((event, args))
        self._lines.append(len(self.story))
        try:
            answer = told(self.strategy, self.told, event, args)
        except Exception as error:
            raise self._raised(event, error) from error
        for move in answer if event == "admitted" else ():
            self._check_move(move)
        self.probe()
        return answer

    def probe(self) -> None:
        """Ask about every way a row of the world could change, now; nothing comes of it."""
        for table in self.world.schemas:
            rows = self.world.panel(table)
            asked = self._asked(rows)
            answered = self._judged(asked)
            self._check_shares(table)
            if answered:
                again = self._asked(rows[::-1])[::-1]
                if again != asked and (other := self._judged(again)) != answered:
                    raise self._changed(answered, other)
                self._turn += 1
                self._check_explain(*answered[self._turn % len(answered)])

    # Asking

    def route(self, rows: Sequence[Resolved]) -> Answers | None:
        """The judged answer for a batch; None where a partition refuses it."""
        self.checked.batches += 1
        try:
            answers = self._ask(rows)
        except ChangeRejected as error:
            if self.judge.holds is None:
                raise self._raised("route", error) from error
            self.checked.refused += 1
            return None
        return self._judged(list(zip(rows, answers, strict=True)))

    def _asked(self, rows: Sequence[Resolved]) -> list[tuple[Resolved, Any]]:
        """Answers for rows nothing comes of; where a partition refuses them, it is asked for each by itself."""
        try:
            return list(zip(rows, self._ask(rows), strict=True))
        except ChangeRejected as error:
            if self.judge.holds is None:
                raise self._raised("route", error) from error
        found: list[tuple[Resolved, Any]] = []
        for row in rows:
            with suppress(ChangeRejected):
                found.append((row, self._ask([row])[0]))
        return found

    def _ask(self, rows: Sequence[Resolved]) -> Sequence[Any]:
        try:
            answers = self.strategy.route(rows)
            if not isinstance(answers, Sequence) or len(answers) != len(rows):
                text = f"asked about {len(rows)} rows, route answers {shown(answers)}"
                raise self.broken("answers", text, "route")
        except (ContractBroken, ChangeRejected):
            raise
        except Exception as error:
            raise self._raised("route", error) from error
        return answers

    def _judged(self, asked: Sequence[tuple[Resolved, Any]]) -> Answers:
        """The answers, each held against what must be."""
        found: Answers = []
        pairs = targets_given = worst = 0
        for (row, targets), required in zip(asked, self.judge.required([row for row, _ in asked]), strict=True):
            for fault in self.judge.faults(row, targets, required):
                raise self._blamed(fault, row)
            got = dict(targets)
            pairs += len(required)
            targets_given += len(got)
            worst = max(worst, len(got))
            found.append((row, got))
        checked = self.checked
        checked.rows += len(asked)
        checked.pairs += pairs
        checked.wasted += targets_given - pairs
        checked.worst = max(checked.worst, worst)
        return found

    # Laws beside the answers

    def _complete(self) -> None:
        wanted = list(METHODS)
        for name, more in MORE.items():
            if hasattr(self.strategy, name):
                wanted += [name, *more]
        lacks = [name for name in wanted if not callable(getattr(self.strategy, name, None))]
        if lacks:
            raise self.broken("complete", f"it lacks {', '.join(lacks)}", "__init__")

    def _check_shares(self, table: str) -> None:
        """Who holds a row is asked of every image, and must stay."""
        if self.judge.holds is None or self.placing:
            return
        for row in self.world.panel(table)[: self.world.count(table)]:
            for circuit in self.told.circuits:
                try:
                    held = self.judge.share(circuit, row, row.new)
                except Exception as error:
                    raise self._raised("holds", error) from error
                place = circuit, table, id(row.new)
                if self._shares.setdefault(place, held) != held:
                    change = "yes, now no" if not held else "no, now yes"
                    text = f"{told_row(row)}: does circuit {circuit!r} hold it? First {change}"
                    raise self.broken("share is of the row", text, "holds")

    def _check_explain(self, row: Resolved, got: dict[str, Kind]) -> None:
        try:
            reasons = list(self.strategy.explain(row))
            named = [(reason.circuit, bool(reason.routed), reason.why) for reason in reasons]
        except Exception as error:
            raise self._raised("explain", error) from error
        routed = {circuit for circuit, yes, _ in named if yes}
        for circuit in {circuit for circuit, _, _ in named} - self.told.circuits.keys():
            law = "gone circuits" if circuit in self.told.ever else "known circuits"
            raise self.broken(law, f"{told_row(row)}: explain names circuit {circuit!r}, which is not there", "explain")
        if routed != got.keys():
            text = f"{told_row(row)}, is routed to {_names(got)}, explain says {_names(routed)}"
        elif sorted(circuit for circuit, _, _ in named) != sorted(self.told.circuits):
            text = (
                f"{told_row(row)}: explain names {[circuit for circuit, _, _ in named]} of {_names(self.told.circuits)}"
            )
        elif not all(why for _, _, why in named):
            text = f"{told_row(row)}: a reason is empty"
        else:
            return
        raise self.broken("explains", text, "explain")

    def _check_move(self, move: Any) -> None:
        known = isinstance(move, Move) and move.circuit in self.told.circuits and move.table in self.world.schemas
        if not known or (move.gained is None and move.lost is None):
            raise self.broken("moves", f"admitted answers {shown(move)}", "admitted")

    # Verdicts

    def broken(self, law: str, text: str, method: str) -> ContractBroken:
        """The error of a law, with the story so far."""
        return ContractBroken(STRATEGY_LAWS[law], text, self.strategy, method, self._tables(text), self.story)

    def _tables(self, text: str) -> str:
        """The tables that the story or the text speak of."""
        spoken = " ".join([text, *self.story])
        schemas = [schema for name, schema in self.world.schemas.items() if name in spoken]
        return "Tables: " + "; ".join([f"{s.table!r} ({', '.join(s.names)})" for s in schemas]) if schemas else ""

    def _raised(self, event: str, error: Exception) -> ContractBroken:
        return self.broken("raises nothing", f"{event} raised {type(error).__name__}: {error}", event)

    def _changed(self, first: Answers, again: Answers) -> ContractBroken:
        if len(first) != len(again):
            return self.broken("pure", "asked again, in another order, it refuses other rows than before", "route")
        row, got, other = next((row, a, b) for (row, a), (_, b) in zip(first, again, strict=True) if a != b)
        return self.broken(
            "pure", f"{told_row(row)}, is routed to {_names(got)}; asked again, to {_names(other)}", "route"
        )

    def _blamed(self, fault: Fault, row: Resolved) -> ContractBroken:
        """The error for a wrong answer: the law named by the event that made it wrong."""
        if fault.law not in ("enters", "leaves", "nothing more", "share", "gone circuits"):
            return self.broken(fault.law, fault.text, "route")
        if self._plainly_wrong(row, fault.circuit):
            return self.broken(fault.law, fault.text, "route")
        last = self._last_right(row, fault.circuit)
        if last == len(self._calls):
            return self.broken(
                "pure", f"{fault.text}; a strategy told the same but asked nothing before does it", "route"
            )
        event, args = self._calls[last]
        law = self._named(fault, row, event, args, last)
        if law == fault.law and law != "gone circuits":
            return self.broken(law, fault.text, "route")
        return self.broken(law, f"{fault.text}. It was right before step {self._lines[last]}.", event)

    def _plainly_wrong(self, row: Resolved, circuit: str) -> bool:
        """Whether a fresh strategy that was told of all that routes now, as of views just added, is wrong, too."""
        if self.placing:
            return False
        calls: list[Call] = []
        for name, views in self.told.circuits.items():
            calls.append(("circuit_added", (name,)))
            every = [interests for several in views.values() for interests in several]
            calls += [("view_added", (name, f"view{number}", interests)) for number, interests in enumerate(every)]
        return not self._right(calls, row, circuit)

    def _last_right(self, row: Resolved, circuit: str) -> int:
        """How much of the story a fresh strategy may hear and still answer rightly."""
        for count in range(len(self._calls), 0, -1):
            if self._right(self._calls[:count], row, circuit):
                return count
        return 0

    def _right(self, calls: Sequence[Call], row: Resolved, circuit: str) -> bool:
        """Whether a fresh strategy that was told this and nothing else gives a right answer, as to a circuit."""
        strategy, story = self.make(), Told()
        try:
            for event, args in calls:
                told(strategy, story, event, args)
            judge = Judge(strategy, story)
            (targets,) = strategy.route([row])
            return not any(fault.circuit == circuit for fault in judge.faults(row, targets, judge.required([row])[0]))
        except Exception:  # noqa: BLE001 - wrong, too
            return False

    def _named(self, fault: Fault, row: Resolved, event: str, args: tuple[Any, ...], last: int) -> str:
        own = args[0] == fault.circuit
        if not own:
            return "others stay" if fault.missing else fault.law
        seen = any(call[1][:2] == args[:2] and call[0] == "view_added" for call in self._calls[:last])
        if not fault.missing:
            again = "told again" if seen else fault.law
            return {"view_removed": "removed", "view_settled": "settled", "circuit_added": "gone circuits",
                    "circuit_removed": "gone circuits", "view_added": again}.get(event, fault.law)  # fmt: skip
        image = row.new if fault.kind == "put" else row.old
        needed = {
            (view, newest) for view, interest, newest in self.told.needing(fault.circuit, row.table)
            if not self.judge.selects(row.table) or concerns(interest, image)
        }  # fmt: skip
        if event == "circuit_added" or not {(args[1], True), (args[1], False)} & needed:
            return "others stay"
        newest = (args[1], True) in needed
        changed = "changed" if newest else "until settled"
        return {"view_added": "told again" if seen else fault.law, "view_changed": changed,
                "view_settled": "settled"}.get(event, fault.law)  # fmt: skip


def told(strategy: Any, story: Told, event: str, args: tuple[Any, ...]) -> Any:
    """Tell a strategy, and the naive account of what it was told."""
    given = [dict(arg) if isinstance(arg, dict) else arg for arg in args]
    answer = getattr(strategy, event)(*given)
    if event == "admitted":
        for move in answer:
            if isinstance(move, Move):
                story.moved(move)
    else:
        getattr(story, event)(*args)
    return answer


def _names(circuits: Any) -> str:
    return ", ".join(sorted(map(repr, circuits))) or "nobody"
