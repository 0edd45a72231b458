"""The laws of plugins by name, and the error that says which is broken, by what, where, and how it came to that.

Owns the words of a verdict. Refuses to judge.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from sspcore.testing.oracle import LawBroken


@attrs.frozen
class Law:
    """A law: its name, what it asks for, and what to look at when it is broken."""

    name: str
    sentence: str
    hint: str


_STRATEGY: Final = (
    Law("complete", "A strategy has every method of its protocol.", "See RoutingStrategy in sspcore.abc."),
    Law("raises nothing", "A strategy raises nothing; a partition may refuse rows by ChangeRejected (route, holds).",
        "A runtime would no longer trust it: every reader gets every change, and a partition accepts nothing."),
    Law("answers", "route gives each row its targets, in the order of the rows: (circuit, 'put' | 'retract') pairs.",
        "Give one tuple per row, () where nobody needs it."),
    Law("one target", "A circuit is at most one of a row's targets.", "Collect circuits in a dict, not in a list."),
    Law("known circuits", "Targets are circuits the strategy was told of.", "Route to circuits of circuit_added only."),
    Law("gone circuits", "A circuit that was removed is no target any more, and its views are gone with it.",
        "circuit_removed must forget all that was told of the circuit: it may be added again, empty."),
    Law("put needs an image", "A row without a new image is retracted, never put.", "Look at row.new before 'put'."),
    Law("enters", "A row is put to every circuit with an interest its new image matches.",
        "Judge the new image by each interest of each view: Interest.matches, or PredicateIndex over its condition."),
    Law("leaves", "A row is retracted from a circuit with an interest its old image matches and none its new one does.",
        "Judge the old image too: a row that changes or goes must leave where it was."),
    Law("nothing more", "A circuit gets no row of a selected table that matches none of its interests.",
        "Rows it gets beside its interests stay behind and go stale. Judge as Interest.matches does, or have selects "
        "say False: then more than needed is only slower."),
    Law("until settled", "After view_changed the older interests route too, until view_settled.",
        "Keep what `old` and everything told since the last view_settled need."),
    Law("changed", "From view_changed on the new interests route.", "File the new interests at once."),
    Law("settled", "After view_settled exactly the newest interests of the view route.",
        "Give up the older ones then, and nothing else."),
    Law("removed", "What only a removed view needed routes no more.", "view_removed must forget older interests, too."),
    Law("told again", "A view added again has its new interests, and none of those before.",
        "view_added must replace what the view needed before."),
    Law("others stay", "What one view or circuit does takes nothing from the others.",
        "Count who needs a route: the last one to go takes it along, nobody else."),
    Law("pure", "route, holds and explain change nothing: the same question has the same answer, in any company.",
        "A routed batch may yet be refused: keep no state of rows; caches must be dropped when anything is told."),
    Law("explains", "explain names each circuit once with a reason, and says routed for the circuits route names.",
        "Derive both from one judgement."),
    Law("share", "Under a partition a reader is put the rows that holds grants it, and retracted those it did before.",
        "Let route ask what holds asks, of both images."),
    Law("share is of the row", "Who holds a row depends on row and configuration, not on circuits, views or time.",
        "The runtime asks again whenever a view comes late or a circuit is filled anew."),
    Law("moves", "Moves name circuits that exist, and interests or ALL.", "See Move in sspcore.abc."),
    Law("current", "Every row a circuit holds is the current row.",
        "Route each change of a row to whoever was ever put it and not retracted."),
    Law("held", "A circuit holds every row its views need.", "Route whatever matches an interest, from view_added on."),
    Law("given up", "Once all has settled a circuit holds no row of a selected table that it does not need.",
        "Retract what leaves; put only what matches."),
    Law("views", "Every view over the rows its circuit holds equals the view over all rows, or its share of them.",
        "Rows are missing or too many: see the laws above."),
    Law("says something", "A strategy can be judged: some rows are routed to some circuits.",
        "The kit's circuits, tables and rows must make sense to it: see circuits=, schemas= and values=."),
)  # fmt: skip

_POLICY: Final = (
    Law("complete", "A policy has the method admit.", "See BackpressurePolicy in sspcore.abc."),
    Law("raises nothing", "admit raises nothing.", "A runtime refuses every batch for which it raises."),
    Law("answers", "admit answers Accept, Park or Refuse.", "Return an instance of one of the three."),
    Law("finite times", "Refuse.retry_after and Park.patience are finite seconds, not negative; patience may be None.",
        "Bound what is computed of clocks and queues."),
    Law("pure", "The answer depends on the arguments alone: asked again, or by another instance, it is the same.",
        "Keep no state between calls, read no clock, draw no lots: `now` is the clock."),
    Law("time is relative", "Only how long ago counts: with queue.oldest and now moved alike the answer is the same.",
        "Use now - queue.oldest, never `now` alone: clocks begin anywhere."),
    Law("empty accepts", "An empty queue parks no batch, and accepts some: who is refused there is refused for good.",
        "queue.fits says True for an empty queue, however large the batch."),
    Law("bounded", "A queue nobody empties stops growing: at ten times its capacity nothing more is accepted.",
        "Accept what queue.fits, whatever time has passed."),
    Law("no starvation", "A batch that an empty queue would accept gets in at last, if a consumer keeps up.",
        "Accept what fits."),
)  # fmt: skip

STRATEGY_LAWS: Final = {law.name: law for law in _STRATEGY}
POLICY_LAWS: Final = {law.name: law for law in _POLICY}


class ContractBroken(LawBroken):
    """A plugin breaks a law of its contract. The text is the shortest history found that leads there, in words.

    Attributes: `law`, its name; `plugin`, the class at fault; `place`, where the method at fault is defined; `history`,
    what happened, a line each.
    """

    def __init__(
        self, law: Law, fault: str, plugin: object, method: str, setting: str = "", history: Sequence[str] = ()
    ) -> None:
        self.law = law.name
        self.fault = fault
        self.plugin = type(plugin).__qualname__
        self.place = place_of(plugin, method)
        self.history = tuple(history)
        lines = [f"law {law.name!r} is broken by {self.plugin}, {self.place}", f"  {law.sentence}", f"  {fault}"]
        lines += [f"  {setting}"] * bool(setting)
        if history:
            lines += ["What led there:", *[f"  {number}. {line}" for number, line in enumerate(history, 1)]]
        lines.append(f"What to do: {law.hint}")
        super().__init__("\n".join(lines))


def place_of(plugin: object, method: str) -> str:
    """Where a plugin's method is defined, as `method name (file:line)`."""
    found = inspect.unwrap(getattr(type(plugin), method, None) or type(plugin))
    code = getattr(found, "__code__", None)
    return f"method {method}" + (f" ({_shortened(code.co_filename)}:{code.co_firstlineno})" if code else "")


def _shortened(file: str) -> str:
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file
