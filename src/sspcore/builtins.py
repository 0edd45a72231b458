"""Our own strategies and policies, registered through the visitors' door: if a hook is awkward, we feel it first."""

from __future__ import annotations

from sspcore.abc import PolicySpec, StrategySpec
from sspcore.backpressure.block import Block, BlockOptions
from sspcore.backpressure.drop_with_error import DropWithError, DropWithErrorOptions
from sspcore.hookspecs import hookimpl
from sspcore.routing.broadcast import Broadcast
from sspcore.routing.dependency import Dependency
from sspcore.routing.hybrid import Hybrid, HybridOptions
from sspcore.routing.meta.options import MetaOptions
from sspcore.routing.meta.strategy import Meta
from sspcore.routing.predicate import Predicate
from sspcore.routing.routed import Routed, RoutedOptions
from sspcore.routing.shadow import ShadowOptions, shadow_from
from sspcore.routing.sharded import Sharded, ShardedOptions


@hookimpl
def sspcore_routing_strategies() -> list[StrategySpec]:
    """Those that come with the library."""
    return [
        StrategySpec("broadcast", Broadcast),
        StrategySpec("dependency", Dependency),
        StrategySpec("hybrid", Hybrid, HybridOptions),
        StrategySpec("meta", Meta, MetaOptions),
        StrategySpec("predicate", Predicate),
        StrategySpec("routed", Routed, RoutedOptions),
        StrategySpec("sharded", Sharded, ShardedOptions),
        StrategySpec("shadow", shadow_from, ShadowOptions, composed=True),
    ]


@hookimpl
def sspcore_backpressure_policies() -> list[PolicySpec]:
    """Those that come with the library."""
    return [
        PolicySpec("block", Block, BlockOptions),
        PolicySpec("drop_with_error", DropWithError, DropWithErrorOptions),
    ]
