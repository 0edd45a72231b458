"""Trees on the wire: a reader that applies `nested` alone holds the tree, and little is sent."""

import json
from random import Random

import pytest

import sspcore
from sspcore.engine.circuit import Circuit
from sspcore.wire.client_session import ClientSession
from sspcore.wire.session import ServerSession
from sspcore.wire.values import encode_key, encode_row
from tests.engine.test_trees import change
from tests.laws.test_traps_nested import SCHEMAS, boards
from tests.wire.mirror import Mirror, named


class Wire:
    """A circuit with one tree view, and a reader at the other end of the wire."""

    def __init__(self, query, *changes):
        self.circuit = Circuit(schemas=SCHEMAS)
        self.circuit.apply(changes)
        self.server, self.client = ServerSession("s"), ClientSession()
        self.server.receive(self.client.sub("tree", view="tree"))
        snapshot = self.circuit.register("tree", query, format="tree")
        for text in self.server.snapshot("tree", 1, snapshot):
            (whole,) = self.client.receive(text)
        self.mirror = Mirror(whole)

    def apply(self, *changes):
        """Commit; gives the delta as it went over the wire, and judges the reader's copy."""
        update = self.circuit.apply(changes).updates.get("tree")
        if update is None:
            return None
        (text,) = self.server.update(1, update)
        (delta,) = self.client.receive(text)
        self.mirror.apply(delta)
        view = self.circuit.view("tree")
        wanted = {named(encode_key(k)): encode_row(view.get(k)) for k in view.keys()}  # noqa: SIM118 - a list
        assert self.mirror.rows == json.loads(json.dumps(wanted))
        if view.ordered:
            assert self.mirror.order == list(wanted)
        return delta


def issues():
    leaves = sspcore.query("comments").order_by("rank").select("name")
    inner = sspcore.query("issues").order_by("rank").select("name").related("comments", leaves, {"id": "issue"})
    return sspcore.query("projects").related("issues", inner, {"id": "project"})


ROWS = (
    sspcore.create("projects", 1, {"name": "p"}),
    *[sspcore.create("issues", i, {"project": 1, "rank": i, "name": f"i{i}"}) for i in (1, 2)],
    sspcore.create("comments", 7, {"issue": 2, "rank": 0, "name": "c7"}),
)


def test_a_child_that_changes_is_all_that_is_sent():
    delta = Wire(issues(), *ROWS).apply(sspcore.merge("comments", 7, {"name": "new"}))
    assert (delta.updated, delta.nested) == ([], [[[[1, "issues"], [2, "comments"]], 7, {"name": "new"}]])


def test_a_child_that_moves_is_named_with_its_new_predecessor():
    delta = Wire(issues(), *ROWS).apply(sspcore.merge("issues", 1, {"rank": 9}))
    assert delta.nested == [[[[1, "issues"]], 2, None, None]]


def test_a_child_that_goes_is_named():
    delta = Wire(issues(), *ROWS).apply(sspcore.delete("issues", 1))
    assert delta.nested == [[[[1, "issues"]], 1]]


def test_what_changes_in_its_own_comes_whole_once():
    delta = Wire(issues(), *ROWS).apply(
        sspcore.merge("issues", 2, {"name": "new"}), sspcore.merge("comments", 7, {"name": "also new"})
    )
    assert delta.nested == [[[[1, "issues"]], 2, {"name": "new", "comments": [[7, {"name": "also new"}]]}]]


def test_a_row_whose_own_cells_change_comes_whole():
    delta = Wire(issues(), *ROWS).apply(
        sspcore.merge("projects", 1, {"name": "new"}), sspcore.merge("issues", 2, {"name": "x"})
    )
    assert delta.nested is None
    assert [entry[0] for entry in delta.updated] == [1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ordered", [True, False])
def test_a_reader_that_applies_deltas_alone_holds_the_tree(seed, ordered):
    random = Random(seed)
    query = boards() if ordered else issues()
    wire = Wire(query)
    sent = sum(
        wire.apply(*[change(random, step) for _ in range(random.choice((1, 1, 5)))]) is not None for step in range(60)
    )
    assert sent > 20
