"""Lanes of new circuits: which policy, how much room, as asked for or as configured.

Owns what is refused about them. Refuses to start anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sspcore.abc import BackpressurePolicy
from sspcore.backpressure.mailbox import Mailbox
from sspcore.config import BackpressureConfig
from sspcore.errors import UsageError
from sspcore.ingress.lane import Lane
from sspcore.plugins import Plugins
from sspcore.runtime.watchdog import POLICY, Watchdog


def lane_of(
    plugins: Plugins, watchdog: Watchdog, default: BackpressureConfig, name: str,
    policy: str | BackpressurePolicy | None = None, capacity: int | None = None, max_bytes: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Lane:  # fmt: skip
    """The lane of a circuit; what is not given, as configured. Raises ConfigError or UsageError (the caller's)."""
    if policy is None or isinstance(policy, str):
        if options is None:
            options = default.options if policy in (None, default.policy) else {}
        policy_name = policy or default.policy
        policy = plugins.policy(policy_name, options, f"circuit {name!r}")
    elif options:
        raise UsageError("options go with a policy's name; a policy object has its own")
    else:
        policy_name = type(policy).__name__
    capacity = default.capacity if capacity is None else capacity
    max_bytes = default.max_bytes if max_bytes is None else max_bytes
    if capacity < 1 or max_bytes < 1:
        raise UsageError(f"capacity and max_bytes are at least 1, not {capacity} and {max_bytes}")
    watched = watchdog.over(policy, f"policy {policy_name!r} of circuit {name!r}", POLICY)
    return Lane(name, watched, policy_name, Mailbox(capacity, max_bytes))
