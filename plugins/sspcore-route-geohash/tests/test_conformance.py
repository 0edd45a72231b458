"""sspcore's own kit: the contract of strategies, in random histories."""

from __future__ import annotations

import pytest

from sspcore import Schema
from sspcore.testing import check_strategy
from sspcore_route_geohash import Geohash, GeohashOptions

CABS = Schema("cabs", {"id": "any", "latitude": "real", "longitude": "real", "free": "boolean"})
PEOPLE = Schema("people", {"id": "integer", "name": "text"})
PLACES = {"latitude": (40.7, 42.4, 52.5, None), "longitude": (-74.0, -71.1, 13.4)}
OPTIONS = {
    "with a default": {"default": "main"},
    "placeless rows at the default": {"default": "main", "placeless": "default"},
    "refusing": {"placeless": "refuse", "everywhere": ("people",)},
    "a circuit that holds all": {"default": "main", "whole": ("lab",)},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_it_keeps_the_contract_of_strategies(options):
    chosen = GeohashOptions({"dr5": "main", "dr": ["ops", "lab"]}, **options)
    checked = check_strategy(lambda: Geohash(chosen), schemas=[CABS, PEOPLE], values=PLACES, examples=25)
    assert checked.backfilled and checked.failures and not checked.wasted
