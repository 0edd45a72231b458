"""Trees: rows with the keys of their nested rows, and updates that tell which child of which parent changed."""

from random import Random

import attrs
import pytest

import sspcore
from sspcore.algebra.values import FrozenObject, same
from sspcore.engine.circuit import Circuit
from sspcore.engine.trees import NestedChange, apply_nested
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.nodes import Filter, Join, Nest, Project, Scan, TopK
from sspcore.plan.trees import Layout, keyed, layout
from tests.laws.test_traps_nested import SCHEMAS, boards

P, C = Scan("p", ("id", "name")), Scan("c", ("p", "x"))
NEST = Nest(P, C, "kids", ((Column(0), Column(0)),))


ROWS = [
    sspcore.create("projects", 1, {"name": "p"}),
    *[sspcore.create("issues", i, {"project": 1, "rank": i, "name": f"i{i}"}) for i in (1, 2, 3)],
    *[sspcore.create("comments", i, {"issue": 2, "rank": i, "name": f"c{i}"}) for i in (7, 8)],
]


def family():
    circuit = Circuit(schemas=SCHEMAS)
    issues = sspcore.query("issues").order_by("rank").select("name")
    comments = sspcore.query("comments").order_by("rank").select("name")
    tree = sspcore.query("projects").related(
        "issues", issues.related("comments", comments, {"id": "issue"}), {"id": "project"}
    )
    circuit.apply(ROWS)
    return circuit, circuit.register("tree", tree, format="tree")


def nested(circuit, *changes):
    return circuit.apply(changes).updates["tree"].nested


def test_a_tree_shows_every_child_with_its_key():
    _, snapshot = family()
    leaves = ((7, FrozenObject({"name": "c7"})), (8, FrozenObject({"name": "c8"})))
    ((_, _, issues),) = snapshot.rows
    assert [(key, child["name"], child["comments"]) for key, child in issues] == [
        (1, "i1", ()), (2, "i2", leaves), (3, "i3", ())
    ]  # fmt: skip


def test_an_added_child_comes_whole_with_its_place():
    circuit, _ = family()
    update = circuit.apply([
        sspcore.create("issues", 4, {"project": 1, "rank": 2, "name": "i4"}),
        sspcore.create("comments", 9, {"issue": 4, "rank": 0, "name": "c9"}),
    ]).updates["tree"]  # fmt: skip
    child = FrozenObject({"name": "i4", "comments": ((9, FrozenObject({"name": "c9"})),)})
    assert update.nested == (NestedChange(((1, "issues"),), 4, None, child, True, 2),)


def test_a_removed_child_is_named_by_its_key():
    circuit, _ = family()
    assert nested(circuit, sspcore.delete("issues", 1)) == (
        NestedChange(((1, "issues"),), 1, FrozenObject({"name": "i1"}), None)._replace(
            old=FrozenObject({"name": "i1", "comments": ()})
        ),
    )


def test_a_child_that_changes_in_place_shows_its_own_members_only():
    circuit, _ = family()
    assert nested(circuit, sspcore.merge("issues", 2, {"name": "new"})) == (
        NestedChange(((1, "issues"),), 2, FrozenObject({"name": "i2"}), FrozenObject({"name": "new"})),
    )


def test_a_grandchild_is_found_by_its_path():
    circuit, _ = family()
    assert nested(circuit, sspcore.merge("comments", 7, {"name": "new"})) == (
        NestedChange(((1, "issues"), (2, "comments")), 7, FrozenObject({"name": "c7"}), FrozenObject({"name": "new"})),
    )


def test_a_child_that_moves_is_placed_and_no_other():
    circuit, _ = family()
    own = FrozenObject({"name": "i1"})
    assert nested(circuit, sspcore.merge("issues", 1, {"rank": 9})) == (
        NestedChange(((1, "issues"),), 1, own, own, True, 3),
    )


def test_rows_that_come_and_go_are_no_nested_changes():
    circuit, _ = family()
    update = circuit.apply([sspcore.create("projects", 2, {"name": "q"})]).updates["tree"]
    assert (update.nested, [key for key, _, _ in update.changes]) == ((), [2])


def follow(trees, held, update):
    """What a reader holds after an update of which it uses the nested changes only, for rows that stay."""
    for key, old, new in update.changes:
        if new is None:
            del held[key]
        elif old is None:
            held[key] = new
        else:
            row = list(new)
            for name, (at, cell) in trees.items():
                mine = [change for change in update.nested if change.path[0] == (key, name)]
                row[at] = apply_nested(held[key][at], mine, cell)
            held[key] = tuple(row)


@pytest.mark.parametrize("seed", range(8))
def test_nested_changes_applied_to_what_was_give_what_is(seed):
    """Three levels, windows, children that move and that several parents share; also several commits as one."""
    random = Random(seed)
    circuit = Circuit(schemas=SCHEMAS)
    tops = sspcore.query("issues").order_by("-rank").select("name").related("tags", "tags", {"rank": "rank"})
    board = boards().related("top", tops, {"id": "project"}, one=True)
    snapshot = circuit.register("tree", board, format="tree")
    view = circuit.view("tree")
    trees = {view.columns[at]: (at, cell) for at, cell in layout(view.plan).items()}
    held = dict(zip(snapshot.keys, snapshot.rows, strict=True))
    waiting = None
    for step in range(80):
        update = circuit.apply([change(random, step) for _ in range(random.choice((1, 1, 4)))]).updates.get("tree")
        if update is None:
            continue
        waiting = update if waiting is None else waiting.then(update, view.placements)
        if random.random() < 0.7:
            follow(trees, held, waiting)
            waiting = None
            assert held.keys() == set(view.keys())
            assert all(same(held[key], view.get(key)) for key in held)


def change(random, step):
    table, row_id, rank = (
        random.choice(("projects", "issues", "issues", "comments", "tagged", "tags")),
        random.randrange(5),
        random.randrange(4),
    )
    if random.random() < 0.2:
        return sspcore.delete(table, row_id)
    row = {
        "projects": {"name": f"p{rank}"},
        "issues": {"project": random.randrange(3), "rank": rank, "name": f"i{row_id}"},
        "comments": {"issue": random.randrange(5), "rank": rank, "name": f"c{step}"},
        "tagged": {"issue": random.randrange(5), "tag": random.randrange(5)},
        "tags": {"rank": rank, "name": f"t{row_id}"},
    }[table]
    return sspcore.upsert(table, row_id, row)


def test_a_nested_column_that_an_expression_reads_stays_a_plain_list():
    read = Filter(NEST, Call("<>", (Column(2), Constant(()))))
    assert keyed(read) == read
    assert layout(keyed(read)) == {}


def test_the_layout_follows_columns_to_where_they_stand():
    plan = TopK(Project(Join("inner", P, NEST), (("kids", Column(4)), ("n", Column(1)))), ())
    assert layout(keyed(plan)) == {0: Layout({})}
    one = attrs.evolve(NEST, form="object")
    assert layout(keyed(one)) == {2: Layout({})}


def test_a_tree_is_another_view_than_its_rows_and_comes_back_from_an_image():
    circuit, snapshot = family()
    query = circuit.view("tree").query
    rows = circuit.register("rows", query)
    assert rows.rows != snapshot.rows
    again = Circuit.restore(circuit.image())
    assert again.view("tree").format == "tree"
    assert again.rows("tree") == snapshot.rows
    (child,) = again.apply([sspcore.merge("comments", 7, {"name": "new"})]).updates["tree"].nested
    assert child.key == 7


def test_a_tree_without_nested_columns_is_as_any_view():
    circuit, _ = family()
    circuit.register("flat", "SELECT name FROM issues", format="tree")
    update = circuit.apply([sspcore.merge("issues", 1, {"name": "x"})]).updates["flat"]
    assert (update.nested, update.updated) == ((), ((("i1",), ("x",)),))


def test_a_tree_stays_one_when_its_tables_grow_columns():
    circuit = Circuit()
    query = sspcore.query("p").related("kids", sspcore.query("c").order_by("x"), on={"id": "p"})
    circuit.register("tree", query, format="tree")
    commit = circuit.apply([sspcore.upsert("p", 1, {}), sspcore.upsert("c", 2, {"p": 1, "x": 5})])
    assert (commit.updates["tree"].reset, commit.updates["tree"].nested) == (True, ())
    assert circuit.rows("tree") == [(1, ((2, FrozenObject({"id": 2, "p": 1, "x": 5})),))]
    (change,) = circuit.apply([sspcore.upsert("c", 3, {"p": 1, "x": 6})]).updates["tree"].nested
    assert (change.key, change.after) == (3, 2)


def test_other_parameters_change_a_tree_child_by_child():
    circuit = Circuit(schemas=SCHEMAS)
    circuit.apply(ROWS)
    issues = sspcore.query("issues").where(sspcore.col("rank") > sspcore.param("least")).order_by("rank").select("name")
    tree = sspcore.query("projects").related("issues", issues, {"id": "project"})
    circuit.register("tree", tree, {"least": 0}, format="tree")
    (change,) = circuit.rebind("tree", {"least": 1}).nested
    assert (change.key, change.new) == (1, None)


def test_of_a_long_list_only_what_changed_is_looked_at(monkeypatch):
    """Keys are made for the children between those that stayed: two of a thousand, not all."""
    from sspcore.engine import trees

    circuit, _ = family()
    circuit.apply([sspcore.create("issues", n, {"project": 1, "rank": n, "name": "i"}) for n in range(10, 1010)])
    keys = []
    monkeypatch.setattr(trees, "canonical_key", lambda key: keys.append(key) or key)

    (change,) = nested(circuit, sspcore.merge("issues", 500, {"name": "x"}))

    assert (change.key, change.new["name"], change.placed) == (500, "x", False)
    assert len(keys) <= 4
    (change,) = nested(circuit, sspcore.merge("issues", 500, {"rank": 503}))
    assert (change.key, change.placed, change.after) == (500, True, 502)
