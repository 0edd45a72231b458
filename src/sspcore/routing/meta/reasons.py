"""Reasons: why a row goes to a circuit under routing views, or not, in words.

Owns the words. Refuses to decide: it is told the targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sspcore.abc import Everything, Interest, Reason, Resolved
from sspcore.algebra.values import canonical_key
from sspcore.engine.table import Row
from sspcore.routing.meta.options import INTERESTED
from sspcore.routing.meta.postings import Posting


def reasons(
    row: Resolved, targets: Mapping[str, str], circuits: Iterable[str], interests: Sequence[Row],
    postings: Sequence[Posting] | None, held: Mapping[int, Everything | Interest], default: str | None,
) -> list[Reason]:  # fmt: skip
    """One for each circuit.

    Args: `interests`, rows of the default routing view about the table; `postings`, those about it that have effect,
    None for a table that no routing view places; `held`, number → interest.
    """
    claims = None if postings is None else [p for p in postings if _about(p, row, row.old) or _about(p, row, row.new)]
    found = []
    for circuit in circuits:
        mine = [interest for interest in interests if interest[1] == circuit]
        kind = targets.get(circuit)
        parts = []
        if claims is not None:
            parts.append(_claim(row, circuit, claims, default, kind))
        if claims is None or kind is not None or any(p.holder == circuit for p in claims):
            parts.append(_interest(row, mine, held))
        if kind == "retract" and row.new is not None:
            parts.append("it leaves")
        found.append(Reason(circuit, kind is not None, ", and ".join(parts)))
    return found


def _about(posting: Posting, row: Resolved, image: Row | None) -> bool:
    if image is None:
        return False
    if posting.column is None:
        return True
    if posting.column not in row.columns:
        return False
    at = row.columns.index(str(posting.column))
    return at < len(image) and canonical_key(image[at]) == canonical_key(posting.value)


def _claim(row: Resolved, circuit: str, claims: Sequence[Posting], default: str | None, kind: str | None) -> str:
    mine = [posting for posting in claims if posting.holder == circuit]
    for posting in mine:
        if _about(posting, row, row.new) or row.new is None:
            return f"posted: {posting}"
    if mine:
        return f"posted before: {mine[0]}"
    if any(_about(posting, row, row.new or row.old) for posting in claims):
        others = ", ".join(dict.fromkeys(posting.holder for posting in claims))
        return f"not settled: postings gave it to {others}" if kind is not None else f"posted to {others}"
    if circuit == default:
        return "no posting claims it, and this is the default circuit"
    return "not settled: no posting gives it to this circuit any more" if kind is not None else "no posting claims it"


def _interest(row: Resolved, mine: Sequence[Row], held: Mapping[int, Everything | Interest]) -> str:
    if not mine:
        return f"no view of it reads {row.table}"
    texts = []
    for number, _, _, view, condition, state in mine:
        interest = held[int(number)]
        if isinstance(interest, Everything) or any(
            interest.matches(image) for image in (row.old, row.new) if image is not None
        ):
            where = "in every row" if condition is None else f"where {condition}"
            texts.append(f"view {view} is interested {where}" + (", until it has settled" * (state != "active")))
    if texts:
        return f"{'; '.join(texts)} ({INTERESTED})"
    return "no view of it is interested in the row"
