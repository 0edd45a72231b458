"""A change that stands alone goes through generated code where there is some, and means there what it means anywhere.

Two circuits take the same changes one by one. One has code generated for its tables at the first opportunity, the other
never: whatever can be seen of them is the same, also where views come, go, move, wait or fail, and where an interrupt
strikes.
"""

from contextlib import contextmanager
from random import Random

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from sspcore.engine import fused
from sspcore.engine.change import delete, merge, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.emit.alone import AloneWriter
from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema
from sspcore.errors import ChangeRejected, SspError
from sspcore.testing.oracle import check_circuit
from sspcore.testing.strategies import changes, rows, scenarios
from tests.laws.faults import Bug, Interrupt, Stop, break_for_good, break_steps
from tests.laws.world import state
from tests.profiles import scaled


class Never(dict):
    """Where a circuit keeps its generated functions, if it may not have any."""

    def __setitem__(self, name, function):
        pass


@contextmanager
def at_once():
    """Code is generated at the first plain change, and again at the first after readers have come or gone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused, "PATIENCE", 1)
        yield patch


class Pair:
    """A circuit with generated functions, and one without; `taken` counts the changes that such a function took."""

    def __init__(self, schemas, **options):
        self.fused = Circuit(schemas=schemas, options=CircuitOptions(**options))
        self.plain = Circuit(schemas=schemas, options=CircuitOptions(**options))
        self.plain._alone = Never()
        self.taken = 0

    def both(self, act):
        """Have both do something; what they say of it is the same."""
        found = []
        for circuit in (self.fused, self.plain):
            try:
                found.append(exact(act(circuit)))
            except SspError as error:
                found.append((type(error), error.message))
        assert found[0] == found[1]
        self.check()

    def apply(self, change):
        before = self.fused._alone.get(change.table) if type(change.table) is str else None
        self.both(lambda circuit: outcome(circuit, [change]))
        self.taken += before is not None and self.fused._alone.get(change.table) is before

    def check(self):
        assert exact(state(self.fused)) == exact(state(self.plain))
        for view_id in self.fused.views:
            one, other = self.fused.views[view_id], self.plain.views[view_id]
            assert exact(one.statistics) == exact(other.statistics)
            assert one.dirty == other.dirty
            if not one.dirty:
                assert exact(shown(one)) == exact(shown(other))

    def judge(self):
        """What generated code keeps is what the oracle makes of the tables; it does not know digests."""
        for view_id in [view_id for view_id, view in self.fused.views.items() if view.format == "ids"]:
            self.both(lambda circuit, view_id=view_id: circuit.unregister(view_id))
        check_circuit(self.fused)


def outcome(circuit, batch):
    """What a reader or a producer is told."""
    try:
        commit = circuit.apply(batch)
    except ChangeRejected as error:
        return "refused", error.message, error.hint, error.index
    return commit.version, sorted(commit.updates.items()), sorted(commit.failed), commit.stats


def exact(value):
    """A text that tells 1 from 1.0 and True, and NaN from nothing."""
    return repr(value)


def shown(view):
    pairs = list(zip(view.keys(), view.rows(), strict=True))
    return pairs if view.ordered else sorted(map(repr, pairs))


FORMATS = ({}, {}, {}, {"lazy": True}, {"digest": True}, {"format": "ids"}, {"format": "tree"})


@scaled(1.5)
@given(scenarios(views=3, batches=4), st.data())
def test_generated_code_does_what_the_plain_way_does(scenario, data):
    """Random tables, views and changes, one by one; views come, go and take other parameters in between."""
    with at_once():
        pair = Pair(scenario.schemas)
        free = list(scenario.views)

        def register():
            view_id, options = free.pop(), data.draw(st.sampled_from(FORMATS), label="options")
            view = scenario.views[view_id]
            pair.both(lambda circuit: circuit.register(view_id, view.plan, view.params, **options))

        def unregister():
            view_id = data.draw(st.sampled_from(sorted(pair.fused.views)), label="view")
            pair.both(lambda circuit: circuit.unregister(view_id))
            free.append(view_id)

        while len(free) > 1:
            register()
        flat = [change for batch in scenario.history for change in batch]
        tables = {schema.table: schema for schema in scenario.schemas}
        for change in flat:
            match data.draw(st.sampled_from(["change"] * 6 + ["upsert"] * 12 + ["register", "unregister", "garbage"])):
                case "change":
                    pair.apply(change)
                case "upsert":
                    schema = tables[data.draw(st.sampled_from(sorted(tables)), label="table")]
                    held = sorted(pair.fused.tables[schema.table].rows, key=repr)
                    if held:
                        key = data.draw(st.sampled_from(held), label="id")
                        row = data.draw(rows(schema), label="row")
                        pair.apply(upsert(schema.table, key, row))
                case "garbage":
                    pair.apply(data.draw(changes(min(tables))))
                case "register" if free:
                    register()
                case "unregister" if pair.fused.views:
                    unregister()
        pair.judge()
        event(f"taken by generated code: {min(pair.taken, 20) // 5 * 5} or more")


SCHEMA = Schema("a", {"u": "integer", "v": "real", "w": "text", "x": "any"})
QUERIES = {
    "all": "SELECT * FROM a",
    "some": "SELECT id, v FROM a WHERE u > $least AND w <> 'q'",
    "named": "SELECT * FROM a WHERE w = $w",
    "mixed": "SELECT x, u FROM a WHERE x > 1 OR v / u > 1",
    "groups": "SELECT w, count(*) AS n, sum(v) AS v, max(x) AS x FROM a WHERE u > 0 GROUP BY w",
    "whole": "SELECT count(*) AS n, sum(u) AS u FROM a",
    "top": "SELECT id, v FROM a WHERE u < 8 ORDER BY v DESC, id LIMIT 3",
    "joined": "SELECT a.id, b.name FROM a JOIN b ON a.w = b.id",
    "without": "SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.id = a.w)",
    "kinds": "SELECT DISTINCT w FROM a",
}
PARAMS = {"some": {"least": 3}, "named": {"w": "p"}}


def plain_row(random):
    return {
        "u": random.randrange(10), "v": random.choice((0.5, 1.5, -0.0, 7.25)), "w": random.choice("pqr"),
        "x": random.choice((1, 2, 2.0, "t", None, True)),
    }  # fmt: skip


def history(seed, count=120):
    random = Random(seed)
    for _ in range(count):
        key, row = random.randrange(6), plain_row(random)
        form = random.randrange(10)
        if form == 0:
            yield delete("a", key)
        elif form == 1:
            yield merge("a", key, {"v": row["v"]})
        elif form == 2:
            yield upsert("b", row["w"], {"name": random.choice(("n", "m"))})
        elif form == 3:
            yield upsert("a", key, (key, *row.values()))
        elif form == 4:
            yield upsert("a", key, {"id": key, **row})
        else:
            yield upsert("a", key, row)


def registered(pair, *view_ids, many=0):
    for view_id in view_ids:
        pair.both(lambda circuit, v=view_id: circuit.register(v, QUERIES[v], PARAMS.get(v)))
    for n in range(many):
        pair.both(lambda circuit, n=n: circuit.register(f"keyed{n}", QUERIES["some"], {"least": n}))
        pair.both(lambda circuit, n=n: circuit.register(f"named{n}", QUERIES["named"], {"w": chr(ord("p") + n)}))


GROUPS = [[view_id] for view_id in QUERIES] + [list(QUERIES), ["all", "some", "named", "mixed"], ["top", "groups"]]


@pytest.mark.parametrize("view_ids", GROUPS, ids="+".join)
@pytest.mark.parametrize("many", [0, 12])
def test_every_kind_of_view_is_told_the_same(view_ids, many):
    """One kind of reader alone, all together, and many: most changes are taken by generated code, and all alike."""
    with at_once():
        pair = Pair([SCHEMA, Schema("b", {"name": "text"})])
        registered(pair, *view_ids, many=many)
        for change in history(len(view_ids)):
            pair.apply(change)
        pair.judge()
        assert pair.taken > 30


KIN = {
    "rows": ("SELECT * FROM a WHERE w = $c", ("p", "q", "s", "pp", None, 1, "", "x", "y", "z")),
    "columns": ("SELECT id, v FROM a WHERE $c = w", ("p", "r", "q", "pp", None, 1, "", "x", "y", "z")),
    "any column": ("SELECT x, id FROM a WHERE u = $c", (1, 1.0, 2, True, 3, "3", None, 5, 6, 7.0, 8, 9.5, 10)),
    "a computed one": ("SELECT u + 1 AS v FROM a WHERE u = $c", range(12)),
    "of any class": ("SELECT id FROM a WHERE x = $c", (1, 1.0, 2, True, "t", "3", None, 5, 6, 7.0, 8, 9.5, 10)),
    "more than that": ("SELECT id FROM a WHERE u = $c AND v > 1", range(12)),
    "a choice": ("SELECT id FROM a WHERE coalesce(u = $c, FALSE)", range(12)),
}


def kin(pair, form):
    """Views of one form, each asking for one value: where that is all, code is generated for them all."""
    sql, constants = KIN[form]
    for n, constant in enumerate(constants):
        pair.both(lambda circuit, n=n, c=constant: circuit.register(f"v{n}", sql, {"c": c}))
    pair.both(lambda circuit: circuit.register("again", sql, {"c": constants[0]}, digest=True))


@pytest.mark.parametrize("form", KIN)
def test_readers_of_one_form_are_told_the_same(form):
    with at_once():
        pair = Pair([SCHEMA, Schema("b", {"name": "text"})])
        kin(pair, form)
        for at, change in enumerate(history(9)):
            pair.apply(change)
            if at == 60:
                pair.both(lambda circuit: circuit.rebind("v1", {"c": KIN[form][1][-1]}))
            if at == 90:
                pair.both(lambda circuit: circuit.unregister("v2"))
        pair.judge()
        assert pair.taken > 30


def test_two_views_of_one_query_move_alike_and_each_in_its_format():
    with at_once():
        pair = Pair([SCHEMA])
        for n, options in enumerate(FORMATS):
            pair.both(lambda c, n=n, o=options: c.register(f"v{n}", QUERIES["some"], {"least": 3}, **o))
        for at, change in enumerate(history(3)):
            if change.table == "a":
                pair.apply(change)
            if at == 50:
                pair.both(lambda circuit: circuit.unregister("v1"))
            if at % 20 == 0:
                pair.both(lambda circuit: [circuit.rows(view_id) for view_id in circuit.views if view_id != "v5"])
        pair.judge()
        assert pair.taken > 30


def test_views_move_and_code_moves_with_them():
    """Other parameters, a table that widens, an index that a view brings or takes along: nothing is out of date."""
    with at_once():
        pair = Pair([])
        pair.both(lambda circuit: circuit.apply([upsert("a", n, plain_row(Random(n))) for n in range(4)]))
        registered(pair, "all", "some", "named")
        acts = {
            20: lambda circuit: circuit.rebind("some", {"least": 6}),
            30: lambda circuit: circuit.rebind("named", {"w": "q"}),
            40: lambda circuit: circuit.register("joined", QUERIES["joined"]),
            50: lambda circuit: circuit.apply([upsert("a", 1, {"u": 1, "y": 5})]),
            60: lambda circuit: circuit.unregister("joined"),
            70: lambda circuit: circuit.register("late", "SELECT id, y FROM a WHERE y = 5"),
            80: lambda circuit: circuit.unregister("all"),
        }
        for at, change in enumerate(history(4)):
            pair.apply(change)
            if at in acts:
                pair.both(acts[at])
        pair.judge()
        assert pair.taken > 20


def test_a_table_made_anew_is_the_one_that_is_written():
    with at_once():
        pair = Pair([SCHEMA])
        for _ in range(2):
            registered(pair, "all")
            for change in history(5, 40):
                if change.table == "a":
                    pair.apply(change)
            pair.both(lambda circuit: circuit.unregister("all"))
            pair.both(lambda circuit: circuit.drop_table("a"))
            pair.both(lambda circuit: circuit.create_table(SCHEMA))
        assert pair.taken > 10


# Faults


def warm(pair, *view_ids, many=0):
    """Rows, views and a generated function that has taken a change."""
    registered(pair, *view_ids, many=many)
    for n in range(12):
        pair.apply(upsert("a", n % 6, {"u": n, "v": n / 2, "w": "pqr"[n % 3], "x": n}))
    assert pair.taken


@pytest.mark.parametrize("form", ["few", "many", "rows", "columns"])
def test_an_interrupt_at_any_line_is_undone(form):
    """Of generated code: the circuit is as before, its readers too, and goes on."""
    with at_once():
        pair = Pair([SCHEMA, Schema("b", {"name": "text"})])
        if form in KIN:
            kin(pair, form)
            warm(pair)
        else:
            warm(pair, *QUERIES, many=12 * (form == "many"))
        change = upsert("a", 2, {"u": 8, "v": 20.25, "w": "q", "x": 3})
        struck = set()
        for at in range(1000):
            for n in (at, at + 1, at + 2):  # views are hydrated again, and code is generated for them
                between = [upsert("a", n % 6, {"u": n % 9, "v": n / 2, "w": "pqr"[n % 3], "x": n})]
                told = [exact(outcome(circuit, between)[:3]) for circuit in (pair.fused, pair.plain)]
                assert told[0] == told[1]
            before, version = exact(state(pair.fused)), pair.fused.version
            assert "a" in pair.fused._alone
            try:
                with Interrupt(at, under=(), generated=True):
                    pair.fused.apply([change])
            except Stop as stop:
                place = str(stop)
            else:
                break
            struck.add(place.split(":")[0])
            if pair.fused.version > version:
                break  # past the point of no return it is wholly applied
            assert exact(state(pair.fused)) == before, place
            for view_id in pair.plain.views if at % 2 else ():  # else the next change finds them as they were left
                assert exact(shown(pair.fused.view(view_id))) == exact(shown(pair.plain.view(view_id))), place
        pair.plain.apply([change])
        assert exact(state(pair.fused)) == exact(state(pair.plain))
        pair.judge()
        assert "make.<locals>.alone" in struck and at > 20


@pytest.mark.parametrize("broken", list(QUERIES))
@pytest.mark.parametrize("many", [0, 12])
def test_a_view_that_raises_is_computed_anew_and_told_the_same(broken, many):
    with at_once():
        pair = Pair([SCHEMA, Schema("b", {"name": "text"})])
        warm(pair, "all", "groups", *({broken} - {"all", "groups"}), many=many)
        for circuit in (pair.fused, pair.plain):
            break_steps(circuit.views[broken].materialisation)
        for change in history(6, 30):
            pair.apply(change)
        pair.judge()


class Full(dict):
    """A value that takes no rows."""

    def __setitem__(self, key, row):
        raise Bug("planted in a value")

    __delitem__ = __setitem__


@pytest.mark.parametrize("for_good", [False, True])
@pytest.mark.parametrize("many", [0, 12])
def test_a_value_that_raises_costs_its_view_alone(many, for_good):
    """Where the rows are written in generated code: computed anew, or failed and dropped if that raises too."""
    with at_once() as patch:
        pair = Pair([SCHEMA])
        warm(pair, "all", "some", "groups", many=many)
        for circuit in (pair.fused, pair.plain):
            kept = circuit.views["some"].materialisation
            kept.value = Full(kept.value)
        if for_good:
            real = type(kept).hydrate
            doomed = [circuit.views["some"].materialisation for circuit in (pair.fused, pair.plain)]

            def hydrate(self, tables):
                if any(self is kept for kept in doomed):
                    raise Bug("planted in hydrate")
                real(self, tables)

            patch.setattr(type(kept), "hydrate", hydrate)
        pair.apply(upsert("a", 1, {"u": 9, "v": 77.5, "w": "p", "x": 3}))
        assert ("some" in pair.fused.failed) == for_good
        for change in history(7, 40):
            if change.table == "a":
                pair.apply(change)
        pair.judge()


@pytest.mark.parametrize("form", ["rows", "columns"])
def test_a_value_of_one_form_that_raises_costs_its_view_alone(form):
    with at_once():
        pair = Pair([SCHEMA])
        kin(pair, form)
        warm(pair)
        for change in history(10, 60):
            if change.table == "a":
                for circuit in (pair.fused, pair.plain):
                    kept = circuit.views["v0"].materialisation
                    kept.value = Full(kept.value)
                pair.apply(change)
        pair.judge()
        assert pair.taken > 30 and pair.fused.views["v0"].statistics.rehydrates > 5


def test_a_view_that_fails_for_good_leaves_the_others_to_generated_code():
    with at_once() as patch:
        pair = Pair([SCHEMA])
        warm(pair, "all", "groups", "top")
        for circuit in (pair.fused, pair.plain):
            break_for_good(circuit.views["groups"].materialisation, patch)
        pair.apply(upsert("a", 1, {"u": 9, "v": 77.5, "w": "p", "x": 3}))
        assert list(pair.fused.failed) == ["groups"]
        for change in history(8, 60):
            if change.table == "a":
                pair.apply(change)
        pair.judge()


# When


def test_code_is_generated_once_readers_have_stayed_for_a_while():
    """Never while views are registered; after that many changes once, and known text is not compiled again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused, "PATIENCE", 20)
        built = []
        real = AloneWriter.build
        patch.setattr(AloneWriter, "build", lambda self: built.append(1) or real(self))
        circuit = Circuit(schemas=[SCHEMA])
        for n in range(30):
            circuit.register(f"v{n}", QUERIES["some"], {"least": n})
            circuit.apply([upsert("a", 1, {"u": n, "v": 1.5, "w": "p", "x": 1})])
        assert not built
        for n in range(100):
            circuit.apply([upsert("a", 1, {"u": n, "v": 1.5, "w": "p", "x": 1})])
        assert len(built) == 1 and list(circuit._alone) == ["a"]
        circuit.unregister("v0")
        circuit.apply([upsert("a", 1, {"u": 0, "v": 1.5, "w": "p", "x": 1})])
        assert not circuit._alone


def test_a_change_that_changes_nothing_makes_no_version():
    with at_once():
        pair = Pair([SCHEMA])
        warm(pair, "all")
        version = pair.fused.version
        for _ in range(3):
            pair.apply(upsert("a", 1, {"u": 7, "v": 3.5, "w": "q", "x": 7}))
        assert pair.fused.version == version
        assert pair.fused.apply([upsert("a", 1, {"u": 7, "v": 3.5, "w": "q", "x": 7})]).stats.no_ops == 1


def test_the_function_in_use_is_explained_with_the_views_that_it_tells():
    with at_once():
        circuit = Circuit(schemas=[SCHEMA])
        circuit.register("least\nof all", QUERIES["some"], {"least": 3})
        heading = "# One change of a alone"
        assert heading not in str(circuit.explain("least\nof all", code=True))
        for n in range(40):
            circuit.apply([upsert("a", 1, {"u": n, "v": 1.5, "w": "p", "x": 1})])
        text = str(circuit.explain("least\nof all", code=True))
        assert text.count(heading) == 1 and "def alone(change):" in text and "# least of all\n" in text
        assert heading not in str(circuit.explain("least\nof all")) + str(circuit.explain(QUERIES["some"], code=True))
        circuit.register("more", QUERIES["some"], {"least": 4})  # what is out of date is not shown
        assert heading not in str(circuit.explain("more", code=True))
