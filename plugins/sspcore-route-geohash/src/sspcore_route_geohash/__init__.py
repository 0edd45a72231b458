"""A routing strategy for sspcore: a circuit for every region, by geohash. This module is the plugin: its one hook."""

from __future__ import annotations

from sspcore import hookimpl
from sspcore.abc import StrategySpec
from sspcore_route_geohash.geohash import encode
from sspcore_route_geohash.strategy import Geohash, GeohashOptions

__all__ = ["Geohash", "GeohashOptions", "encode", "sspcore_routing_strategies"]


@hookimpl
def sspcore_routing_strategies() -> list[StrategySpec]:
    """`geohash`."""
    return [StrategySpec("geohash", Geohash, GeohashOptions)]
