"""A backpressure policy for sspcore: bulk batches leave room for live changes. This module is the plugin."""

from __future__ import annotations

from sspcore import hookimpl
from sspcore.abc import PolicySpec
from sspcore_policy_bulk_yields.policy import BulkYields, BulkYieldsOptions

__all__ = ["BulkYields", "BulkYieldsOptions", "sspcore_backpressure_policies"]


@hookimpl
def sspcore_backpressure_policies() -> list[PolicySpec]:
    """`bulk_yields`."""
    return [PolicySpec("bulk_yields", BulkYields, BulkYieldsOptions)]
