"""sspcore: live queries. A program pushes changes of rows in, SQL views stay up to date, subscribers get what changed.

This module is the one public door: each public name is listed here, once, and imported when it is first touched.

>>> circuit = Circuit()
>>> circuit.register("late", "SELECT carrier, count(*) AS n FROM flights WHERE delay > 60 GROUP BY carrier").rows
[]
>>> circuit.apply([upsert("flights", "AA1", {"carrier": "AA", "delay": 75})]).updates["late"].added
(('AA', 1),)
"""

# Where things are
# ----------------
# Pure ring: synchronous, deterministic, no I/O; all that must be correct lives here and is proved here.
#   algebra       what values are and how they compare, Z-sets, exact sums
#   plan          a query as a value: nodes, expressions, SQL, builder, JSON, the check
#   engine        tables, changes, operators, views, the circuit; `interpret` is the specification
#   routing       which circuits must get a change
#   backpressure  what happens when a circuit's queue is full
#   ingress       base tables, admission, backfill
#   delivery      what a slow subscriber gets
#   wire          the protocol and values in JSON, without sockets
# Runtime: the one place that awaits.   runtime
# Edges: they translate.   sources  sidecar (HTTP, WebSocket, the page)  cli  demo  config, hookspecs, plugins, builtins
# For plugin authors: abc, testing.   For everyone: errors.
#
# `import sspcore` is lazy: the pure engine runs where trio and pluggy are absent, and without SQL does without sqlglot.

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    # changes and schemas
    "Change": "engine.change",
    "create": "engine.change",
    "update": "engine.change",
    "upsert": "engine.change",
    "merge": "engine.change",
    "delete": "engine.change",
    "clear": "engine.change",
    "replace": "engine.change",
    "Schema": "engine.schema",
    "Interval": "algebra.interval",
    # the builder
    "query": "plan.builder",
    "exists": "plan.builder",
    "Query": "plan.builder",
    "col": "plan.terms",
    "param": "plan.terms",
    "count": "plan.terms",
    # the pure engine
    "Circuit": "engine.circuit",
    "CircuitOptions": "engine.options",
    "View": "engine.view",
    "Snapshot": "engine.update",
    "ViewUpdate": "engine.update",
    "Commit": "engine.update",
    "BatchStats": "engine.update",
    "Result": "engine.update",
    "Explanation": "engine.explain",
    "Cut": "engine.image",
    "Codec": "engine.image",
    "ZSet": "algebra.zset",
    # the runtime
    "open_runtime": "runtime.opening",
    "run_runtime": "runtime.opening",
    "Runtime": "runtime.runtime",
    "CircuitHandle": "runtime.handle",
    "Config": "config",
    "Receipt": "runtime.receipt",
    "RoutingViews": "runtime.routing_views",
    "Subscription": "runtime.subscription",
    # for authors of plugins
    "hookimpl": "hookspecs",
    "routing_strategies": "plugins",
    "Readers": "routing.readers",
}
"""Public name → the module that defines it. The imports below say the same to type checkers; a test compares."""

_MODULES = ("abc", "errors", "testing")
"""Public modules, reachable as attributes."""

__all__ = ["__version__", *_HOME, *_MODULES]

if TYPE_CHECKING:
    from sspcore import abc as abc
    from sspcore import errors as errors
    from sspcore import testing as testing
    from sspcore.algebra.interval import Interval as Interval
    from sspcore.algebra.zset import ZSet as ZSet
    from sspcore.config import Config as Config
    from sspcore.engine.change import Change as Change
    from sspcore.engine.change import clear as clear
    from sspcore.engine.change import create as create
    from sspcore.engine.change import delete as delete
    from sspcore.engine.change import merge as merge
    from sspcore.engine.change import replace as replace
    from sspcore.engine.change import update as update
    from sspcore.engine.change import upsert as upsert
    from sspcore.engine.circuit import Circuit as Circuit
    from sspcore.engine.explain import Explanation as Explanation
    from sspcore.engine.image import Codec as Codec
    from sspcore.engine.image import Cut as Cut
    from sspcore.engine.options import CircuitOptions as CircuitOptions
    from sspcore.engine.schema import Schema as Schema
    from sspcore.engine.update import BatchStats as BatchStats
    from sspcore.engine.update import Commit as Commit
    from sspcore.engine.update import Result as Result
    from sspcore.engine.update import Snapshot as Snapshot
    from sspcore.engine.update import ViewUpdate as ViewUpdate
    from sspcore.engine.view import View as View
    from sspcore.hookspecs import hookimpl as hookimpl
    from sspcore.plan.builder import Query as Query
    from sspcore.plan.builder import exists as exists
    from sspcore.plan.builder import query as query
    from sspcore.plan.terms import col as col
    from sspcore.plan.terms import count as count
    from sspcore.plan.terms import param as param
    from sspcore.plugins import routing_strategies as routing_strategies
    from sspcore.routing.readers import Readers as Readers
    from sspcore.runtime.handle import CircuitHandle as CircuitHandle
    from sspcore.runtime.opening import open_runtime as open_runtime
    from sspcore.runtime.opening import run_runtime as run_runtime
    from sspcore.runtime.receipt import Receipt as Receipt
    from sspcore.runtime.routing_views import RoutingViews as RoutingViews
    from sspcore.runtime.runtime import Runtime as Runtime
    from sspcore.runtime.subscription import Subscription as Subscription


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"sspcore.{_HOME[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"sspcore.{name}")
    else:
        raise AttributeError(f"module 'sspcore' has no attribute {name!r}")
    globals()[name] = value  # asked once
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
