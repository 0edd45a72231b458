"""`sspcore explain`: the plan of a query and the code that runs it, for people.

Owns nothing but the translation of arguments, and what tables nobody declared are taken for.
"""

from __future__ import annotations

import argparse

from sspcore.cli.schemas import read_params, read_schemas
from sspcore.engine.circuit import Circuit
from sspcore.engine.schema import Schema
from sspcore.plan.nodes import Plan
from sspcore.plan.traverse import scans_of
from sspcore.routing.findings import findings


def run(options: argparse.Namespace) -> int:
    """Print the plan, below it what is likely a slip and, if asked for, how changes find it and the code; 0."""
    schemas = read_schemas(options.schema) if options.schema else _supposed(Circuit().explain(options.sql).plan)
    explanation = Circuit(schemas=schemas).explain(options.sql, code=options.code)
    params = read_params(options.param)
    print(explanation)
    if options.routing:
        print("\nwhich changes concern it, and how they find it")
        for line in findings(explanation.optimised, params):
            print(line)
    return 0


def _supposed(plan: Plan) -> list[Schema]:
    """Open tables that have the columns a query reads, of any type: an empty circuit would take each for NULL."""
    columns: dict[str, dict[str, str]] = {}
    for scan in scans_of(plan):
        columns.setdefault(scan.table, {}).update(dict.fromkeys(scan.columns, "any"))
    return [Schema(table, of, open=True) for table, of in columns.items()]
