"""Settings of a circuit.

Owns the knobs and their ranges. Time, epochs and limits are arguments: nothing here is read from the outside world.
"""

from __future__ import annotations

import attrs

from sspcore.errors import UsageError


@attrs.frozen
class CircuitOptions:
    """How strict a circuit is, and where it stops.

    Args:
        strict: reject `create` of an existing id and `update`/`merge` of a missing one. Otherwise create and update
            act as upsert, and merge of a missing id creates a row from the patch.
        stale: "ignore" or "refuse" a change whose row version is not above the row's.
        strict_tables: a change or query of a table nobody declared is an error instead of an open table.
        max_columns: columns an open table may grow to, 1 to 10 000.
        max_rows: rows a table may hold; None for no limit.
        pending_limit: changes that `defer` may put off; None for no limit.
        epoch: the name of this numbering history, for resume tokens.
        execution: "compiled" runs views as generated code where there is some, "operators" never. Both mean the same.

    >>> from sspcore import Circuit, merge
    >>> lenient = Circuit(options=CircuitOptions(strict=False, max_rows=1_000))
    >>> lenient.apply([merge("flights", "AA1", {"delay": 75})]).version
    1
    """

    strict: bool = True
    stale: str = "ignore"
    strict_tables: bool = False
    max_columns: int = 1_000
    max_rows: int | None = None
    epoch: str = "0"
    pending_limit: int | None = 100_000
    execution: str = "compiled"

    def __attrs_post_init__(self) -> None:
        if self.stale not in ("ignore", "refuse"):
            raise UsageError(f"stale is 'ignore' or 'refuse', not {self.stale!r}")
        if self.execution not in ("compiled", "operators"):
            raise UsageError(f"execution is 'compiled' or 'operators', not {self.execution!r}")
        if not 1 <= self.max_columns <= 10_000:
            raise UsageError(f"max_columns is 1 to 10 000, not {self.max_columns}")
        if self.pending_limit is not None and self.pending_limit < 0:
            raise UsageError(f"pending_limit is at least 0 or None, not {self.pending_limit}")
        if self.max_rows is not None and self.max_rows < 1:
            raise UsageError(f"max_rows is at least 1 or None, not {self.max_rows}")
