"""Refill: a circuit derived anew from base tables and registrations."""

from __future__ import annotations

from datetime import datetime

from sspcore.engine.circuit import Circuit
from sspcore.engine.options import CircuitOptions
from sspcore.ingress.base_tables import BaseTables
from sspcore.ingress.lane import Lane


def refill(lane: Lane, base: BaseTables, options: CircuitOptions, now: datetime) -> Circuit:
    """A fresh circuit with the rows that the lane's views want, of its share, and the views it had, at the time `now`.

    Tables load before there is a view to propagate to, then each view is computed once: the cost of starting anew, not
    of the history. A view that cannot be computed is left out and marked failed; the others stand.
    """
    circuit = base.circuit(lane.name, options)
    for name in sorted(lane.needed()):
        table = base.tables[name]
        circuit.create_table(table.schema)
        wanted = lane.wanted(name, table.names, base.addresses.finder(name))
        keys = base.regions.candidates(name, lane.tables[name].wishes)
        found = [(key, None, row) for key in keys if wanted(key, row := table.rows[key])]
        circuit.tables[name].write(found)
    if any(registration.timed for registration in lane.views.values()):
        circuit.advance(now)
    for registration in lane.views.values():
        if registration.live or registration.failed is not None:
            try:
                circuit.register(
                    registration.view, registration.given, registration.params, format=registration.format,
                    lazy=registration.lazy,
                )  # fmt: skip
            except Exception as error:  # noqa: BLE001 - the unit of fault is the view
                registration.failed = error
                registration.live = False
            else:
                registration.failed = None
                registration.live = True
    return circuit
