"""Rows routed by interest: whatever comes, moves, goes and fails, at any moment, circuits hold what their views need.

The law is asked after every step, with slices so small that every walk is interleaved with everything else.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore import Schema, delete, merge, upsert
from sspcore.errors import AlreadyExists, ChangeRejected
from sspcore.ingress import regions, walk
from sspcore.plugins import Plugins
from tests.ingress.house import House
from tests.profiles import scaled

SCHEMAS = [
    Schema("t", {"id": "integer", "owner": "text", "n": "integer"}),
    Schema("u", {"id": "integer", "owner": "text"}),
]
"""And `w`, an open table: its columns come with its rows."""
QUERIES = {
    "mine": "SELECT id, n FROM t WHERE owner = $o",
    "late": "SELECT id FROM t WHERE n > $n",
    "both": "SELECT id, n FROM t WHERE owner = $o AND n > $n",
    "all": "SELECT owner, count(*) AS c, sum(n) AS s FROM t GROUP BY owner",
    "best": "SELECT id, n FROM t WHERE owner = $o ORDER BY n DESC, id LIMIT 2",
    "join": "SELECT t.id, u.id AS other FROM t JOIN u ON u.owner = t.owner WHERE t.owner = $o",
    "left": "SELECT t.id, u.id AS other FROM t LEFT JOIN u ON u.id = t.n WHERE t.n > $n",
    "anti": "SELECT id FROM u WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.owner = u.owner AND t.n > $n)",
    "open": "SELECT id, x FROM w WHERE x > $n",
    "star": "SELECT * FROM w WHERE y = $o",
    "either": "SELECT id FROM t WHERE owner = $o UNION ALL SELECT id FROM w WHERE y = $o",
}
CIRCUITS = ("a", "b")
START = (
    ("register", "a", "mine", {"o": "x", "n": 1}), ("register", "a", "late", {"o": "x", "n": 1}), ("take", "a", 30),
)  # fmt: skip
"""How every script begins: most of what can go wrong needs two views on a table."""
OWNERS = ("x", "y", "z", None)
STRATEGIES = {
    "predicate": ("predicate", {}),
    "dependency": ("dependency", {}),
    "broadcast": ("broadcast", {}),
    "hybrid": ("hybrid", {"by": "predicate", "broadcast": ["u"]}),
    "in the shadow of another": ("shadow", {"a": "predicate", "b": "dependency"}),
}

circuits = st.sampled_from(CIRCUITS)
views = st.sampled_from(sorted(QUERIES))
owners = st.sampled_from(OWNERS)
small = st.integers(0, 4)
numbers = st.integers(0, 3)
params = st.fixed_dictionaries({"o": owners, "n": small})
changes = st.one_of(
    st.builds(lambda key, owner, n: upsert("t", key, {"owner": owner, "n": n}), small, owners, small),
    st.builds(lambda key, owner: upsert("u", key, {"owner": owner}), small, owners),
    st.builds(lambda key, n: upsert("w", key, {"x": n}), small, small),
    st.builds(lambda key, owner: merge("w", key, {"y": owner}), small, owners),
    st.builds(lambda table, key: delete(table, key), st.sampled_from(("t", "u", "w")), small),
    st.builds(lambda key, owner: merge("t", key, {"owner": owner}), small, owners),
)
steps = st.one_of(
    st.tuples(st.just("ingest"), st.lists(changes, min_size=1, max_size=4)),
    st.tuples(st.just("ingest"), st.lists(changes, min_size=1, max_size=4)),
    st.tuples(st.just("register"), circuits, views, params),
    st.tuples(st.just("register"), circuits, views, params),
    st.tuples(st.just("unregister"), circuits, numbers),
    st.tuples(st.just("rebind"), circuits, numbers, params, st.booleans()),
    st.tuples(st.just("rebind"), circuits, numbers, params, st.just(False)),
    st.tuples(st.just("take"), circuits, st.integers(1, 4)),
    st.tuples(st.just("take"), circuits, st.integers(1, 9)),
    st.tuples(st.just("take"), circuits, st.just(30)),
    st.tuples(st.just("lose"), circuits),
    st.tuples(st.just("come_back"), circuits),
    st.tuples(st.just("move"), circuits, st.booleans()),
    st.tuples(st.just("settle")),
)
scripts = st.lists(steps, min_size=5, max_size=40)


def rows(*owners, n=3):
    return ("ingest", [upsert("t", key, {"owner": owner, "n": n}) for key, owner in enumerate(owners)])


def ingest(*batch):
    return ("ingest", list(batch))


X, Y = {"o": "x", "n": 1}, {"o": "y", "n": 1}
STORIES = {
    "a view goes, and its rows change while they are taken back": (
        rows(*"yyyyy"), ("take", "a", 30), ("unregister", "a", 1), ingest(upsert("t", 0, {"owner": "y", "n": 4})),
        ingest(delete("t", 3)), ingest(upsert("t", 5, {"owner": "y", "n": 4})), ingest(merge("t", 2, {"owner": "x"})),
        ("take", "a", 2), ingest(merge("t", 4, {"n": 4})), ("take", "a", 30), ingest(merge("t", 0, {"n": 5})),
    ),
    "a view comes back while its rows are taken": (
        rows(*"yyyyy"), ("take", "a", 30), ("unregister", "a", 1), ("take", "a", 2), ("register", "a", "late", X),
        ingest(merge("t", 0, {"n": 4}), delete("t", 4)), ("take", "a", 5), ingest(merge("t", 1, {"n": 4})),
        ("take", "a", 30), ingest(merge("t", 0, {"n": 5}), merge("t", 2, {"n": 2})),
    ),
    "parameters move, and rows change meanwhile": (
        rows(*"yyxxy", n=0), ("take", "a", 30), ("rebind", "a", 0, Y, False), ingest(merge("t", 4, {"n": 1})),
        ("take", "a", 3), ingest(merge("t", 2, {"n": 1}), merge("t", 0, {"owner": "z"})), ("take", "a", 4),
        ingest(merge("t", 3, {"owner": "y"})), ("take", "a", 30), ingest(merge("t", 1, {"n": 1})),
    ),
    "parameters cannot move": (
        rows(*"yyxxy", n=0), ("take", "a", 30), ("rebind", "a", 0, Y, True), ("take", "a", 5),
        ingest(merge("t", 2, {"n": 1})), ("take", "a", 30), ingest(merge("t", 3, {"n": 1})),
    ),
    "a view comes late, and rows change while they are brought": (
        rows(*"yyyyy"), ("register", "b", "late", X), ("take", "b", 3), ingest(merge("t", 4, {"n": 4}), delete("t", 3)),
        ingest(merge("t", 0, {"n": 4})), ("take", "b", 30),
    ),
    "a second view comes before the rows of the first are there": (
        rows(*"yxyxy"), ("register", "b", "late", X), ("register", "b", "mine", X), ("take", "b", 4),
        ("register", "b", "best", Y), ("take", "b", 30),
    ),
    "a failure, then another view": (
        rows(*"yxyxy", n=0), ("take", "a", 30), ("lose", "a"), ingest(merge("t", 1, {"n": 1})), ("come_back", "a"),
        ("register", "a", "best", Y), ("take", "a", 30), ingest(merge("t", 0, {"n": 1})),
    ),
    "columns come with the rows": (
        ("register", "a", "open", X), ("take", "a", 30), ingest(merge("w", 0, {"y": "x"}), merge("w", 1, {"y": "x"})),
        ingest(upsert("w", 2, {"x": 4}), upsert("w", 3, {"x": 0})), ("take", "a", 2), ingest(upsert("w", 0, {"x": 3})),
    ),
    "one table goes at once, the other's rows in slices": (
        rows(*"yyyyy"), ("register", "a", "either", Y), ("take", "a", 30), ("unregister", "a", 2),
        ingest(upsert("w", 1, {"y": "y"})), ("take", "a", 30),
    ),
    "two views with one interest, and one goes": (
        rows(*"yxyxy", n=0), ("register", "a", "best", X), ("take", "a", 30), ("unregister", "a", 0), ("take", "a", 30),
        ingest(merge("t", 1, {"n": 1})),
    ),
}  # fmt: skip


def needed(view, given):
    return {name: given[name] for name in ("o", "n") if f"${name}" in QUERIES[view]}


class Script:
    """Does a step where it makes sense."""

    def __init__(self, strategy):
        self.house = House(strategy, SCHEMAS)
        for name in CIRCUITS:
            self.house.create(name)

    def do(self, event, *args):
        house = self.house
        if event == "settle":
            house.settle()
            house.right()
        elif event == "ingest":
            with suppress(ChangeRejected):
                house.ingest(*args[0])
        elif event == "move":
            (house.destroy if args[0] in house.lanes else house.create)(args[0])
        elif args[0] in house.lanes:
            getattr(self, f"_{event}")(*args)
        house.law()

    def _register(self, circuit, view, given):
        with suppress(AlreadyExists):
            self.house.register(circuit, view, QUERIES[view], needed(view, given))

    def _unregister(self, circuit, number):
        found = list(self.house.lanes[circuit].views)
        if found:
            self.house.unregister(circuit, found[number % len(found)])

    def _rebind(self, circuit, number, given, fails):
        views = self.house.lanes[circuit].views
        found = [view for view, held in views.items() if held.live and not held.busy and needed(view, given)]
        if found:
            view = found[number % len(found)]
            self.house.rebind(circuit, view, needed(view, given), fails)

    def _take(self, circuit, most):
        self.house.take(circuit, most)

    def _lose(self, circuit):
        if self.house.lanes[circuit].running:
            self.house.lose(circuit)

    def _come_back(self, circuit):
        if not self.house.lanes[circuit].running:
            self.house.come_back(circuit)


def run(strategy, script, slice, large=4_096):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "SLICE", slice)
        patch.setattr(regions, "LARGE", large)
        story = Script(strategy)
        for step in (*START, *script):
            story.do(*((step,) if isinstance(step, str) else step))
        story.do("settle")
    return story.house


@pytest.mark.parametrize("name", STRATEGIES)
@scaled(3)
@given(script=scripts, slice=st.sampled_from((1, 2, 3, 512)), large=st.sampled_from((0, 3, 4_096)))
def test_circuits_hold_what_their_views_need_whatever_happens(name, script, slice, large):
    """T43, T44, T58: rows that leave, views that come late, views that come back. Large tables have indexes."""
    strategy, options = STRATEGIES[name]
    house = run(Plugins().strategy(strategy, options), script, slice, large)
    for name in list(house.lanes):
        house.destroy(name)
    assert not house.base.regions._asked and not house.base.regions._kept
    assert not any(table.arrangements for table in house.base.tables.values())


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
@pytest.mark.parametrize(("slice", "large"), [(1, 4_096), (2, 4_096), (512, 4_096), (1, 0), (2, 3)])
def test_stories(name, story, slice, large):
    """T43, T44, T58, step by step."""
    strategy, options = STRATEGIES[name]
    run(Plugins().strategy(strategy, options), story, slice, large)
