"""Typed queries with slips; the comment on a line is what a type checker must say there."""

import attrs

import sspcore


@attrs.frozen
class Flight:
    id: str
    carrier: str
    dep_delay: int


circuit = sspcore.Circuit()
flights = sspcore.query("flights", Flight)
flights.where(lambda f: f.dep_dely > 60)  # "Flight" has no attribute "dep_dely"
flights.where(lambda f: f.carrier > 60)  # Unsupported operand types for >
flights.select(lambda f: (f.id, f.carier))  # "Flight" has no attribute "carier"
flights.order_by(lambda f: f.dep_delai)  # "Flight" has no attribute "dep_delai"
flights.group_by(lambda f: f.carrer)  # "Flight" has no attribute "carrer"
flights.where(carrier="AA").limit(3).where(lambda f: f.origin == "JFK")  # "Flight" has no attribute "origin"
flights.join("planes", kind="outer")  # Argument "kind" to "join" of "Query" has incompatible type
circuit.rows("late", as_type=Flight)[0].gate  # "Flight" has no attribute "gate"
circuit.apply([]).updates["late"].typed(Flight).added[0].gate  # "Flight" has no attribute "gate"
