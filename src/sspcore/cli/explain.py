"""`sspcore explain`: the plan of a query and the code that runs it, for people.

Owns nothing but the translation of arguments."""

from __future__ import annotations

import argparse

from sspcore.cli.schemas import read_schemas
from sspcore.engine.circuit import Circuit


def run(options: argparse.Namespace) -> int:
    """Print the plan, below it what is likely a slip and, if asked for, the generated code; 0."""
    circuit = Circuit(schemas=read_schemas(options.schema) if options.schema else ())
    print(circuit.explain(options.sql, code=options.code))
    return 0
