"""Addresses beside the rows: what a batch does to them, and what it may not ask."""

from __future__ import annotations

import pytest

from sspcore import Schema, clear, delete, merge, replace, upsert
from sspcore.abc import Address
from sspcore.engine.options import CircuitOptions
from sspcore.errors import ChangeRejected
from sspcore.ingress import addresses
from sspcore.ingress.base_tables import BaseTables

ACME, DUFF = Address(tenant="acme"), Address(("duff",))


class House:
    """Base tables of which `t` is routed by address."""

    def __init__(self, **options):
        self.base = BaseTables(CircuitOptions(strict=False, **options))
        self.base.addresses.follow(lambda table: table == "t", True)

    def admit(self, *changes):
        resolution, addressing = self.base.addresses.resolve(changes)
        self.base.commit(resolution, addressing)
        return addressing

    def held(self, table="t"):
        find = self.base.addresses.finder(table)
        return {key: find(key) for key in self.base.tables[table].rows if find(key) is not None}


@pytest.fixture
def house():
    made = House()
    made.admit(*[upsert("t", key, {"x": key})._replace(tenant="acme") for key in range(3)])
    return made


def test_the_last_change_that_carries_one_counts(house):
    change = merge("t", 1, {"x": 7})
    house.admit(change._replace(tenant="duff"), change._replace(targets=("duff",)), change, upsert("t", 0, {"x": 9}))

    assert {0: ACME, 1: DUFF, 2: ACME} == house.held()


def test_a_row_that_goes_takes_it_along(house):
    house.admit(delete("t", 0), upsert("t", 0, {"x": 0}), delete("t", 1))
    assert {2: ACME} == house.held()
    house.admit(clear("t"), upsert("t", 2, {"x": 2}))
    assert {} == house.held()
    assert {} == house.base.addresses._held, "nothing is left of a table without addresses"


def test_a_table_that_is_replaced_belongs_where_that_change_says(house):
    house.admit(replace("t", {1: {"x": 1}, ("a", 1): {"x": 2}})._replace(targets=["duff"]))
    assert {1: DUFF, ("a", 1): DUFF} == house.held()
    house.admit(replace("t", {1: {"x": 1}}))
    assert {} == house.held()


def test_ids_are_those_of_rows(house):
    house.admit(upsert("t", ["a", 1], {"x": 1})._replace(tenant="acme"))
    assert ACME == house.held()["a", 1]


def test_rows_that_only_move_are_named_in_the_layout_the_batch_leaves(house):
    addressing = house.admit(
        merge("t", 0, {})._replace(tenant="duff"), merge("t", 1, {"x": 7})._replace(tenant="duff"),
        merge("t", 2, {})._replace(tenant="acme"), upsert("t", 3, {"x": 3, "more": 1}),
    )  # fmt: skip

    ((key, old, new),) = addressing.moves["t"]
    assert (0, old) == (key, new) == (0, house.base.tables["t"].rows[0])
    assert len(house.base.tables["t"].names) == len(old)


def test_a_batch_that_moves_nothing_costs_no_addressing(house):
    assert house.admit(merge("t", 0, {"x": 5})._replace(tenant="acme"), delete("t", 77)) is None
    assert house.admit(upsert("u", 1, {})._replace(tenant="acme")) is None
    assert {} == house.held("u")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"targets": "acme"}, "targets are names of circuits, not 'acme'"),
        ({"targets": ("acme", "")}, r"targets are names of circuits, not \('acme', ''\)"),
        ({"targets": (1,)}, "targets are names of circuits"),
        ({"tenant": ""}, "a tenant is named by text, not ''"),
        ({"tenant": 7}, "a tenant is named by text, not 7"),
    ],
)
def test_an_address_that_is_none_is_refused_with_its_batch(house, given, message):
    with pytest.raises(ChangeRejected, match=message) as caught:
        house.admit(delete("t", 0), upsert("t", 1, {"x": 1})._replace(**given))
    assert 1 == caught.value.index
    assert {0: ACME, 1: ACME, 2: ACME} == house.held()


def test_changes_that_do_not_count_move_nothing():
    house = House()
    first = upsert("t", 1, {"x": 1})._replace(version=5, source="s", seq=3, tenant="acme")
    house.admit(first)
    for late in (first._replace(version=9), first._replace(seq=4), first._replace(seq=5, version=4)):
        house.admit(late._replace(tenant="duff"))
        assert {1: ACME} == house.held()
    again = first._replace(version=6, source=None, seq=None, tenant="duff")
    house.admit(again, merge("t", 1, {"x": 2})._replace(tenant="acme"), again)
    assert {1: ACME} == house.held(), "the second time it is older than the row"


def test_rows_share_their_addresses(house, monkeypatch):
    held = [*house.held().values()]
    assert all(address is held[0] for address in held)
    monkeypatch.setattr(addresses, "_SHARED", 10)
    for key in range(100):
        house.admit(upsert("t", key, {"x": 1})._replace(tenant=f"tenant {key}"))
    assert len(house.base.addresses._shared) <= 10, "what is no longer used is not remembered for ever"
    assert Address(tenant="tenant 3") == house.held()[3]


def test_tables_that_are_no_longer_asked_for_are_forgotten(house):
    house.base.addresses.follow(lambda table: table != "t", True)
    assert {} == house.held()


def test_a_declared_key_is_part_of_the_row_only():
    house = House()
    house.base.declare(Schema("t", {"id": "integer", "x": "integer"}))
    house.admit(upsert("t", 1, {"x": 1})._replace(tenant="acme"))
    assert {1: ACME} == house.held()
