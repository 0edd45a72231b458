"""Who is measured: the engine twice (mappings in, tuples in) and its peers; where each driver runs, and what it can do.

Owns the list. Refuses to know how peers are fetched (`peers.py`) and what they are asked (`workloads.py`).
"""

from __future__ import annotations

from pathlib import Path

import attrs

DRIVERS = Path(__file__).resolve().parent.parent / "drivers"
KEYED = frozenset({"keyed", "keyed_join", "keyed_group", "keyed_top"})
FLIGHTS = frozenset({"airlines", "carriers", "late"})
BROAD = frozenset({"broad_range", "broad_join", "broad_group", "broad_top", "broad_exists", "broad_distinct"})
FLAT = KEYED | {"filter", "unlike", "join", "groups", "top", "range"}


@attrs.frozen
class Subject:
    """One way to keep views up to date.

    Attributes: `driver`, its program; `peer`, the package set it needs (`peers.py`), none for what Python brings;
    `shapes` and `modes` it is measured with; `lacks`, why not with others; `quick`, workloads
    of a quick run (None: all).
    """

    name: str
    label: str
    driver: str
    arguments: tuple[str, ...] = ()
    peer: str | None = None
    shapes: frozenset[str] = FLAT
    modes: frozenset[str] = frozenset({"step", "hydrate", "drain"})
    lacks: str = ""
    quick: frozenset[str] | None = None


OURS = "sspcore"
TUPLES = "sspcore-tuples"

SUBJECTS: tuple[Subject, ...] = (
    Subject(
        OURS, "sspcore", "ours.py", shapes=FLAT | BROAD | FLIGHTS | {"nested", "moving", "window"},
        modes=frozenset({"step", "hydrate", "memory", "image", "drain", "move"}),
    ),
    Subject(
        TUPLES, "sspcore, tuples in", "ours.py", ("--tuples",), shapes=FLAT | BROAD | FLIGHTS | {"nested"},
        modes=frozenset({"step", "drain"}),
    ),
    Subject(
        "sspcore-anew", "sspcore, asked anew", "ours.py", ("--anew",), shapes=frozenset({"moving", "window"}),
        modes=frozenset({"move"}),
    ),
    Subject(
        "zql", "Zero (ZQL)", "in_zql.mjs", peer="zero",
        shapes=(FLAT | {"nested", "moving"}) - {"groups", "keyed_group"},
        modes=frozenset({"step", "hydrate", "memory", "move"}), lacks="ZQL has no aggregates and no flat joins",
    ),
    Subject(
        "db-ivm", "TanStack db-ivm", "in_dbivm.mjs", peer="tanstack", shapes=FLAT | FLIGHTS,
        modes=frozenset({"step", "hydrate", "memory", "drain"}),
    ),
    Subject(
        "tanstack-db", "TanStack DB", "in_tanstack.mjs", peer="tanstack", shapes=FLAT | {"nested"},
        modes=frozenset({"step", "hydrate", "memory"}),
    ),
    Subject(
        "pathway", "Pathway", "in_pathway.py", peer="pathway",
        shapes=frozenset({"filter", "keyed", "join", "groups", "airlines", "carriers"}),
        lacks="it has no LIMIT and no trees", quick=frozenset({"W2", "W6"}),
    ),
    Subject(
        "pydbsp", "pydbsp", "in_pydbsp.py", peer="pydbsp",
        shapes=frozenset({"filter", "keyed", "unlike", "range", "join", "groups"}),
        modes=frozenset({"step", "hydrate"}), lacks="it has no LIMIT and no trees",
    ),
    Subject(
        "sqlite-triggers", "SQLite triggers", "in_sqlite.py", ("--triggers",),
        shapes=frozenset({"filter", "keyed", "join", "groups"}), modes=frozenset({"step"}),
        lacks="nobody writes those triggers by hand",
    ),
    Subject(
        "sqlite", "SQLite again", "in_sqlite.py", shapes=FLAT | BROAD | FLIGHTS | {"moving"},
        modes=frozenset({"step", "hydrate", "image", "drain", "move"}),
    ),
    Subject("duckdb", "DuckDB again", "in_duckdb.py", peer="duckdb", shapes=FLAT | BROAD | FLIGHTS),
)  # fmt: skip
