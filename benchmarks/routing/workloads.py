"""The workloads: circuits with their views, rows that are there, a stream of changes. Owns all data; seeded.

A strategy is given the options that suit a workload (`Workload.options`); one that has none there is tried without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import attrs

from sspcore.demo.day import SCHEMAS, timed_changes
from sspcore.engine.change import Change, create, delete, update, upsert
from sspcore.engine.schema import Schema

Views = Sequence[tuple[str, str, str, Mapping[str, Any]]]
"""(circuit, view, SQL, parameters)"""
BATCH = 10
"""Changes ingested together."""


@attrs.frozen
class Workload:
    """One situation a router can be in.

    Attributes: `rows`, batches that are in before any view is; `stream`, batches whose time is taken; `churn`, views
    that come and go during the stream, one after each batch; `options`, strategy → its options here, None where it has
    no place.
    """

    name: str
    title: str
    schemas: tuple[Schema, ...]
    circuits: tuple[str, ...]
    views: Views
    rows: Sequence[Sequence[Change]]
    stream: Sequence[Sequence[Change]]
    options: Mapping[str, Mapping[str, Any] | None] = attrs.field(factory=dict)
    churn: Views = ()


ORDERS = Schema("orders", {"id": "integer", "tenant": "text", "env": "text", "amount": "integer", "status": "text"})
HOMES = Schema("homes", {"tenant": "text", "circuit": "text"}, "tenant")
PLACED: Mapping[str, Any] = {
    "placement": ["homes"],
    "routes": [{
        "sql": "SELECT circuit, 'orders' AS \"table\", 'tenant' AS \"column\", tenant AS value FROM homes",
    }],
}  # fmt: skip
"""Placement as data: a table says which circuit a tenant's orders live in."""
STATES = ("open", "paid", "sent", "void")
BY_INTEREST: Mapping[str, Any] = {"by": "predicate"}


@attrs.frozen
class Size:
    """How large: circuits, rows there are, changes in the stream."""

    circuits: int
    rows: int
    changes: int


FULL, QUICK, TOY = Size(150, 2000, 3000), Size(40, 400, 400), Size(6, 40, 60)


def workloads(size: Size) -> list[Workload]:
    """All of them, of a size. Cost: seconds for the largest."""
    return [make(size) for make in MAKERS.values()]


def tenants(size: Size) -> Workload:
    """A circuit per tenant, its view of its own orders."""
    names = _names("tenant", size.circuits)
    sql = "SELECT id, amount, status FROM orders WHERE tenant = $tenant"
    made = _orders(
        "tenants", "a circuit per tenant, which sees its own rows", size, names,
        [(name, "mine", sql, {"tenant": name}) for name in names],
        options={"routed": {"column": "tenant"}, "meta": PLACED},
    )  # fmt: skip
    homes = [create("homes", name, {"circuit": name}) for name in names]
    return attrs.evolve(made, schemas=(*made.schemas, HOMES), rows=[homes, *made.rows])


def churn(size: Size) -> Workload:
    """As tenants, while views come and go."""
    base = tenants(size)
    sql = "SELECT id FROM orders WHERE tenant = $tenant AND status = $status"
    random = Random("churn")
    coming = [
        (name, f"extra{n}", sql, {"tenant": name, "status": random.choice(STATES)})
        for n in range(size.changes // BATCH) for name in [random.choice(base.circuits)]
    ]  # fmt: skip
    return attrs.evolve(base, name="churn", title="a view comes and one goes every ten changes", churn=coming)


def hot_table(size: Size) -> Workload:
    """Nine changes of ten are of a table that only two circuits read."""
    names = _names("c", size.circuits)
    ticks = Schema("ticks", {"id": "integer", "symbol": "integer", "price": "integer"})
    views = [(name, "big", "SELECT id, amount FROM orders WHERE amount > $least", {"least": 9_000}) for name in names]
    views += [(name, "prices", "SELECT id, price FROM ticks WHERE price > 9900", {}) for name in names[:2]]
    made = _orders("hot table", "nine changes of ten are of a table two circuits read", size, names, views)
    random = Random("ticks")

    def tick() -> Change:
        row = {"symbol": random.randrange(100), "price": random.randrange(10_000)}
        return upsert("ticks", random.randrange(size.rows), row)

    orders = [change for batch in made.stream for change in batch]  # all of them, in order: each follows from the last
    batches = len(orders) // BATCH
    stream = [[orders[n], *[tick() for _ in range(BATCH - 1)]] for n in range(batches)]
    return attrs.evolve(made, schemas=(ORDERS, ticks), stream=stream)


def disjoint(size: Size) -> Workload:
    """A table per circuit."""
    names = _names("c", size.circuits)
    schemas = tuple([Schema(f"t_{name}", {"id": "integer", "amount": "integer"}) for name in names])
    views = [(name, "all", f"SELECT id, amount FROM t_{name} WHERE amount > 5000", {}) for name in names]
    random = Random("disjoint")
    each = max(1, size.rows // size.circuits)
    rows = [[create(f"t_{name}", n, {"amount": random.randrange(10_000)}) for n in range(each)] for name in names]
    stream = [
        [update(f"t_{random.choice(names)}", random.randrange(each), {"amount": random.randrange(10_000)})]
        for _ in range(size.changes)
    ]  # fmt: skip
    tables = {f"t_{name}": name for name in names}
    return Workload(
        "disjoint", "a table per circuit", schemas, names, views, rows, _in_tens(stream), {"routed": {"tables": tables}}
    )


def selective(size: Size) -> Workload:
    """Narrow views over one table: a category and a price below a bound."""
    names = _names("c", size.circuits)
    items = Schema("items", {"id": "integer", "category": "integer", "price": "integer", "name": "text"})
    random = Random("selective")
    categories = size.circuits * 2
    sql = "SELECT id, price FROM items WHERE category = $category AND price < $most"
    views = [
        (name, f"v{n}", sql, {"category": random.randrange(categories), "most": random.randrange(2_000, 10_000)})
        for name in names for n in range(3)
    ]  # fmt: skip

    def item(n: int) -> dict[str, Any]:
        return {"category": random.randrange(categories), "price": random.randrange(10_000), "name": f"item {n}"}

    rows = [[create("items", n, item(n)) for n in range(size.rows)]]
    stream = [[update("items", n, item(n))] for n in (random.randrange(size.rows) for _ in range(size.changes))]
    return Workload(
        "selective", "three narrow views a circuit: a category and a bound", (items,), names, views, rows,
        _in_tens(stream), {"hybrid": BY_INTEREST},
    )  # fmt: skip


def everything(size: Size) -> Workload:
    """Every circuit needs every change."""
    names = _names("c", max(2, size.circuits // 15))
    sql = "SELECT status, count(*) AS n, sum(amount) AS total FROM orders GROUP BY status"
    views = [(name, "totals", sql, {}) for name in names]
    suited = {"sharded": {"circuits": list(names)}, "hybrid": {"broadcast": ["orders"]}}
    title = "every circuit needs every change (sharded: its share)"
    return _orders("everything", title, size, names, views, options=suited)


def hot_key(size: Size) -> Workload:
    """All views stand under one value of one column, told apart by a bound."""
    names = _names("c", size.circuits)
    random = Random("hot key")
    sql = "SELECT id, amount FROM orders WHERE env = 'prod' AND amount > $least"
    views = [(name, "big", sql, {"least": random.randrange(9_000, 10_000)}) for name in names]
    return _orders("hot key", "all views under one key, told apart by a bound", size, names, views)


def flights(size: Size) -> Workload:
    """The bundled day of real flights: a circuit per destination and per carrier."""
    changes = [change for _, change in timed_changes()]
    first = next(n for n, change in enumerate(changes) if change.op == "update")
    there = [change for change in changes[:first] if change.op == "create"]
    places = sorted({c.row["dest"] for c in there if c.table == "flights"})[: size.circuits]
    carriers = sorted({c.row["carrier"] for c in there if c.table == "flights"})[: size.circuits]
    board = (
        "SELECT f.id, f.origin, f.status, f.dep_delay, al.name FROM flights f JOIN airlines al "
        "ON al.carrier = f.carrier WHERE f.dest = $dest"
    )
    late = "SELECT origin, count(*) AS n, max(dep_delay) AS worst FROM flights WHERE carrier = $carrier GROUP BY origin"
    views: list[tuple[str, str, str, Mapping[str, Any]]] = []
    views += [(place, "board", board, {"dest": place}) for place in places]
    views += [(f"carrier {name}", "late", late, {"carrier": name}) for name in carriers]
    names = tuple([circuit for circuit, *_ in views])
    stream = [[change] for change in changes[first:]][: size.changes]
    return Workload(
        "flights", "a day of real flights: a circuit per destination and per carrier", SCHEMAS, names, views,
        [there], _in_tens(stream), {"hybrid": {"by": "predicate", "broadcast": ["airlines"]}},
    )  # fmt: skip


MAKERS: Mapping[str, Callable[[Size], Workload]] = {
    "tenants": tenants, "hot table": hot_table, "disjoint": disjoint, "selective": selective,
    "everything": everything, "churn": churn, "hot key": hot_key, "flights": flights,
}  # fmt: skip


def _orders(
    name: str, title: str, size: Size, circuits: tuple[str, ...], views: Views,
    options: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> Workload:  # fmt: skip
    """A workload over orders: rows, and a stream in which orders change hands, go and come back now and then."""
    random = Random(name)
    owners = circuits if "tenant" in circuits[0] else _names("tenant", size.circuits)

    def order(owner: str | None = None) -> dict[str, Any]:
        return {
            "tenant": owner or random.choice(owners), "env": "prod" if random.random() < 0.9 else "test",
            "amount": random.randrange(10_000), "status": random.choice(STATES),
        }  # fmt: skip

    held = {n: order() for n in range(size.rows)}
    rows = [[create("orders", n, row) for n, row in held.items()]]
    gone: set[int] = set()
    stream = []
    for _ in range(size.changes):
        n, luck = random.randrange(size.rows), random.random()
        if n in gone:
            gone.remove(n)
            held[n] = order()
            stream.append([create("orders", n, held[n])])
        elif luck < 0.02:
            gone.add(n)
            stream.append([delete("orders", n)])
        else:
            held[n] = order(None if luck < 0.05 else held[n]["tenant"])
            stream.append([update("orders", n, held[n])])
    suited = {"hybrid": BY_INTEREST} | dict(options or {})
    return Workload(name, title, (ORDERS,), circuits, views, rows, _in_tens(stream), suited)


def _names(kind: str, count: int) -> tuple[str, ...]:
    return tuple([f"{kind}{n:04}" for n in range(count)])


def _in_tens(stream: Sequence[Sequence[Change]]) -> list[list[Change]]:
    flat = [change for batch in stream for change in batch]
    return [flat[at : at + BATCH] for at in range(0, len(flat), BATCH)]
