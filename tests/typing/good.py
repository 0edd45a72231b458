"""Typed queries that a type checker accepts."""

import attrs

import sspcore


@attrs.frozen
class Flight:
    id: str
    carrier: str
    dep_delay: int


circuit = sspcore.Circuit(schemas=[sspcore.Schema.from_attrs(Flight, table="flights")])
late = (
    sspcore.query("flights", Flight)
    .where(lambda f: f.dep_delay > 60, lambda f: (f.carrier == "AA") | (f.carrier == "UA"), origin="JFK")
    .select(lambda f: (f.id, f.carrier), hours=lambda f: f.dep_delay / 60)
    .order_by(lambda f: f.dep_delay, "-id")
    .related("others", sspcore.query("flights", Flight).where(lambda f: f.dep_delay > 0), on="carrier")
    .limit(10)
)
per_carrier = sspcore.query("flights", Flight).group_by(lambda f: f.carrier).aggregate(n=sspcore.count())
untyped = sspcore.query("flights").where(lambda f: f.whatever > 60, sspcore.col("gate").is_null())

flights: list[Flight] = circuit.rows("late", as_type=Flight)
rows: list[tuple[object, ...]] = circuit.rows("late")
carriers: list[str] = [flight.carrier for flight in circuit.view("late").rows(Flight)]
added: tuple[Flight, ...] = circuit.apply([]).updates["late"].typed(Flight).added
first: Flight = circuit.register("late", late).typed(Flight)[0]
