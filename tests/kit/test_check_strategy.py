"""The kit finds every planted fault, names the law it breaks, and passes what keeps the contract."""

from __future__ import annotations

import inspect
import re

import pytest

from sspcore import Schema
from sspcore.testing import ContractBroken, check_strategy
from tests.kit import faulty, sound

FAULTS = [one for _, one in inspect.getmembers(faulty, inspect.isclass) if "LAW" in vars(one)]
PLACES = {
    "schemas": (
        Schema("orders", {"id": "any", "tenant": "text", "amount": "integer"}, "id"),
        Schema("places", {"id": "any", "tenant": "text", "circuit": "text"}, "id"),
    ),
    "values": {"tenant": ("acme", "duff", None), "circuit": ("main", "ops", "nowhere")},
}


def arguments(strategy):
    return PLACES if issubclass(strategy, sound.Placed) else {}


@pytest.mark.parametrize("strategy", [sound.Selective, sound.Shares, sound.Placed])
def test_what_keeps_the_contract_passes(strategy):
    told = []
    checked = check_strategy(strategy, report=told.append, **arguments(strategy))

    assert checked.examples >= 90
    assert checked.pairs > 5_000 and checked.backfilled > 50
    assert checked.swept > 5 or strategy is sound.Shares
    assert f"pairs {checked.pairs:>9,}" in told[0]


@pytest.mark.parametrize("strategy", FAULTS)
def test_a_fault_is_found_and_its_law_is_named(strategy):
    with pytest.raises(ContractBroken) as caught:
        check_strategy(strategy, **arguments(strategy))

    assert (strategy.LAW, strategy.__name__) == (caught.value.law, caught.value.plugin), str(caught.value)
    assert len(caught.value.history) < 14, str(caught.value)
    assert re.search(r"\(.*tests/kit/(faulty|sound)\.py:\d+\)|\(.*dependency\.py:\d+\)", caught.value.place)
