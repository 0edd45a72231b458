"""Moving parameters and time: the value is that of a view registered anew, and the update is the difference."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.engine.change import delete, upsert
from sspcore.engine.circuit import Circuit
from sspcore.engine.options import CircuitOptions
from sspcore.engine.schema import Schema
from sspcore.errors import UsageError
from sspcore.plan.expressions import NOW
from sspcore.testing.generate.values import DOMAINS, MIXED
from sspcore.testing.oracle import Mirror, check_circuit
from sspcore.testing.strategies import scenarios
from tests.laws.faults import Bug, Interrupt, Stop
from tests.laws.test_rollback import attempts
from tests.laws.world import World, seeded, state, values
from tests.profiles import scaled

MODES = pytest.mark.parametrize("execution", ["operators", "compiled"])


def other_value(random, old):
    if type(old) is int and random.random() < 0.7:
        return random.choice([0, 1, 2, 3, 10])
    for domain in DOMAINS.values():
        if any(type(old) is type(value) for value in domain) and random.random() < 0.8:
            return random.choice(domain)
    return random.choice((None, *MIXED))


def other_params(random, view):
    """Some of a view's parameters with other values, those of LIMIT and OFFSET counts still."""
    moved = {}
    for name, old in view.params.items():
        if random.random() < 0.7:
            moved[name] = (
                random.choice([None, 0, 1, 2, 5]) if name in view.template.counts else other_value(random, old)
            )
    return moved


def rebind(world, view_id, params):
    version = world.circuit.version
    try:
        update = world.circuit.rebind(view_id, params)
    except UsageError:  # such as an OFFSET of NULL
        return
    if update.changes or update.placed:
        assert world.circuit.version == version + 1 == update.version
        world.mirrors[view_id].apply(update)
    else:
        assert world.circuit.version == version
    world.check()


@MODES
@scaled(0.2)
@given(scenario=scenarios(views=3, batches=5), random=st.randoms(use_true_random=False))
def test_rebind_is_registering_anew(execution, scenario, random):
    """For random plans, histories and parameters; views are shared, parted and joined on the way, also restored ones."""
    world = World(scenario, execution=execution)
    for number, batch in enumerate(scenario.history):
        world.apply(batch)
        for view_id in scenario.views:
            rebind(world, view_id, other_params(random, world.circuit.view(view_id)))
        if number == 3:
            world = world.restored()


T0 = datetime(2013, 6, 24, 12, tzinfo=UTC)
TRIPS = Schema("trips", {"id": "integer", "at": "timestamp", "owner": "integer", "size": "any", "k": "integer"})
NOTES = Schema("notes", {"id": "integer", "k": "integer", "till": "timestamp"})
RANGES = {
    "range": "SELECT * FROM trips WHERE size BETWEEN $a AND $b",
    "equal": "SELECT id, size FROM trips WHERE owner = $a AND id <> $b",
    "both": "SELECT id FROM trips WHERE owner = $a AND size > $b",
    "among": "SELECT id FROM trips WHERE owner IN ($a, $b)",
    "grouped": "SELECT owner, count(*) AS n, sum(size) AS s FROM trips WHERE size >= $a GROUP BY owner HAVING owner <> $b",
    "joined": "SELECT t.id, n.id AS note FROM trips t JOIN notes n ON t.k = n.k WHERE t.size < $a AND n.id > $b",
    "left": "SELECT t.id, n.id AS note FROM trips t LEFT JOIN notes n ON t.k = n.k AND n.id < $a WHERE t.owner = $b",
    "top": "SELECT id, size FROM trips WHERE size > $a AND owner < $b ORDER BY size DESC, id LIMIT 3",
    "column": "SELECT id, size + $a AS more FROM trips WHERE owner = $b",
    "either": "SELECT id FROM trips WHERE owner = $a OR size > $b",
    "distinct": "SELECT DISTINCT k FROM trips WHERE size > $a AND k <> $b",
    "exists": "SELECT id FROM trips t WHERE size > $a AND EXISTS (SELECT 1 FROM notes n WHERE n.k = t.k AND n.id > $b)",
    "never": "SELECT id FROM loose WHERE missing = $a AND missing > $b",
}
CLOCKS = {
    "window": "SELECT id, at FROM trips WHERE at > $now - interval '5 minutes' AND at <= $now",
    "mine": "SELECT id FROM trips WHERE owner = $o AND at > $now - interval '5 minutes'",
    "count": "SELECT owner, count(*) AS n, max(at) AS last FROM trips WHERE at <= $now GROUP BY owner",
    "latest": "SELECT id, at FROM trips WHERE at <= $now ORDER BY at DESC, id LIMIT 3",
    "open": "SELECT t.id, n.id AS note FROM trips t JOIN notes n ON t.k = n.k WHERE n.till > $now",
    "two": "SELECT t.id, n.id AS note FROM trips t JOIN notes n ON t.k = n.k WHERE n.till > $now AND t.at <= $now",
    "clock": "SELECT id, $now AS time FROM trips WHERE owner = $o",
    "late": "SELECT id FROM trips WHERE at + interval '1 minute' < $now",
}


def trip(random):
    size = random.choice([random.randrange(20), float(random.randrange(20)), None, "a", True, random.random() * 20])
    row = {"at": T0 + timedelta(seconds=random.randrange(1200)), "owner": random.randrange(5), "size": size,
           "k": random.randrange(4)}  # fmt: skip
    return row if random.random() < 0.9 else row | {"at": None, "k": None}


def changes(random, count):
    batch = []
    for _ in range(count):
        number = random.randrange(40)
        if random.random() < 0.25:
            batch.append(delete("trips", number) if random.random() < 0.7 else delete("notes", number % 10))
        elif random.random() < 0.75:
            batch.append(upsert("trips", number, trip(random)))
        else:
            till = T0 + timedelta(seconds=random.randrange(1200))
            batch.append(upsert("notes", number % 10, {"k": random.randrange(4), "till": till}))
    return batch


def follow(circuit, mirrors, commit):
    assert not commit.failed, commit.failed
    for view_id, update in commit.updates.items():
        mirrors[view_id].apply(update)
    check_circuit(circuit)
    for view_id, mirror in mirrors.items():
        view = circuit.view(view_id)
        assert mirror.held == dict(zip(view.keys(), view.rows(), strict=True)), view_id
        assert not view.ordered or mirror.keys == view.keys()


@MODES
@scaled(0.1)
@given(seed=st.integers(0, 10**6))
def test_every_kind_of_query_moves_by_its_parameters(execution, seed):
    random = Random(seed)
    circuit = Circuit(schemas=[TRIPS, NOTES], options=CircuitOptions(execution=execution))
    circuit.apply(changes(random, 60))
    mirrors = {}
    for view_id, sql in RANGES.items():
        for copy in range(3):
            mirrors[f"{view_id}-{copy}"] = Mirror(
                circuit.register(f"{view_id}-{copy}", sql, {"a": copy, "b": 10 - copy})
            )
    for step in range(20):
        for _ in range(4):
            view_id = random.choice(list(mirrors))
            params = {name: random.choice([None, "a", 2.5, *range(12)]) for name in random.choice(["a", "b", "ab"])}
            update = circuit.rebind(view_id, params)
            if update.changes or update.placed:
                mirrors[view_id].apply(update)
        follow(circuit, mirrors, circuit.apply(changes(random, random.choice([1, 5]))))
        if step == 12:
            circuit = Circuit.restore(circuit.image())


@MODES
@scaled(0.1)
@given(seed=st.integers(0, 10**6))
def test_time_moves_every_view_that_tells_it(execution, seed):
    """`advance` equals registering anew at that time; between two times, changes are judged by the last one told."""
    random = Random(seed)
    circuit = Circuit(schemas=[TRIPS, NOTES], options=CircuitOptions(execution=execution))
    circuit.apply(changes(random, 60))
    mirrors = {}
    for view_id, sql in CLOCKS.items():
        for copy in range(10 if "$o" in sql else 2):
            name, params = f"{view_id}-{copy}", {"o": copy % 5} if "$o" in sql else None
            mirrors[name] = Mirror(circuit.register(name, sql, params))
    mirrors["inlined"] = Mirror(circuit.register("inlined", 'SELECT count(*) AS n FROM "window-0"'))
    now = T0
    for step in range(20):
        now += timedelta(seconds=random.choice([1, 10, 120]))
        follow(circuit, mirrors, circuit.advance(now))
        follow(circuit, mirrors, circuit.apply(changes(random, random.choice([1, 5]))))
        if step == 12:
            circuit = Circuit.restore(circuit.image())
            assert circuit.now == now


def test_time_moves_without_a_look_at_the_rows_that_stay():
    """A thousand sliding windows over ten thousand rows: what is read is what crosses."""
    circuit = Circuit(schemas=[TRIPS])
    rows = [upsert("trips", n, {"at": T0 + timedelta(seconds=n), "owner": n % 1000}) for n in range(10_000)]
    circuit.apply(rows)
    circuit.advance(T0 + timedelta(seconds=5_000))
    for owner in range(1000):
        circuit.register(f"w{owner}", CLOCKS["mine"], {"o": owner})
    circuit.advance(T0 + timedelta(seconds=5_001))
    before = {view_id: view.statistics for view_id, view in circuit.views.items()}
    commit = circuit.advance(T0 + timedelta(seconds=5_004))
    crossed = [view_id for view_id, update in commit.updates.items() if update.changes]
    assert len(crossed) == 3
    for view_id, view in circuit.views.items():
        after, earlier = view.statistics, before[view_id]
        assert after.rehydrates == 0
        assert (after.rows_touched, after.probes) == (earlier.rows_touched, earlier.probes) or view_id in crossed


def test_a_range_moves_without_a_look_at_the_rows_that_stay():
    circuit = Circuit(schemas=[TRIPS])
    circuit.apply([upsert("trips", n, {"size": n}) for n in range(10_000)])
    circuit.register("range", RANGES["range"], {"a": 1_000, "b": 2_000})
    circuit.rebind("range", {"a": 1_010, "b": 2_010})
    before = circuit.view("range").statistics
    update = circuit.rebind("range", {"a": 1_020, "b": 2_020})
    after = circuit.view("range").statistics
    assert len(update.changes) == 20
    assert after.rehydrates == before.rehydrates == 0
    assert after.rows_touched - before.rows_touched <= 2 * 20 + 2


def test_indexes_that_parameters_moved_by_go_with_the_views():
    circuit = Circuit(schemas=[TRIPS])
    circuit.apply([upsert("trips", n, {"size": n, "owner": n}) for n in range(100)])
    for view_id in ("range", "equal"):
        circuit.register(view_id, RANGES[view_id], {"a": 1, "b": 50})
        circuit.rebind(view_id, {"a": 2})
    assert circuit.tables["trips"].arrangements
    for view_id in ("range", "equal"):
        circuit.unregister(view_id)
    assert not circuit.tables["trips"].arrangements


@pytest.mark.parametrize("seed", [1, 2, 5, 9])
def test_a_move_interrupted_at_any_line_is_undone(seed):
    scenario = seeded(seed, views=3, batches=1, size=4)
    world, random = World(scenario), Random(seed)
    world.apply(scenario.history[0])
    for number, view_id in enumerate(scenario.views):
        params = other_params(random, world.circuit.view(view_id))
        interrupted(world.circuit, lambda view_id=view_id, params=params: world.circuit.rebind(view_id, params), number)


@MODES
def test_time_interrupted_at_any_line_did_not_pass(execution):
    random = Random(7)
    circuit = Circuit(schemas=[TRIPS, NOTES], options=CircuitOptions(execution=execution))
    circuit.apply(changes(random, 30))
    for view_id, sql in CLOCKS.items():
        circuit.register(view_id, sql, {"o": 2} if "$o" in sql else None)
    for minute in range(1, 4):
        now = T0 + timedelta(minutes=minute)
        interrupted(circuit, lambda now=now: circuit.advance(now), minute)


def interrupted(circuit, move, number):
    before, shown, told = state(circuit), values(circuit), circuit.now
    for at in attempts(number):
        place = None
        try:
            with Interrupt(at):
                move()
        except UsageError:
            return
        except Stop as stop:
            place = str(stop)
        if place is None or circuit.version != before[0] or circuit.now != told:
            check_circuit(circuit)
            return
        assert state(circuit) == before, place
        assert values(circuit) == shown, place
        check_circuit(circuit)


def test_a_bug_at_any_line_of_an_operator_as_time_passes_costs_one_hydration():
    for at in attempts(0):
        circuit = Circuit(schemas=[TRIPS, NOTES], options=CircuitOptions(execution="operators"))
        circuit.apply(changes(Random(3), 40))
        mirrors = {
            view_id: Mirror(circuit.register(view_id, CLOCKS[view_id], {"o": 2} if view_id == "mine" else None))
            for view_id in ("window", "mine", "count", "latest")  # those that move by the rows that cross
        }
        with Interrupt(at, Bug, under=("engine/operators",)) as interrupt:
            commit = circuit.advance(T0 + timedelta(minutes=9))
        follow(circuit, mirrors, commit)
        if not interrupt.fired:
            return


def test_time_is_the_circuits_alone_and_goes_forward():
    circuit = Circuit(schemas=[TRIPS])
    with pytest.raises(UsageError, match="the circuit tells the time"):
        circuit.register("v", CLOCKS["window"], {NOW: T0})
    circuit.register("v", CLOCKS["window"])
    with pytest.raises(UsageError, match="circuit's to tell"):
        circuit.rebind("v", {NOW: T0})
    with pytest.raises(UsageError, match="a timestamp, not 5"):
        circuit.advance(5)
    with pytest.raises(UsageError, match="no time zone"):
        circuit.advance(datetime(2013, 6, 24))
    circuit.advance(T0)
    with pytest.raises(UsageError, match="time goes forward"):
        circuit.advance(T0 - timedelta(seconds=1))
    assert circuit.advance(T0).updates == {}
    assert circuit.version == 0


def test_rebind_refuses_what_the_query_lacks_and_keeps_the_rest():
    circuit = Circuit(schemas=[TRIPS])
    circuit.apply([upsert("trips", n, {"size": n}) for n in range(10)])
    circuit.register("range", RANGES["range"], {"a": 1, "b": 5})
    with pytest.raises(UsageError, match=r"no parameter \$c"):
        circuit.rebind("range", {"c": 1})
    update = circuit.rebind("range", {"b": 4})
    assert [row[0] for row in update.removed] == [5]
    assert circuit.view("range").params == {"a": 1, "b": 4}
    assert circuit.rebind("range", {"b": 4}).changes == ()
    top = circuit.register("top", "SELECT id FROM trips ORDER BY id LIMIT $n", {"n": 2})
    assert top.rows == [(0,), (1,)]
    with pytest.raises(UsageError):
        circuit.rebind("top", {"n": -1})
    assert circuit.rebind("top", {"n": 1}).removed == ((1,),)


def test_rebind_takes_a_parameter_that_no_value_depends_on_as_register_does():
    """What the planner leaves out is no concern of who moves a view: the text has the parameter."""
    circuit = Circuit(schemas=[TRIPS])
    circuit.apply([upsert("trips", 1, {"owner": 1, "size": 1})])
    text = "SELECT id FROM trips WHERE owner = $a AND EXISTS (SELECT $b FROM trips AS t WHERE t.id = trips.id)"
    circuit.register("of", text, {"a": 1, "b": 5})

    assert circuit.rebind("of", {"b": 6}).changes == ()
    assert circuit.rebind("of", {"a": 2, "b": 7}).removed == ((1,),)
    with pytest.raises(UsageError, match=r"parameter \$b"):
        circuit.rebind("of", {"b": object()})
    with pytest.raises(UsageError, match=r"no parameter \$c"):
        circuit.rebind("of", {"c": 1})
