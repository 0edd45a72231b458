"""Recursion kept by deltas: circles do not keep themselves, another way keeps a row, and work follows what changes."""

from random import Random

import pytest

from sspcore.engine.change import create, delete, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.operators.base import Meter
from sspcore.engine.operators.network import Network
from sspcore.engine.schema import Schema
from sspcore.errors import TooExpensive
from sspcore.plan import recursion
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.plan.nodes import Filter, Join, Project, Recursive, Scan, Working
from sspcore.testing.oracle import check_circuit

REACH = Recursive(
    Scan("start", ("node",)),
    Project(
        Join("inner", Working("reach", ("node",)), Scan("edge", ("a", "b")), ((Column(0), Column(0)),)),
        (("node", Column(2)),),
    ),
    "reach",
)
NAMES = {"start": ("node",), "edge": ("a", "b")}


class Graph:
    """A network of REACH, driven by hand."""

    def __init__(self, edges, starts=("a",)):
        self.meter = Meter()
        self.network = Network(REACH, NAMES.__getitem__, self.meter)
        self.edges = {f"{a}{b}": (a, b) for a, b in edges}
        rows = {"start": {s: (s,) for s in starts}, "edge": self.edges}
        self.value = {row[0] for row in self.network.hydrate(rows.__getitem__).values()}

    def move(self, table="edge", add=(), drop=()):
        """Commit edges more and less; what came and what went. Counts the work from zero."""
        self.meter.rows = self.meter.probes = 0
        made = [("".join(map(str, row)), None, tuple(row)) for row in add]
        gone = [("".join(map(str, row)), tuple(row), None) for row in drop]
        delta = self.network.advance({table: made + gone})
        came = {key[0] for key, old, _ in delta if old is None}
        went = {key[0] for key, _, new in delta if new is None}
        self.value = (self.value | came) - went
        return came, went

    @property
    def work(self):
        return self.meter.rows + self.meter.probes

    @property
    def operator(self):
        return self.network._nodes[-1][1]


def test_a_circle_does_not_keep_itself():
    graph = Graph(["ab", "bc", "cd", "db"])

    assert graph.value == {"a", "b", "c", "d"}
    assert graph.move(drop=["ab"]) == (set(), {"b", "c", "d"})
    assert graph.move(add=["ac"]) == ({"b", "c", "d"}, set())


def test_another_way_keeps_what_hangs_on_it():
    """The longer way takes over: nothing is seen of it outside."""
    graph = Graph(["ab", "bz", "ac", "cd", "dz", "zy"])

    assert graph.move(drop=["bz"]) == (set(), set())
    assert graph.move(drop=["cd"]) == (set(), {"d", "z", "y"})


def test_a_node_that_starts_needs_no_way():
    graph = Graph(["ab", "ba", "bc"], starts="ab")

    assert graph.move(drop=["ab", "ba"]) == (set(), set())
    assert graph.move("start", drop=["b"]) == (set(), {"b", "c"})


def test_what_goes_and_comes_back_in_one_commit_is_no_change():
    graph = Graph(["ab", "bc"])

    assert graph.move(add=["ac", "cb"], drop=["ab"]) == (set(), set())
    assert graph.move("start", add=["c"], drop=["a"]) == (set(), {"a"})


def test_nothing_is_kept_of_what_is_gone():
    graph = Graph(["ab", "bc", "ca"])
    graph.move("start", drop=["a"])

    assert graph.value == set()
    assert not graph.operator._facts and not graph.operator._by_id and not graph.operator._pool.groups


def test_equal_rows_of_other_types_are_apart_on_the_way_and_one_in_the_end():
    """From 1.0 half leads to 0.5, from 1 to 0; both are found, and 1 is shown."""
    half = Project(
        Filter(Working("r", ("n",)), Call(">", (Column(0), Constant(0.6)))),
        (("n", Call("/", (Column(0), Constant(2)))),),
    )
    network = Network(Recursive(Scan("t", ("n",)), half, "r"), lambda table: ("n",), Meter())

    assert set(network.hydrate(lambda table: {"x": (1.0,), "y": (1,)}).values()) == {(1,), (0.5,), (0,)}
    assert sorted(network.advance({"t": [("y", (1,), None)]})) == [((0,), (0,), None), ((1,), (1,), (1.0,))]


def test_a_new_row_costs_what_follows_of_it():
    """Over a chain of 1,000 nodes: a leaf at its end costs a handful of steps, as does an edge that leads nowhere new."""
    chain = [(i, i + 1) for i in range(1_000)]
    graph = Graph(chain, starts=(0,))

    assert graph.move(add=[(1_000, 1_001)]) == ({1_001}, set())
    assert graph.work < 40
    assert graph.move(add=[(0, 500)]) == (set(), set())
    assert graph.work < 40


def test_a_deleted_row_costs_what_loses_its_support():
    """Of 1,000 nodes that all have a way of two steps, an edge beside it costs a handful of steps, whatever hangs on it."""
    hub = [(0, 1), *[(1, i) for i in range(2, 1_000)], *[(i, i + 1) for i in range(2, 999)]]
    graph = Graph(hub, starts=(0,))

    assert graph.move(drop=[(2, 3)]) == (set(), set())
    assert graph.work < 40
    assert graph.move(drop=[(1, 900)]) == (set(), set())  # 900 has a way left, by 899
    assert graph.work < 200


def test_random_graphs_with_circles():
    """Against a search from scratch, after each of many insertions and deletions."""
    for seed in range(12):
        random = Random(seed)
        nodes, edges = range(12), set()
        graph = Graph([], starts=(0, 1))
        for _ in range(150):
            add = {(random.choice(nodes), random.choice(nodes)) for _ in range(random.randint(0, 2))} - edges
            drop = set(random.sample(sorted(edges), min(len(edges), random.randint(0, 2))))
            graph.move(add=sorted(add), drop=sorted(drop))
            edges = (edges | add) - drop
            assert graph.value == searched(edges, {0, 1})


def searched(edges, starts):
    found, todo = set(), list(starts)
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo += [b for a, b in edges if a == node]
    return found


ENDLESS = "WITH RECURSIVE r AS (SELECT n FROM t UNION SELECT n + 1 FROM r) SELECT n FROM r"


def circuit():
    return Circuit(schemas=[Schema("t", {"id": "integer", "n": "integer"})])


@pytest.mark.parametrize("limit", ["MAX_ROUNDS", "MAX_ROWS"])
def test_a_recursion_without_an_end_fails_its_view_and_not_the_batch(limit, monkeypatch):
    monkeypatch.setattr(recursion, limit, 50)
    one = circuit()
    one.register("endless", ENDLESS)
    one.register("all", "SELECT n FROM t")
    commit = one.apply([create("t", 1, {"n": 1})])

    assert set(commit.failed) == {"endless"}
    assert isinstance(commit.failed["endless"], TooExpensive)
    assert "WHERE depth < 10" in str(commit.failed["endless"])
    assert one.view("all").rows() == [(1,)]
    with pytest.raises(TooExpensive):
        one.register("again", ENDLESS)
    assert "again" not in one.views
    one.apply([create("t", 2, {"n": 2})])
    assert len(one.view("all").rows()) == 2


def test_a_bounded_walk_counts_its_steps():
    one = Circuit(schemas=[Schema("edge", {"id": "integer", "a": "text", "b": "text"})])
    one.register(
        "near",
        "WITH RECURSIVE r (node, depth) AS (SELECT 'a', 0 UNION "
        "SELECT b, depth + 1 FROM r JOIN edge ON a = node WHERE depth < $most) "
        "SELECT node, min(depth) FROM r GROUP BY node",
        {"most": 2},
    )
    one.apply([upsert("edge", i, {"a": a, "b": b}) for i, (a, b) in enumerate(["ab", "bc", "cd", "ba"])])

    assert sorted(one.view("near").rows()) == [("a", 0), ("b", 1), ("c", 2)]
    one.apply([upsert("edge", 9, {"a": "a", "b": "c"}), delete("edge", 0)])
    assert sorted(one.view("near").rows()) == [("a", 0), ("c", 1), ("d", 2)]
    check_circuit(one)
