"""The demo's verification: it agrees with the engine, and it can disagree."""

from __future__ import annotations

import pytest

from sspcore.demo import day
from sspcore.demo.verify import PlainTable, read_anew, verify
from sspcore.demo.views import VIEWS
from sspcore.engine.circuit import Circuit

TABLES = read_anew(day.path())


@pytest.fixture(scope="module")
def circuit() -> Circuit:
    """The day applied in batches of 100, with every view registered before."""
    made = Circuit(schemas=day.SCHEMAS)
    for view in VIEWS:
        made.register(view.id, view.sql)
    changes = [change for _, change in day.timed_changes()]
    for start in range(0, len(changes), 100):
        commit = made.apply(changes[start : start + 100])
        assert not commit.failed
    return made


def keyed(circuit: Circuit, view_id: str) -> dict[object, tuple[object, ...]]:
    snapshot = circuit.view(view_id).snapshot()
    return dict(zip(snapshot.keys, snapshot.rows, strict=True))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.id)
def test_a_view_of_the_demo_agrees_with_recomputation_and_sqlite(circuit, view):
    verdict = verify(view, circuit.rows(view.id), keyed(circuit, view.id), TABLES)

    assert verdict.right, verdict


def test_at_least_three_views_are_checked_against_sqlite_and_most_show_something(circuit):
    assert sum(view.sqlite for view in VIEWS) >= 3
    assert sum(bool(circuit.rows(view.id)) for view in VIEWS) >= 8


def test_no_view_warns_of_a_slip(circuit):
    assert {} == {view.id: circuit.view(view.id).warnings for view in VIEWS if circuit.view(view.id).warnings}


@pytest.mark.parametrize("view", [view for view in VIEWS if view.id != "next_departures"], ids=lambda view: view.id)
def test_a_wrong_row_is_found_by_both_checks(circuit, view):
    rows = circuit.rows(view.id)
    wrong = [(*rows[0][:-1], "?"), *rows[1:]]

    verdict = verify(view, wrong, keyed(circuit, view.id), TABLES)

    assert "shows" in verdict.recomputed
    assert view.sqlite is (verdict.sqlite is not None and "shows" in verdict.sqlite)


def test_a_missing_row_a_wrong_order_and_a_deaf_follower_are_found(circuit):
    (view,) = [view for view in VIEWS if view.id == "worst_delays"]
    rows, held = circuit.rows(view.id), keyed(circuit, view.id)

    assert verify(view, rows[1:], held, TABLES).recomputed
    assert verify(view, rows[::-1], held, TABLES).recomputed
    assert "subscriber" in verify(view, rows, {}, TABLES).recomputed


def test_a_change_to_the_data_is_seen(circuit):
    """The oracle reads the file, not the engine: other data, other answer."""
    (view,) = [view for view in VIEWS if view.id == "traffic_by_hour"]
    fewer = dict(list(TABLES["flights"].rows.items())[1:])
    tables = TABLES | {"flights": PlainTable(TABLES["flights"].names, fewer)}

    assert verify(view, circuit.rows(view.id), keyed(circuit, view.id), tables).recomputed
