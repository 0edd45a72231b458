"""The hooks: how a package offers strategies and policies of its own.

Owns their signatures and the markers. A hook runs once, while a runtime is set up; none runs per change. Each returns a
list of `sspcore.abc.Spec`: a name, a factory, and the attrs class of its options.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import pluggy

if TYPE_CHECKING:
    from sspcore.abc import PolicySpec, StrategySpec

PROJECT: Final = "sspcore"

hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final[Callable[..., Any]] = pluggy.HookimplMarker(PROJECT)


@hookspec
def sspcore_routing_strategies() -> Sequence[StrategySpec]:
    """Routing strategies, chosen by `[routing] strategy`."""
    return ()


@hookspec
def sspcore_backpressure_policies() -> Sequence[PolicySpec]:
    """Backpressure policies, chosen by `[backpressure] policy` or per circuit."""
    return ()
