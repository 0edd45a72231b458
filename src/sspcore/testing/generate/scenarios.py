"""Scenarios: tables, views over them and a history, drawn together. Owns only how they are put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from sspcore.algebra.values import Value
from sspcore.engine.change import Change
from sspcore.engine.schema import Schema
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import bind_plan
from sspcore.testing.generate.choices import Choices
from sspcore.testing.generate.plans import lift, plan
from sspcore.testing.generate.tables import History, schemas


@attrs.frozen
class ViewPlan:
    """A plan with the values of its parameters."""

    plan: Plan
    params: Mapping[str, Value]

    @property
    def bound(self) -> Plan:
        """The plan with its parameters replaced."""
        return bind_plan(self.plan, self.params)


@attrs.frozen
class Scenario:
    """Schemas, views by id, and a history of batches that a strict circuit over the schemas accepts."""

    schemas: Sequence[Schema]
    views: Mapping[str, ViewPlan]
    history: Sequence[Sequence[Change]]


def scenario(c: Choices, views: int = 3, batches: int = 8, scans: int = 4, size: int = 6) -> Scenario:
    """A random scenario: a filling batch, then `batches` of one to `size` changes."""
    tables = schemas(c)
    plans = {f"v{i}": ViewPlan(*lift(c, plan(c, tables, scans))) for i in range(views)}
    maker = History(c, tables)
    return Scenario(tables, plans, [maker.fill(), *[maker.batch(1, size) for _ in range(batches)]])
