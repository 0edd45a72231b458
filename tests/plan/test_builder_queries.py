"""The builder over several tables: joins, related rows, exists, set operations, queries over queries."""

import pytest

import sspcore
from sspcore.engine.schema import Schema, open_schema
from sspcore.errors import PlanError, UnknownTable, UsageError
from sspcore.plan.builder import exists, query
from sspcore.plan.nodes import AntiJoin, Distinct, Join, Mark, Nest, SemiJoin, TopK
from sspcore.plan.sql.lower import lower
from sspcore.plan.terms import col, count, param
from sspcore.plan.traverse import columns, walk_plan

CATALOG = {
    "flights": Schema("flights", {"id": "text", "carrier": "text", "tailnum": "text", "dep_delay": "integer"}),
    "carriers": Schema("carriers", {"code": "text", "name": "text"}, "code"),
    "planes": Schema("planes", {"tailnum": "text", "seats": "integer"}, "tailnum"),
    "flown": Schema("flown", {"id": "text", "flight": "text", "pilot": "text"}),
    "pilots": Schema("pilots", {"id": "text", "name": "text"}),
    "open": open_schema("open"),
    "wide": open_schema("wide"),
}
FLIGHTS, CARRIERS = query("flights"), query("carriers")
LATE = FLIGHTS.where(col("dep_delay") > 60)


def plan(built):
    return built.lower(CATALOG).plan


SAME = [
    (FLIGHTS.join("carriers", on={"carrier": "code"}).select("id", "name"),
     "SELECT id, name FROM flights JOIN carriers ON carrier = code"),
    (FLIGHTS.join("carriers", on={"carrier": "code"}, kind="left").select("id", "carriers.name"),
     "SELECT id, name FROM flights LEFT JOIN carriers ON carrier = code"),
    (FLIGHTS.join("carriers", on={"carrier": "code"}),
     "SELECT * FROM flights JOIN carriers ON carrier = code"),
    (FLIGHTS.join("planes", col("seats") > col("dep_delay"), on="tailnum").select("id", "flights.tailnum"),
     "SELECT id, f.tailnum FROM flights f JOIN planes p ON f.tailnum = p.tailnum AND seats > dep_delay"),
    (query("flights", alias="a").join("flights", on="carrier", alias="b").where(col("a.id") < col("b.id")).select("a.id", other=col("b.id")),
     "SELECT a.id, b.id AS other FROM flights a JOIN flights b ON a.carrier = b.carrier WHERE a.id < b.id"),
    (FLIGHTS.join("planes", col("flights.tailnum") == col("planes.tailnum"), kind="full").select("id", "seats"),
     "SELECT id, seats FROM flights f FULL JOIN planes p ON f.tailnum = p.tailnum"),
    (FLIGHTS.join("carriers", on={"carrier": "code"}).group_by("name").aggregate(n=count()).having(col("n") > 1),
     "SELECT name, count(*) AS n FROM flights JOIN carriers ON carrier = code GROUP BY name HAVING count(*) > 1"),
    (LATE.where(exists("planes", on="tailnum")).select("id"),
     "SELECT id FROM flights f WHERE dep_delay > 60 AND EXISTS (SELECT 1 FROM planes p WHERE f.tailnum = p.tailnum)"),
    (FLIGHTS.where(~exists("planes", on="tailnum")).select("id"),
     "SELECT id FROM flights f WHERE NOT EXISTS (SELECT 1 FROM planes p WHERE f.tailnum = p.tailnum)"),
    (FLIGHTS.select(x=col("id")).union(CARRIERS.select(x=col("code"))),
     "SELECT id AS x FROM flights UNION SELECT code AS x FROM carriers"),
    (FLIGHTS.select("carrier").union(CARRIERS.select("code"), all=True),
     "SELECT carrier FROM flights UNION ALL SELECT code FROM carriers"),
    (FLIGHTS.select("carrier").intersect(CARRIERS.select("code")),
     "SELECT carrier FROM flights INTERSECT SELECT code FROM carriers"),
    (FLIGHTS.select("carrier").except_(CARRIERS.select("code"), all=True),
     "SELECT carrier FROM flights EXCEPT ALL SELECT code FROM carriers"),
]  # fmt: skip

DATA = {
    "flights": {"A1": ("AA", "N1", 75), "A2": ("AA", "N2", 10), "U1": ("UA", "N1", 90), "U2": ("UA", None, None), "X1": ("ZZ", "N9", 61)},
    "carriers": {"AA": ("American",), "UA": ("United",), "DL": ("Delta",)},
    "planes": {"N1": (180,), "N2": (5,), "N3": (50,)},
    "flown": {"1": ("A1", "p"), "2": ("A1", "q"), "3": ("A1", "p"), "4": ("U1", "q"), "5": ("U1", None)},
    "pilots": {"p": ("Pia",), "q": ("Quin",)},
}  # fmt: skip


@pytest.fixture(scope="module")
def circuit():
    made = sspcore.Circuit(schemas=[schema for name, schema in CATALOG.items() if name in DATA])
    for table, rows in DATA.items():
        names = [n for n in CATALOG[table].columns if n not in CATALOG[table].key_columns]
        made.apply([sspcore.create(table, key, dict(zip(names, row, strict=True))) for key, row in rows.items()])
    return made


@pytest.mark.parametrize(("built", "sql"), SAME, ids=[sql for _, sql in SAME])
def test_a_built_query_gives_what_its_sql_gives(circuit, built, sql):
    assert columns(lower(sql, CATALOG).plan) == columns(plan(built))
    assert sorted(map(repr, circuit.query(sql).rows)) == sorted(map(repr, circuit.query(built).rows))


def test_equalities_written_as_predicates_are_joined_by():
    (join,) = [n for n in walk_plan(plan(SAME[5][0])) if isinstance(n, Join)]
    assert (len(join.on), join.residual) == (1, None)


def test_a_joined_query_keeps_its_own_clauses(circuit):
    best = FLIGHTS.order_by("-dep_delay").where(~col("dep_delay").is_null()).limit(1)
    assert circuit.query(CARRIERS.join(best, on={"code": "carrier"}).select("name", "dep_delay")).rows == [
        ("United", 90)
    ]


def test_a_query_stands_over_a_query(circuit):
    totals = FLIGHTS.group_by("carrier").aggregate(n=count())
    assert circuit.query(query(totals).where(col("n") > 1).order_by("-carrier").select("carrier")).rows == [
        ("UA",),
        ("AA",),
    ]


def test_clauses_after_a_set_operation_are_about_the_whole(circuit):
    both = FLIGHTS.select(x=col("carrier")).union(CARRIERS.select(x=col("code"))).order_by("-x").limit(2)
    assert circuit.query(both).rows == [("ZZ",), ("UA",)]
    assert circuit.query(both.where(col("x") < "ZZ")).rows == [("UA",), ("DL",)]


def test_exists_is_a_semi_join_in_where_and_a_column_elsewhere(circuit):
    found = exists(LATE, on={"code": "carrier"})
    assert [type(n) for n in walk_plan(plan(CARRIERS.where(found))) if isinstance(n, SemiJoin | Mark)] == [SemiJoin]
    assert [type(n) for n in walk_plan(plan(CARRIERS.where(~found))) if isinstance(n, AntiJoin | Mark)] == [AntiJoin]
    either = CARRIERS.where(found | (col("code") == "DL")).order_by("code").select("code")
    assert [type(n) for n in walk_plan(plan(either)) if isinstance(n, SemiJoin | Mark)] == [Mark]
    assert circuit.query(either).rows == [("AA",), ("DL",), ("UA",)]
    assert circuit.query(CARRIERS.select("code", late=found).order_by("code")).rows == [
        ("AA", True),
        ("DL", False),
        ("UA", True),
    ]
    both = CARRIERS.where(found, ~exists("pilots", on={"name": "name"})).order_by("code").select("code")
    assert circuit.query(both).rows == [("AA",), ("UA",)]


def test_exists_through_a_junction(circuit):
    flew = exists(query("pilots").where(name="Quin"), on={"id": "flight"}, via="flown", then={"pilot": "id"})
    assert circuit.query(FLIGHTS.where(flew).order_by("id").select("id")).rows == [("A1",), ("U1",)]


def nested(circuit, built):
    from tests.cases.trees import plain

    return [tuple(map(plain, row)) for row in circuit.query(built).rows]


def test_related_rows_have_their_own_clauses_at_every_depth(circuit):
    pilots = query("pilots").order_by("-name").select("name")
    flights = LATE.order_by("-dep_delay").limit(1).select("id").related(
        "pilots", pilots, via="flown", on={"id": "flight"}, then={"pilot": "id"}
    )  # fmt: skip
    tree = CARRIERS.select("code").order_by("code").related("late", flights, on={"code": "carrier"})
    assert nested(circuit, tree) == [
        ("AA", [{"id": "A1", "pilots": [{"name": "Quin"}, {"name": "Pia"}]}]), ("DL", []),
        ("UA", [{"id": "U1", "pilots": [{"name": "Quin"}]}]),
    ]  # fmt: skip


def test_related_rows_are_one_or_plain_values_when_asked(circuit):
    ids = LATE.order_by("id").select("id")
    tree = CARRIERS.where(code="AA").select("code")
    assert nested(circuit, tree.related("first", LATE.select("id"), {"code": "carrier"}, one=True)) == [
        ("AA", {"id": "A1"})
    ]
    assert nested(circuit, tree.related("ids", ids, {"code": "carrier"}, values=True)) == [("AA", ["A1"])]
    assert nested(circuit, tree.related("id", ids, {"code": "carrier"}, one=True, values=True)) == [("AA", "A1")]


def test_groups_and_distinct_rows_are_related_too(circuit):
    per_plane = FLIGHTS.group_by("carrier", "tailnum").aggregate(n=count()).order_by("tailnum")
    tree = CARRIERS.where(code="UA").select("code").related("planes", per_plane, on={"code": "carrier"})
    assert nested(circuit, tree) == [
        ("UA", [{"carrier": "UA", "tailnum": "N1", "n": 1}, {"carrier": "UA", "tailnum": None, "n": 1}])
    ]
    names = FLIGHTS.select("carrier").distinct().order_by("carrier")
    assert nested(circuit, query("planes").where(tailnum="N1").select("seats").related("of", names, on="tailnum")) == [
        (180, [{"carrier": "AA"}, {"carrier": "UA"}])
    ]


def test_rows_are_related_to_groups(circuit):
    grouped = FLIGHTS.group_by("carrier").aggregate(n=count()).having(col("n") > 1)
    tree = grouped.related("of", CARRIERS.select("name"), on={"carrier": "code"}, one=True).order_by("carrier")
    assert nested(circuit, tree) == [("AA", 2, {"name": "American"}), ("UA", 2, {"name": "United"})]


def test_parents_are_limited_before_anything_is_nested():
    tree = plan(CARRIERS.order_by("name").limit(2).related("late", LATE, on={"code": "carrier"}))
    assert isinstance(tree, Nest)
    assert isinstance(tree.left, TopK)


def test_a_parameter_reaches_every_level():
    inner = FLIGHTS.where(col("dep_delay") > param("m")).limit(param("n"))
    made = sspcore.Circuit(schemas=[CATALOG["flights"], CATALOG["carriers"]])
    made.apply(
        [sspcore.create("carriers", "AA", {}), sspcore.create("flights", "A1", {"carrier": "AA", "dep_delay": 9})]
    )
    tree = CARRIERS.related("late", inner.select("id"), on={"code": "carrier"})
    assert made.query(tree, {"m": 5, "n": 1}).rows[0][-1] != ()
    assert made.query(tree, {"m": 5, "n": 0}).rows[0][-1] == ()
    with pytest.raises((UsageError, PlanError), match="count|number"):
        made.query(tree, {"m": 5, "n": -1})


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (lambda: FLIGHTS.join("carriers", on={"carier": "code"}), r"no column 'carier'; did you mean 'carrier'\? @ \$.join\[0\].on"),
        (lambda: FLIGHTS.join("carriers", on={"carrier": "cod"}), r"no column 'cod'; did you mean 'code'\? @ \$.join\[0\].on"),
        (lambda: FLIGHTS.join("planes", on="tailnum").select("tailnum"), r"'tailnum' is a column of .*flights.tailnum.*\$.select"),
        (lambda: FLIGHTS.join("carriers", on={"carrier": "code"}).where(col("nmae") == "x"),
         r"no column 'nmae' in 'flights' and 'carriers'; did you mean 'name'\? @ \$.where\[0\]"),
        (lambda: FLIGHTS.join("carriers", on={"carrier": "code"}).where(col("carriers.x") == 1), r"'carriers' has no column 'x'"),
        (lambda: CARRIERS.related("late", LATE.where(nope=1), on={"code": "carrier"}), r"no column 'nope'.*\$.related.late.where\[1\]"),
        (lambda: CARRIERS.related("late", LATE, on={"code": "carier"}), r"no column 'carier'; did you mean 'carrier'\? @ \$.related.late"),
        (lambda: CARRIERS.related("late", LATE, on={"cod": "carrier"}), r"no column 'cod'; did you mean 'code'\? @ \$.related.late.on"),
        (lambda: CARRIERS.related("ids", LATE, on={"code": "carrier"}, values=True), r"4 columns for plain values.*select one"),
        (lambda: FLIGHTS.select("id").union(CARRIERS), r"union of 1 and 2 columns.*\$.union"),
        (lambda: FLIGHTS.where(exists(LATE.limit(1), on="id")), r"a limit within exists.*\$.where\[0\]"),
        (lambda: FLIGHTS.group_by("carrier").having(exists("planes", on="tailnum")), r"exists above the groups.*\$.having\[0\]"),
        (lambda: query("open").join("wide", on="id").where(col("x") == 1), r"no column 'x' in 'open' and 'wide'; write it with its table"),
        (lambda: FLIGHTS.related("c", FLIGHTS.join("carriers", on={"carrier": "code"}).select("id", n="name", id2="flights.id"), on="id"), None),
    ],
)  # fmt: skip
def test_a_fault_in_names_is_told_with_its_place(built, message):
    if message is None:
        plan(built())
        return
    with pytest.raises(PlanError, match=message):
        plan(built())


def test_an_unknown_table_is_told_wherever_it_stands():
    for built in (
        FLIGHTS.join("carier", on="id"),
        CARRIERS.related("x", "flight", on={"code": "carrier"}),
        FLIGHTS.where(exists("nope")),
    ):
        with pytest.raises(UnknownTable):
            plan(built)


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (lambda: FLIGHTS.join("carriers", kind="outer"), "unknown kind of join 'outer'"),
        (lambda: FLIGHTS.join(1), "neither a table's name nor a query"),
        (lambda: FLIGHTS.join("carriers", on=1), "join on 1"),
        (lambda: FLIGHTS.join("carriers", on={"a": 2}), "join on 2"),
        (lambda: FLIGHTS.join("carriers", True), "True is no predicate"),
        (lambda: FLIGHTS.related("", "carriers"), "a related column has a name"),
        (lambda: FLIGHTS.related("c", "carriers").related("c", "planes"), "two related columns named 'c'"),
        (lambda: FLIGHTS.related("c", "carriers", via="flown"), "via alone"),
        (lambda: FLIGHTS.related("c", "carriers", then="id"), "then alone"),
        (lambda: FLIGHTS.union("carriers"), "is no query"),
        (lambda: query("flights", dict).where(lambda f: f.x > 1), "dict has no column 'x'"),
    ],
)  # fmt: skip
def test_a_slip_in_a_clause_is_told_at_once(built, message):
    with pytest.raises(UsageError, match=message):
        built()


def test_a_column_that_no_row_has_brought_is_a_warning_in_the_table_it_is_of():
    found = query("open").join("flights", on={"flight": "id"}).where(col("open.gate") == "A").lower(CATALOG)
    assert [w for w in found.warnings if "'gate'" in w]


def test_children_through_a_junction_come_once():
    tree = plan(FLIGHTS.related("pilots", "pilots", via="flown", on={"id": "flight"}, then={"pilot": "id"}))
    assert isinstance(tree, Nest)
    assert [type(n) for n in walk_plan(tree.right) if isinstance(n, Distinct)] == [Distinct]


def test_a_function_of_a_row_is_a_term_over_its_columns(circuit):
    built = FLIGHTS.where(lambda f: (f.dep_delay > 60) & (f.carrier == "AA")).select(
        lambda f: (f.id,), half=lambda f: f.dep_delay / 2
    )
    assert circuit.query(built).rows == [("A1", 37)]
