"""The circuit breaker: whether a view follows a batch or is computed anew, whichever costs fewer work units.

Owns the estimate, from what the view's own meter has counted; no clock is asked, so the choice is the same wherever the
same changes come. Its readers are told the same either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sspcore.engine.materialisation import Materialisation
from sspcore.engine.table import Net, Table

FROM: Final = 256
"""Changes of one table in one commit from which on it is worth a thought."""


def follow(kept: Materialisation, name: str, changes: list[Net], tables: Mapping[str, Table]) -> bool:
    """Have a view follow the net changes of one table; False when computing it anew is cheaper: then it did nothing.

    Raises what its operators raise. Cost: that of the operators.
    """
    if len(changes) < FROM:
        kept.advance(name, changes)
        return True
    if len(changes) * kept.pace > _anew(kept, tables):
        kept.trips += 1
        return False
    before = kept.meter.rows + kept.meter.probes
    kept.advance(name, changes)
    meter = kept.meter  # maybe made just now: a view can wait for its first change
    # An update costs what a removal and an insertion do, whatever the operators count.
    kept.pace = max((meter.rows + meter.probes - before) / len(changes), 2.0)
    return True


def _anew(kept: Materialisation, tables: Mapping[str, Table]) -> float:
    """The units that hydrating would take now: as last time for each row read, and a look at each row shown."""
    if kept.template.held:
        return float("inf")  # it reads few rows of its tables: how many is not known
    rows = sum([len(tables[name].rows) for name in kept.template.tables])
    units, read = kept.hydration
    return rows * max(units / read if read else 1.0, 1.0) + len(kept.value)
