"""Traps of nested queries: each test names one, and `tests/planted` proves that it would be caught."""

from random import Random

from sspcore.engine.change import create, delete, merge, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.schema import Schema
from sspcore.plan.builder import query
from sspcore.plan.terms import col, param
from sspcore.testing.oracle import Mirror, check_circuit, expect_value

SCHEMAS = (
    Schema("projects", {"id": "integer", "name": "text"}),
    Schema("issues", {"id": "integer", "project": "integer", "rank": "integer", "name": "text"}),
    Schema("comments", {"id": "integer", "issue": "integer", "rank": "integer", "name": "text"}),
    Schema("tagged", {"id": "integer", "issue": "integer", "tag": "integer"}),
    Schema("tags", {"id": "integer", "rank": "integer", "name": "text"}),
)


class Forest:
    """A circuit over projects, issues, comments and tags; views with mirrors; every commit is judged."""

    def __init__(self, views, params=None):
        self.circuit = Circuit(schemas=SCHEMAS)
        self.mirrors = {name: Mirror(self.circuit.register(name, plan, params)) for name, plan in views.items()}

    def apply(self, *changes):
        commit = self.circuit.apply(changes)
        assert not commit.failed, commit.failed
        for name, view_update in commit.updates.items():
            self.mirrors[name].apply(view_update)
        check_circuit(self.circuit)
        for name, mirror in self.mirrors.items():
            view = self.circuit.view(name)
            expect_value(mirror.keys, mirror.rows(), view.bound, self.circuit.tables, f"the mirror of {name}")
        return commit


def names(value):
    """Nested rows as nested lists of names."""
    return [(v["name"], *[names(cell) for cell in v.values() if isinstance(cell, tuple)]) for v in value]


def triples(row, columns, depth=0):
    """Every (parent, column, child) of a tree, by name."""
    here = dict(zip(columns, row, strict=True))
    for column, cell in here.items():
        for child in cell if isinstance(cell, tuple) else ():
            yield (here["name"], column, child["name"])
            yield from triples(tuple(child.values()), tuple(child), depth + 1)


def boards():
    """Three levels, each with a filter, an order and a limit; the tags also through a junction, under two names."""
    comments = query("comments").where(col("rank") > 0).order_by("-rank").limit(2).select("name")
    tags = query("tags").order_by("rank").select("name")
    issues = query("issues").where(col("rank") > 0).order_by("rank").limit(2).select("name")
    issues = issues.related("comments", comments, on={"id": "issue"})
    issues = issues.related("tags", tags.limit(2), via="tagged", on={"id": "issue"}, then={"tag": "id"})
    issues = issues.related("high", tags.where(col("rank") > 1), via="tagged", on={"id": "issue"}, then={"tag": "id"})
    return query("projects").related("issues", issues, on={"id": "project"}).order_by("name")


def test_children_have_their_own_filter_order_and_limit_and_may_be_shared_at_any_depth():
    """T17: what stands under what, three levels deep, with children that parents and names share."""
    forest = Forest({"board": boards()})
    forest.apply(
        create("projects", 1, {"name": "p"}), create("projects", 2, {"name": "q"}),
        *[create("issues", i, {"project": 1 + i % 2, "rank": i - 1, "name": f"i{i}"}) for i in range(1, 8)],
        *[create("comments", i, {"issue": 2 + i % 3, "rank": i % 4, "name": f"c{i}"}) for i in range(12)],
        *[create("tags", i, {"rank": i, "name": f"t{i}"}) for i in range(4)],
        *[create("tagged", i, {"issue": 2 + i % 4, "tag": i % 3}) for i in range(12)],
    )  # fmt: skip
    found = {t for row in forest.circuit.rows("board") for t in triples(row, forest.circuit.view("board").columns)}

    assert {t for t in found if t[1] == "issues"} == {
        ("p", "issues", "i2"), ("p", "issues", "i4"), ("q", "issues", "i3"), ("q", "issues", "i5"),
    }  # fmt: skip
    assert {t[2] for t in found if t[:2] == ("i2", "comments")} == {"c3", "c6"}
    assert {t for t in found if t[2] == "t2"} == {
        (issue, under, "t2") for issue in ("i2", "i3", "i4", "i5") for under in ("high",)
    }
    forest.apply(delete("tagged", 0), upsert("tags", 0, {"rank": 9, "name": "t0"}), delete("issues", 2))


def test_random_changes_of_a_forest():
    """T17: three levels, shared children, a junction: right after every one of many steps."""
    random = Random(17)
    forest = Forest({"board": boards()})
    for step in range(150):
        table = random.choice(("projects", "issues", "comments", "tagged", "tags"))
        row_id, rank = random.randrange(6), random.randrange(4)
        row = {
            "projects": {"name": f"p{rank}"},
            "issues": {"project": random.randrange(3), "rank": rank, "name": f"i{row_id}"},
            "comments": {"issue": random.randrange(6), "rank": rank, "name": f"c{step}"},
            "tagged": {"issue": random.randrange(6), "tag": random.randrange(6)},
            "tags": {"rank": rank, "name": f"t{row_id}"},
        }[table]
        forest.apply(delete(table, row_id) if random.random() < 0.25 else upsert(table, row_id, row))


def test_a_parameter_means_the_same_at_every_level():
    """T19: `$rank` in the outer and in the inner query is one value, and no column of the parent."""
    inner = query("issues").where(col("rank") >= param("rank")).order_by("id").select("name")
    outer = query("projects").where(col("id") >= param("rank")).related("issues", inner, on={"id": "project"})
    forest = Forest({"one": outer.order_by("id")}, {"rank": 2})
    forest.apply(
        *[create("projects", i, {"name": f"p{i}"}) for i in (1, 2, 3)],
        *[create("issues", i, {"project": i % 4, "rank": i % 5, "name": f"i{i}"}) for i in range(8)],
    )

    assert [(row[1], names(row[2])) for row in forest.circuit.rows("one")] == [
        ("p2", [("i2",)]), ("p3", [("i3",), ("i7",)])
    ]  # fmt: skip


def test_renaming_a_column_of_the_parent_changes_nothing_inside():
    """T19: names of the inner query are its own, also where the parent's row has the like."""

    def shape(name):
        inner = query("issues").where(col("rank") > 1, col("name") != "x").select("name")
        return query("projects").select("id", **{name: col("name")}).related("issues", inner, on={"id": "project"})

    forest = Forest({"same": shape("name"), "other": shape("rank")})
    forest.apply(create("projects", 1, {"name": "x"}), create("issues", 1, {"project": 1, "rank": 2, "name": "i"}))

    assert forest.circuit.rows("same") == forest.circuit.rows("other")
    assert names(forest.circuit.rows("same")[0][2]) == [("i",)]


def test_children_are_no_members_of_the_view():
    """T20: the rows of a view with nested rows are those of the same view without them."""
    parts = query("issues").related("parts", query("issues").where(col("rank") > 1), on={"id": "project"})
    forest = Forest({"with": parts, "without": query("issues")})
    forest.apply(*[create("issues", i, {"project": i // 2, "rank": i, "name": f"i{i}"}) for i in range(1, 6)])
    forest.apply(delete("issues", 2), merge("issues", 5, {"rank": 0}))

    assert [row[:-1] for row in forest.circuit.rows("with")] == forest.circuit.rows("without")
    assert forest.circuit.view("with").keys() == forest.circuit.view("without").keys()


def test_only_the_parents_whose_value_changed_are_updated():
    """T18: of a thousand parents one sees the child; a child beyond every window is seen by none."""
    top = query("issues").order_by("-rank").limit(1).select("name")
    forest = Forest({"top": query("projects").related("top", top, on={"id": "project"})})
    forest.apply(*[create("projects", i, {"name": f"p{i}"}) for i in range(1000)])
    forest.apply(create("issues", 1, {"project": 7, "rank": 5, "name": "a"}))

    commit = forest.apply(create("issues", 2, {"project": 7, "rank": 1, "name": "b"}))
    assert not commit.updates
    commit = forest.apply(merge("issues", 2, {"rank": 9}), merge("issues", 1, {"name": "c"}))
    assert [key for key, _, _ in commit.updates["top"].changes] == [7]
