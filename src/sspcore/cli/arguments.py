"""The arguments of every command, and the help that teaches them.

Owns names, defaults and words. Refuses to run anything.
"""

from __future__ import annotations

import argparse
from typing import Any

_ABOUT = """\
Live SQL over changing data: a query stays up to date with every change, in time
proportional to the change.

  sspcore demo                                        a real day over New York, live in your browser
  sspcore query changes.jsonl "SELECT count(*) FROM flights"
  sspcore serve                                       live views for other programs, on one port
"""
_QUERY = """\
Run a live query over a change file or a pipe; no server is needed. The input has one JSON object per line:

  {"table": "flights", "op": "create", "id": "AA1", "row": {"carrier": "AA", "dep_delay": 75}}

op is one of create, update, upsert, merge, delete (one row), clear, replace (a whole table).
The answer goes to standard output and nothing else does; progress and notes go to standard error.
"""
_QUERY_EXAMPLES = """\
examples:
  sspcore query day.jsonl "SELECT carrier, count(*) AS n FROM flights GROUP BY carrier ORDER BY n DESC"
  sspcore query day.jsonl "SELECT * FROM flights WHERE dep_delay > $m" --param m=60 --format csv
  sspcore query --follow day.jsonl "SELECT status, count(*) FROM flights GROUP BY status"
  tail -f day.jsonl | sspcore query - "SELECT max(dep_delay) FROM flights" --deltas

formats:
  table   for people; long floats are shortened
  jsonl   one object per row, members in column order; with --deltas one object per update:
          {"version": 7, "added": [row], "updated": [{"old": row, "new": row}], "removed": [row]}
  csv     NULL is an empty field, empty text is ""; with --deltas the columns version and change (+ or -) stand in front

exit codes: 0 done, 1 a line was refused, 2 the query or an option cannot be understood
"""
_EXPLAIN = """\
Show how a query is kept up to date: the plan, one operator per line, inputs below the operator that reads them.
"""
_EXPLAIN_EXAMPLES = """\
examples:
  sspcore explain "SELECT carrier, count(*) FROM flights GROUP BY carrier"
  sspcore explain "SELECT carier FROM flights" --schema tables.toml      (a typing error shows where)
  sspcore explain 'SELECT id FROM flights WHERE dest = $d' --routing     (which changes concern it)
"""
_SERVE = """\
Run a server with live views: HTTP, WebSocket and a live page, on one port. Without a configuration it holds one
empty circuit in memory and listens on this machine only.
"""
_SERVE_EXAMPLES = """\
examples:
  sspcore serve
  sspcore serve --config sspcore.toml --port 9000
  curl -H 'Content-Type: application/json' localhost:8667/ingest \\
       -d '{"table": "flights", "op": "upsert", "id": "AA1", "row": {"carrier": "AA"}}'
"""
_DEMO = """\
Replay a real day into live SQL views and open them in a browser: every flight that left New York on 24 June 2013,
a day of storms, with weather, planes and airports (3 657 changes, bundled).
"""
_DEMO_EXAMPLES = """\
examples:
  sspcore demo                          the day in three minutes
  sspcore demo --speed 60               a minute per second
  sspcore demo --once --speed max --no-browser
                                        replay, verify every view against recomputation, exit 0 or 1
"""
_BENCH = """\
engine: what keeping views up to date costs on this machine, beside other engines on the same data in the same run:
Rocicorp Zero's ZQL, TanStack db-ivm and TanStack DB (on node), Pathway, pydbsp, SQLite and DuckDB.
routing: the routing strategies side by side, those of installed plugins too: time, deliveries, memory.
Every answer is checked against an oracle before its time is told; a wrong one has no time. Ratios come first: machines
differ.

Peers are installed into a cache folder of their own ($SSPCORE_BENCH_CACHE, else ~/.cache/sspcore/bench; about 2.2 GB
in all, most of it Pathway), and skipped, saying so, where they cannot be.
"""
_BENCH_EXAMPLES = """\
examples:
  sspcore bench engine --quick                       a rough look in two minutes; does not install Pathway
  sspcore bench engine --json run.json --plot plots/ everything, in about half an hour
  sspcore bench engine --only W3,W7 --peers zql,sqlite
                                                     some workloads, some peers
  sspcore bench engine --only W2 --peers ""          sspcore alone
  sspcore bench routing --quick                      every strategy on every workload, in about a minute
  sspcore bench routing --strategy predicate,mine --only tenants --options 'mine={"column": "tenant"}'
"""
_SCHEMA_HELP = """\
tables with typed columns, TOML or JSON: [flights] columns = { carrier = "text" }; without it any table may have
any column and any value"""


def speed(text: str) -> float | None:
    """`--speed`: times the file's own clock; `max` is None, as fast as possible."""
    if text == "max":
        return None
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def duration(text: str) -> float:
    """`--seconds`."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def port(text: str) -> int:
    """`--port`: 0 lets the system choose."""
    value = int(text)
    if not 0 <= value < 65536:
        raise ValueError(text)
    return value


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; `command` names the module to run."""
    top = _Parser(prog="sspcore", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    _demo(_command(commands, "demo", "a real day, replayed into live views in your browser", _DEMO, _DEMO_EXAMPLES))
    _query(_command(commands, "query", "a live query over a change file or a pipe", _QUERY, _QUERY_EXAMPLES))
    _explain(_command(commands, "explain", "how a query is kept up to date", _EXPLAIN, _EXPLAIN_EXAMPLES))
    _bench(_command(commands, "bench", "what it costs here, beside other engines", _BENCH, _BENCH_EXAMPLES))
    _serve(_command(commands, "serve", "live views for other programs, on one port", _SERVE, _SERVE_EXAMPLES))
    return top


def _command(commands: Any, name: str, short: str, about: str, examples: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=short, description=about, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    return made


def _several(add: argparse.ArgumentParser, name: str, form: str, about: str) -> None:
    add.add_argument(name, metavar=form, action="append", default=[], help=f"{about}; repeat for more")


def _query(add: argparse.ArgumentParser) -> None:
    add.add_argument("file", metavar="FILE", help="a change file, or - for standard input")
    add.add_argument("sql", metavar="SQL", help="a SELECT in Postgres' dialect; parameters are written $name")
    _several(add, "--param", "NAME=VALUE", 'a parameter\'s value: JSON (60, true, null, "60"), else text')
    add.add_argument("--follow", action="store_true", help="keep reading as the file grows; redraw the table in place")
    add.add_argument("--deltas", action="store_true", help="print every update as it happens instead of the result")
    add.add_argument("--format", choices=("table", "jsonl", "csv"), default="table", help="default: table")
    add.add_argument("--schema", metavar="FILE", help=_SCHEMA_HELP)


def _explain(add: argparse.ArgumentParser) -> None:
    add.add_argument("sql", metavar="SQL", help="a SELECT in Postgres' dialect")
    add.add_argument("--code", action="store_true", help="also the generated code that keeps the result, commented")
    add.add_argument("--routing", action="store_true", help="also which changes concern it, and how they find it")
    _several(
        add, "--param", "NAME=VALUE", "a parameter's value, for --routing: a number is looked up otherwise than a text"
    )
    add.add_argument("--schema", metavar="FILE", help=_SCHEMA_HELP)


def _serve(add: argparse.ArgumentParser) -> None:
    add.add_argument("--config", metavar="FILE", help="circuits, views, tables and limits, in TOML")
    add.add_argument("--host", help="address to listen on; one beyond this machine needs a token (default: 127.0.0.1)")
    add.add_argument("--port", type=port, help="port to listen on, 0 for any free one (default: 8667)")


def _bench(add: argparse.ArgumentParser) -> None:
    add.add_argument(
        "what", choices=("engine", "routing", "all"),
        help="engine: views kept up to date; routing: strategies side by side; all: both",
    )  # fmt: skip
    add.add_argument("--only", metavar="W,W", help="workloads to run, such as W2,W5 or tenants (default: all)")
    add.add_argument("--quick", action="store_true", help="smaller and shorter: engine two minutes, routing one")
    add.add_argument("--json", metavar="FILE", help="write every measurement there")
    add.add_argument("--plot", metavar="FILE|DIR", help="write pictures (SVG): into a folder, or one FILE.svg")
    add.add_argument("--strategy", metavar="A,B", help="routing: only these strategies (default: all there are)")
    _several(add, "--options", "NAME=JSON", 'routing: a strategy\'s options, such as mine={"column": "tenant"}')
    add.add_argument(
        "--peers",
        metavar="A,B",
        help="engine: only these: zql, db-ivm, tanstack-db, pathway, pydbsp, sqlite-triggers, sqlite, duckdb",
    )
    add.add_argument("--growth", action="store_true", help="engine: also how time grows with rows, views and fan-out")
    add.add_argument(
        "--seconds", type=duration, metavar="S", help="how long each is measured, about (default: 1 or 2, quick: 0.25)"
    )
    add.add_argument("--offline", action="store_true", help="engine: install nothing; use the peers that are there")


def _demo(add: argparse.ArgumentParser) -> None:
    add.add_argument("--port", type=port, help="port of the live page (default: 8667, or the next free one)")
    add.add_argument(
        "--speed", type=speed, metavar="N|max", default=SPEED_NOT_GIVEN,
        help="N times the day's own clock, or max (default: the day in three minutes)",
    )  # fmt: skip
    add.add_argument("--no-browser", action="store_true", help="do not open a browser")
    add.add_argument("--once", action="store_true", help="stop at the day's end, after verifying every view")


SPEED_NOT_GIVEN = 0.0
"""`--speed` not given; None means max."""


class _Parser(argparse.ArgumentParser):
    """Complains in one line and a pointer instead of printing the whole usage."""

    def error(self, message: str) -> Any:
        self.exit(2, f"{self.prog}: {message}\n  hint: {self.prog} --help shows examples\n")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(f"sspcore {version('sspcore')}")
        parser.exit(0)
