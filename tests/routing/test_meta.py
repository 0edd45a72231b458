"""Routing by SQL as people meet it: what moves, what is explained, what has no effect, what is refused, what it costs."""

from __future__ import annotations

import attrs
import pytest

from sspcore.abc import ALL, Resolved
from sspcore.algebra.values import NAN
from sspcore.config import structure
from sspcore.engine.schema import Schema
from sspcore.errors import ConfigError, UnknownView, UsageError
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.routing.interest import Region
from sspcore.routing.meta.options import MetaOptions, RouteOptions
from sspcore.routing.meta.strategy import Meta
from sspcore.testing import check_strategy

BY_TENANT = """SELECT circuit, 'orders' AS "table", 'tenant' AS "column", id AS value FROM tenants"""
ORDERS = ("id", "tenant", "x")
TENANTS = ("id", "circuit")
LARGE = Region(Call(">", (Column(2, "x"), Constant(10))), ORDERS)


def made(*sql, default=None, placement=("tenants",), views=True, seen=True):
    meta = Meta(MetaOptions(placement, tuple(map(RouteOptions, sql or (BY_TENANT,))), default))
    for circuit in ("a", "b", "c"):
        meta.circuit_added(circuit)
        if views:
            meta.view_added(circuit, "all", {"orders": ALL})
    if seen:
        route(meta, None, (1, "x", 5))
    return meta


def tenant(meta, key, old, new):
    """The moves of a tenant from one circuit to another, None for nowhere, as texts."""
    images = [None if circuit is None else (key, circuit) for circuit in (old, new)]
    moves = meta.admitted([Resolved("tenants", key, *images, TENANTS)])
    return [
        (move.circuit, move.table, move.gained and str(move.gained), move.lost and str(move.lost)) for move in moves
    ]


def route(meta, old, new, table="orders", columns=ORDERS):
    (targets,) = meta.route([Resolved(table, 1, old, new, columns)])
    return dict(targets)


def holders(meta, image, columns=ORDERS):
    return {c for c in ("a", "b", "c") if meta.holds(c, Resolved("orders", 1, None, image, columns))}


def whys(meta, old, new, table="orders"):
    return {r.circuit: (r.routed, r.why) for r in meta.explain(Resolved(table, 1, old, new, ORDERS))}


# What moves


def test_a_tenant_moves_and_its_rows_are_heard_of_on_both_ways_until_that_has_settled():
    meta = made()
    tenant(meta, "t", None, "a")
    row = (1, "t", 5)
    assert {"a": "put"} == route(meta, None, row)

    assert [("a", "orders", None, "(tenant = 't')"), ("b", "orders", "(tenant = 't')", None)] == tenant(
        meta, "t", "a", "b"
    )
    assert {"b"} == holders(meta, row)
    assert {"b": "put", "a": "put"} == route(meta, None, row)
    assert {"b": "retract", "a": "retract"} == route(meta, row, (1, "u", 5))
    assert (("a", "orders"),) == meta.placement().leaving
    meta.settled("a", "orders")

    assert {"b": "put"} == route(meta, row, (1, "t", 6))
    assert () == meta.placement().leaving


def test_a_placement_that_flips_back_before_it_settled_holds_at_once_and_gains_what_may_be_gone():
    meta = made()
    tenant(meta, "t", None, "a")
    tenant(meta, "t", "a", "b")

    assert [("a", "orders", "(tenant = 't')", None), ("b", "orders", None, "(tenant = 't')")] == tenant(
        meta, "t", "b", "a"
    )
    assert {"a"} == holders(meta, (1, "t", 5))
    meta.settled("a", "orders")
    assert {"a": "put", "b": "put"} == route(meta, None, (1, "t", 5)), "only a has settled"
    meta.settled("b", "orders")
    assert {"a": "put"} == route(meta, None, (1, "t", 5))


def test_a_share_is_cut_by_interests():
    meta = made(views=False)
    meta.view_added("a", "large", {"orders": LARGE})
    tenant(meta, "t", None, "a")

    assert {"a": "put"} == route(meta, None, (1, "t", 50))
    assert {} == route(meta, None, (1, "t", 5))
    assert {"a": "retract"} == route(meta, (1, "t", 50), (1, "t", 5))
    assert meta.holds("a", Resolved("orders", 1, None, (1, "t", 5), ORDERS)), "it is its share, wanted or not"
    meta.view_changed("a", "large", {"orders": LARGE}, {})
    assert {"a": "put"} == route(meta, None, (1, "t", 50)), "until it has settled"
    meta.view_settled("a", "large")
    assert {} == route(meta, None, (1, "t", 50))


def test_rows_go_by_the_views_there_are_now_not_by_those_of_the_rows_before():
    meta = made(views=False)
    tenant(meta, "t", None, "a")
    assert {} == route(meta, None, (1, "t", 5))
    meta.view_added("a", "all", {"orders": ALL})
    assert {"a": "put"} == route(meta, None, (1, "t", 5))
    meta.view_changed("a", "all", {"orders": ALL}, {"orders": LARGE})
    meta.view_settled("a", "all")
    assert {} == route(meta, None, (1, "t", 5))
    meta.view_added("a", "other", {"orders": ALL})
    assert {"a": "put"} == route(meta, None, (1, "t", 5))
    meta.view_removed("a", "other")
    assert {} == route(meta, None, (1, "t", 5))


def test_many_interests_of_a_circuit_are_looked_up():
    meta = made(views=False)
    tenant(meta, "t", None, "a")
    for number in range(50):
        meta.view_added("a", f"v{number}", {"orders": Region(Call("=", (Column(2), Constant(number))), ORDERS)})

    assert {"a": "put"} == route(meta, None, (1, "t", 49))
    assert {} == route(meta, None, (1, "t", 50))
    for number in range(45):
        meta.view_removed("a", f"v{number}")
    assert ({}, {"a": "put"}) == (route(meta, None, (1, "t", 4)), route(meta, None, (1, "t", 45)))


def test_rows_that_no_posting_claims_are_the_default_circuits():
    meta = made(default="c")
    assert {"c"} == holders(meta, (1, "t", 5))

    moves = tenant(meta, "t", None, "a")
    assert [("a", "orders", "(tenant = 't')", None), ("c", "orders", None, "(tenant = 't')")] == moves
    meta.settled("c", "orders")
    assert ({"a"}, {"c"}) == (holders(meta, (1, "t", 5)), holders(meta, (1, "u", 5)))
    assert {"a": "retract", "c": "put"} == route(meta, (1, "t", 5), (1, "u", 5))
    moves = tenant(meta, "t", "a", None)
    assert [("a", "orders", None, "(tenant = 't')"), ("c", "orders", "(tenant = 't')", None)] == moves


def test_a_row_that_two_circuits_lost_and_nobody_claims_goes_to_all_three():
    by_x = BY_TENANT.replace("'tenant'", "'x'").replace("FROM tenants", "FROM kinds")
    meta = made(BY_TENANT, by_x, default="c", placement=("tenants", "kinds"))
    kind = Resolved("kinds", 5, None, (5, "b"), TENANTS)
    tenant(meta, "t", None, "a")
    meta.admitted([kind])
    tenant(meta, "t", "a", None)
    meta.admitted([kind._replace(old=kind.new, new=None)])

    assert {"a": "put", "b": "put", "c": "put"} == route(meta, None, (1, "t", 5))
    meta.settled("a", "orders")
    meta.settled("b", "orders")
    assert {"c": "put"} == route(meta, None, (1, "t", 5))


def test_without_a_default_they_go_nowhere():
    assert {} == route(made(), None, (1, "t", 5))


def test_a_posting_without_column_is_the_whole_table():
    meta = made(BY_TENANT, """SELECT circuit, 'orders' AS "table", NULL AS "column", NULL AS value FROM everything""",
                placement=("tenants", "everything"))  # fmt: skip
    meta.admitted([Resolved("everything", 1, None, (1, "b"), TENANTS)])
    tenant(meta, "t", None, "a")

    assert ({"a", "b"}, {"b"}) == (holders(meta, (1, "t", 5)), holders(meta, (1, "u", 5)))
    assert {"a": "put", "b": "put"} == route(meta, None, (1, "t", 5))
    (move,) = meta.admitted([Resolved("everything", 1, (1, "b"), None, TENANTS)])
    assert ("b", ALL) == (move.circuit, move.lost)
    meta.settled("b", "orders")
    assert {"a": "put"} == route(meta, None, (1, "t", 5))
    meta.admitted([Resolved("everything", 1, None, (1, "c"), TENANTS)])
    assert {"a": "put", "c": "put"} == route(meta, None, (1, "t", 5)), "also when it comes after the others"


def test_a_constant_posting_needs_no_table():
    meta = made("""SELECT 'a' AS circuit, 'orders' AS "table", NULL AS "column", NULL AS value""", placement=())
    assert {"a"} == holders(meta, (1, "t", 5))


def test_what_several_postings_say_holds_until_the_last_is_gone():
    meta = made(BY_TENANT, BY_TENANT.replace("id AS value", "other AS value"))
    columns = ("id", "circuit", "other")

    meta.admitted([Resolved("tenants", "t", None, ("t", "a", "t"), columns)])
    assert [] == meta.admitted([Resolved("tenants", "t", ("t", "a", "t"), ("t", "a", "u"), columns)])[1:]
    assert {"a"} == holders(meta, (1, "t", 5)) == holders(meta, (1, "u", 5))


def test_one_batch_is_one_move_of_a_circuit():
    meta = made()
    rows = [Resolved("tenants", f"t{n}", None, (f"t{n}", "a"), TENANTS) for n in range(3)]
    (move,) = meta.admitted(rows)
    assert "(tenant in ('t0', 't1', 't2'))" == str(move.gained)
    assert [True, False] == [move.gained.matches((1, tenant, 5)) for tenant in ("t1", "t3")]


def test_columns_not_known_yet_make_a_move_larger_never_smaller():
    (move,) = made(seen=False).admitted([Resolved("tenants", "t", None, ("t", "a"), TENANTS)])
    assert move.gained is ALL


def test_placement_tables_go_to_whom_they_interest():
    meta = made()
    meta.view_added("b", "map", {"tenants": Region(Call("=", (Column(1), Constant("a"))), TENANTS)})

    assert {"b": "put"} == route(meta, None, ("t", "a"), "tenants", TENANTS)
    assert {} == route(meta, None, ("t", "b"), "tenants", TENANTS)
    assert (True, False) == (meta.watches("tenants"), meta.watches("orders"))
    assert meta.selects("tenants") and meta.selects("orders")


def test_circuits_that_read_nothing_of_the_table_do_not_move():
    meta = made(views=False)
    meta.view_added("a", "all", {"items": ALL})
    assert [] == tenant(meta, "t", None, "a") == tenant(meta, "t", "a", "b")
    meta.view_added("b", "all", {"orders": ALL})
    assert {"b": "put"} == route(meta, None, (1, "t", 5)), "and whoever comes later finds its share"


def test_the_last_view_gone_there_is_nothing_to_settle():
    meta = made()
    tenant(meta, "t", None, "a")
    tenant(meta, "t", "a", "b")
    meta.view_removed("a", "all")
    assert () == meta.placement().leaving
    meta.view_added("a", "all", {"orders": ALL})
    assert {"b": "put"} == route(meta, None, (1, "t", 5))


# Values


@pytest.mark.parametrize(
    ("value", "equal", "other"),
    [(1, 1.0, True), ("1", "1", 1), (NAN, NAN, None), (True, True, 1), ((1, "x"), (1.0, "x"), (1, "y")), (0.5, 0.5, 0)],
)
def test_values_are_equal_as_they_are_in_sql(value, equal, other):
    meta = made(BY_TENANT.replace("id AS value", "value"))
    meta.admitted([Resolved("tenants", 7, None, (7, "a", value), ("id", "circuit", "value"))])
    region = meta.admitted([Resolved("tenants", 8, None, (8, "b", value), ("id", "circuit", "value"))])[0].gained

    assert ({"a", "b"}, set()) == (holders(meta, (1, equal, 0)), holders(meta, (1, other, 0)))
    assert (True, False) == (region.matches((1, equal, 0)), region.matches((1, other, 0)))
    assert ({"a": "put", "b": "put"}, {}) == (route(meta, None, (1, equal, 0)), route(meta, None, (1, other, 0)))


def test_a_column_the_table_gets_later_is_looked_at_from_then_on():
    meta = made()
    tenant(meta, "t", None, "a")

    assert set() == holders(meta, (1,), ("id",))
    assert {"a"} == holders(meta, (1, 5, "t"), ("id", "x", "tenant"))
    assert {"a": "put"} == route(meta, (1, 5, None), (1, 5, "t"), columns=("id", "x", "tenant"))
    assert set() == holders(meta, (1,), ("id",)), "a batch that widened the table may have been refused"


def test_placement_tables_may_grow():
    meta = made(BY_TENANT.replace("id AS value", "name AS value"))
    assert [] == tenant(meta, 1, None, "a")
    assert set() == holders(meta, (1, "t", 5)), "NULL names nobody"
    meta.admitted([Resolved("tenants", 1, (1, "a", None), (1, "a", "t"), (*TENANTS, "name"))])
    assert {"a"} == holders(meta, (1, "t", 5))


# What has no effect


def test_a_circuit_that_is_not_there_yet_claims_its_rows_and_gets_them_when_it_is():
    meta = made(default="c")
    assert [("c", "orders", None, "(tenant = 't')")] == tenant(meta, "t", None, "new")
    meta.settled("c", "orders")
    assert set() == holders(meta, (1, "t", 5))
    assert ("new",) == meta.placement().unknown

    meta.circuit_added("new")
    meta.view_added("new", "all", {"orders": ALL})
    assert {"new": "put"} == route(meta, None, (1, "t", 5))
    assert () == meta.placement().unknown
    meta.circuit_removed("new")
    assert ({}, ("new",)) == (route(meta, None, (1, "t", 5)), meta.placement().unknown)


@pytest.mark.parametrize(
    ("posting", "fault"),
    [
        (("a", "orders", "tenant", None), "NULL is equal to nothing"),
        ((None, "orders", "tenant", "t"), "None names no circuit"),
        (("", "orders", "tenant", "t"), "'' names no circuit"),
        ((1.5, "orders", "tenant", "t"), "1.5 names no circuit"),
        (("a", "order", "tenant", "t"), "'order' is no table that route_0 places"),
        (("a", None, "tenant", "t"), "None is no table that route_0 places"),
        (("a", "orders", 7, "t"), "7 names no column"),
    ],
)
def test_a_posting_that_means_nothing_is_kept_and_counted(posting, fault):
    sql = """SELECT circuit, "table", "column", value FROM tenants"""
    meta = Meta(MetaOptions(("tenants",), (RouteOptions(sql, tables=("orders",)),)))
    meta.circuit_added("a")
    meta.view_added("a", "all", {"orders": ALL})
    columns = ("id", "circuit", "table", "column", "value")
    rows = [(1, "a", "orders", "tenant", "u"), (2, *posting)]

    meta.admitted([Resolved("tenants", row[0], None, row, columns) for row in rows])
    assert (1, {fault: 1}) == (meta.placement().postings, meta.placement().faults)
    assert [fault] == [p.fault for p in meta.postings() if p.fault]
    assert {"a": "put"} == route(meta, None, (1, "u", 0))
    assert {} == route(meta, None, (1, "t", 0))
    assert [] == meta.admitted([Resolved("tenants", 2, rows[1], None, columns)])
    assert {} == meta.placement().faults


def test_an_integer_names_a_circuit_by_its_digits():
    meta = made()
    meta.circuit_added("7")
    tenant(meta, True, None, 7)
    told = [meta.holds("7", Resolved("orders", 1, None, (1, tenant, 5), ORDERS)) for tenant in (True, 1)]
    assert [True, False] == told


# What is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"routes": [{"sql": "SELEC 1"}]}, r"routes\[0\].sql: line 1, column 1: a query does not begin with 'SELEC'"),
        ({"routes": [{"sql": BY_TENANT}, {"sql": "SELECT circuit FROM tenants"}]}, r"routes\[1\].sql: .* column 'table'"),
        ({"routes": [{"sql": BY_TENANT.replace("tenants", "tenant")}]}, "'tenant' is no placement table; .*: tenants"),
        ({"routes": [{"sql": BY_TENANT.replace("id AS value FROM tenants", "view AS value FROM views")}]}, "'views' is no placement table"),
        ({"routes": [{"sql": BY_TENANT + " WHERE id = $q"}]}, r"\$q has no value; who holds what depends on rows alone"),
        ({"routes": [{"sql": BY_TENANT + " WHERE since < $now"}]}, r"\$now has no value"),
        ({"routes": [{"sql": BY_TENANT.replace("circuit,", "*, circuit,")}]}, "means other columns as a table"),
        ({"routes": [{"sql": BY_TENANT.replace("'orders'", "t")}]}, r"routes\[0\]: which tables .* list them under tables"),
        ({"routes": [{"sql": BY_TENANT.replace("'orders'", "'tenants'")}]}, "'tenants' is a placement table"),
        ({"routes": [{"sql": BY_TENANT, "name": "interested"}]}, r"routes\[0\].name: 'interested' is taken"),
        ({"routes": [{"sql": BY_TENANT, "name": "tenants"}]}, r"routes\[0\].name: 'tenants' is a table"),
        ({"routes": [{"sql": BY_TENANT, "name": "route_1"}, {"sql": BY_TENANT}]}, r"routes\[1\].name: 'route_1' is taken"),
        ({"routes": [{"sql": BY_TENANT, "tables": [""]}]}, r"routes\[0\].tables"),
        ({"routes": [{"sq": BY_TENANT}]}, r"unknown key 'sq' \(did you mean 'sql'\?\) @ \$.routing.routes\[0\]"),
        ({"placement": ["interests"]}, r"placement\[0\]: 'interests' is a table of the strategy itself"),
        ({"placement": ["t", "t"]}, r"placement\[1\]: 't' is listed twice"),
        ({"placement": [""]}, r"placement\[0\]: a table's name is text"),
        ({"default": "a"}, "default is for rows that no posting claims"),
        ({"routes": [{"sql": BY_TENANT}], "default": ""}, "default is the name of a circuit"),
    ],
)  # fmt: skip
def test_options_are_checked(options, message):
    with pytest.raises((ConfigError, UsageError), match=message):
        Meta(structure(MetaOptions, {"placement": ["tenants"]} | options, "$.routing"))


@pytest.mark.parametrize(
    "sql",
    [
        BY_TENANT.replace("circuit,", "DISTINCT circuit,"),
        f'SELECT circuit, "table", "column", value FROM ({BY_TENANT}) AS t WHERE circuit <> \'x\' ORDER BY value LIMIT 3',
        f"WITH t AS ({BY_TENANT}) SELECT t.* FROM t JOIN tenants AS u ON u.id = t.value",
        f"{BY_TENANT} UNION ALL {BY_TENANT}",
        f"{BY_TENANT} EXCEPT {BY_TENANT}",
        BY_TENANT.replace("id AS value", "max(id) AS value") + " GROUP BY circuit",
    ],
)
def test_the_tables_a_query_places_are_found_in_it(sql):
    meta = Meta(MetaOptions(("tenants",), (RouteOptions(sql),)))
    assert not meta.holds("a", Resolved("orders", 1, None, (1, "t", 5), ORDERS))
    assert meta.holds("a", Resolved("items", 1, None, (1,), ("id",)))


# By the kit

SCHEMAS = (
    Schema("tenants", {"id": "integer", "circuit": "text", "tenant": "text"}),
    Schema("orders", {"id": "integer", "tenant": "text", "x": "integer"}), Schema("items", {"id": "integer", "x": "any"}),
)  # fmt: skip
VALUES = {"circuit": ("main", "ops", "lab", "none", None), "tenant": ("t", "u", None), "x": (0, 1, 2, 3)}
BY_COLUMN = MetaOptions(("tenants",), (RouteOptions(BY_TENANT.replace("id AS value", "tenant AS value")),))


@pytest.mark.parametrize("options", [None, BY_COLUMN, attrs.evolve(BY_COLUMN, default="main")])
def test_it_keeps_the_contract_of_strategies(options):
    check_strategy(lambda: Meta(options), schemas=SCHEMAS, values=VALUES, examples=10)


# What people see


def test_explain_names_the_posting_its_view_and_the_interest():
    meta = made()
    tenant(meta, "t", None, "a")
    told = whys(meta, None, (1, "t", 5))

    posted = "posted: orders where tenant = 't' to a (route_0), and view all is interested in every row (interested)"
    assert (True, posted) == told["a"]
    assert (False, "posted to a") == told["b"]
    assert (False, "no posting claims it") == whys(meta, None, (1, "u", 5))["a"]
    tenant(meta, "t", "a", "b")
    assert (True, "not settled: postings gave it to b") == (told := whys(meta, None, (1, "t", 5)))["a"][:1] + (
        told["a"][1].split(", and")[0],
    )
    assert told["b"][0]


def test_explain_of_what_is_not_wanted_not_placed_or_the_defaults():
    meta = made(default="c", views=False)
    meta.view_added("a", "large", {"orders": LARGE, "items": ALL})
    meta.view_added("c", "all", {"orders": ALL})
    tenant(meta, "t", None, "a")

    small = whys(meta, None, (1, "t", 5))
    assert not small["a"][0] and "no view of it is interested in the row" in small["a"][1]
    assert "large is interested where (x > 10)" in whys(meta, None, (1, "t", 50))["a"][1]
    assert (True, "it leaves") == (lambda r, w: (r, w.rpartition(", and ")[2]))(
        *whys(meta, (1, "t", 50), (1, "t", 5))["a"]
    )
    assert "no posting claims it, and this is the default circuit" in whys(meta, None, (1, "u", 5))["c"][1]
    assert (False, "no view of it reads items") == whys(meta, None, (1, "u", 5), "items")["b"]
    assert (True, "view large is interested in every row (interested)") == whys(meta, (1, "u", 5), None, "items")["a"]


def test_the_default_routing_view_is_a_view():
    meta = made(views=False)
    meta.view_added("a", "large", {"orders": LARGE})
    meta.view_changed("a", "large", {"orders": LARGE}, {"orders": ALL})
    rows = [row[1:] for row in meta.circuit.rows("interested")]

    assert [("a", "orders", "large", "(x > 10)", "retiring"), ("a", "orders", "large", None, "active")] == rows
    assert "join" in str(meta.circuit.explain("interested"))
    meta.view_settled("a", "large")
    assert 1 == len(meta.circuit.rows("interested"))


def test_a_routing_view_is_watched_like_any_view():
    meta, seen = made(), []
    leave = meta.watch("route_0", seen.append)
    with pytest.raises(UnknownView, match="did you mean 'route_0'"):
        meta.watch("route0", seen.append)

    tenant(meta, "t", None, "a")
    tenant(meta, "t", "a", "b")
    assert [("t", ("t", "a"))] == [("t", (row[3], row[0])) for row in seen[0].added]
    assert [("a", "b")] == [(old[0], new[0]) for old, new in seen[1].updated]
    leave()
    tenant(meta, "t", "b", "a")
    assert 2 == len(seen)


# What it costs


def test_no_query_runs_for_a_row_that_is_routed():
    """The circuit's version counts its commits; its views count the rows they touched."""
    meta = made(default="c")
    for number in range(100):
        tenant(meta, f"t{number}", None, "ab"[number % 2])
    before = meta.circuit.statistics()
    rows = [Resolved("orders", n, None, (n, f"t{n % 120}", n), ORDERS) for n in range(1_000)]
    rows += [Resolved("items", n, None, (n,), ("id",)) for n in range(1_000)]

    meta.route(rows)
    assert before == meta.circuit.statistics()
    assert [] == meta.admitted(rows), "rows of other tables are none of its business"
    assert before == meta.circuit.statistics()


def test_rows_that_go_the_same_way_share_their_targets():
    meta = made()
    for number in range(100):
        tenant(meta, f"t{number}", None, "ab"[number % 2])

    rows = [Resolved("orders", n, None, (n, f"t{n}", n), ORDERS) for n in range(100)]
    assert 2 == len({id(targets) for targets in meta.route(rows)})
    meta.view_changed("a", "all", {"orders": ALL}, {"orders": LARGE})
    meta.view_settled("a", "all")
    assert 3 == len({id(targets) for targets in meta.route(rows)}), "to a, to b, to nobody"


def test_a_tenant_that_moves_costs_its_own_postings():
    meta = made()
    for number in range(1_000):
        tenant(meta, f"t{number}", None, "a")
    before = meta.circuit.view("route_0").statistics.rows_touched

    tenant(meta, "t7", "a", "b")
    assert meta.circuit.view("route_0").statistics.rows_touched - before <= 2
