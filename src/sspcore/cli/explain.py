"""`sspcore explain`: the plan of a query and the code that runs it, for people.

Owns nothing but the translation of arguments."""

from __future__ import annotations

import argparse

from sspcore.cli.schemas import read_params, read_schemas
from sspcore.engine.circuit import Circuit
from sspcore.routing.findings import findings


def run(options: argparse.Namespace) -> int:
    """Print the plan, below it what is likely a slip and, if asked for, how changes find it and the code; 0."""
    circuit = Circuit(schemas=read_schemas(options.schema) if options.schema else ())
    explanation = circuit.explain(options.sql, code=options.code)
    params = read_params(options.param)
    print(explanation)
    if options.routing:
        print("\nwhich changes concern it, and how they find it")
        for line in findings(explanation.optimised, params):
            print(line)
    return 0
