"""Rule engines of PyPI as somebody would use them: every rule made once, every row held against each.

Owns how a predicate is said in the language of each, and how their packages get here: into one folder of the cache, so
that nothing is added to the environment of whoever runs the benchmark. Refuses to time anything.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.engine.peers import Absent, cache
from benchmarks.routing_index import COLUMNS
from sspcore.plan.expressions import Call, Column, Constant, Expression

Row = tuple[Any, ...]
Route = Callable[[Row], Sequence[int]]
PACKAGES = {
    "rule-engine": ("rule-engine==5.1.0", "rule_engine"),
    "business-rules": ("business-rules==1.1.1", "business_rules"),
    "json-logic": ("json-logic-qubit==0.9.1", "json_logic"),
}
"""Name → what pip installs, the module."""


def module(name: str, fetch: bool) -> Any:
    """An engine's module, installed where it is not and `fetch` allows it. Raises Absent."""
    package, imported = PACKAGES[name]
    folder = cache() / "rules" / name
    if folder.is_dir() and str(folder) not in sys.path:
        sys.path.append(str(folder))
    try:
        return importlib.import_module(imported)
    except ImportError as error:
        if folder.is_dir():
            raise Absent(f"cannot be imported: {error}") from None
    if not fetch:
        raise Absent("not installed; a run without --quick installs it")
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(folder)]
    done = subprocess.run([*command, package], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise Absent(f"cannot be installed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    importlib.invalidate_caches()
    return module(name, False)


def made(name: str, predicates: Sequence[Expression], fetch: bool) -> Route:
    """The rules of an engine, as a function of a row. Raises Absent, also for what it cannot say."""
    return MAKERS[name](module(name, fetch), predicates)


def dict_of(row: Row) -> dict[str, Any]:
    """A row as these engines take it."""
    return {name: list(cell) if type(cell) is tuple else cell for name, cell in zip(COLUMNS, row, strict=True)}


def said(expression: Expression) -> str:
    """A predicate in the language of rule-engine. Raises Absent."""
    match expression:
        case Call("and" | "or" as function, args):
            return "(" + f" {function} ".join(map(said, args)) + ")"
        case Call("=" | "<" | "<=" | ">" | ">=" | "<>" as function, (Column(at), Constant(value))):
            symbol = {"=": "==", "<>": "!="}.get(function, function)
            return f"({COLUMNS[at]} {symbol} {json.dumps(value)})"
        case Call("in", (Column(at), *items)):
            return f"({COLUMNS[at]} in [{', '.join([json.dumps(i.value) for i in constants(items)])}])"
        case Call("@>", (Column(at), Constant(items))):
            return "(" + " and ".join([f"{json.dumps(item)} in {COLUMNS[at]}" for item in listed(items)]) + ")"
    raise Absent("has no words for such predicates")


def logic(expression: Expression) -> Mapping[str, Any]:
    """A predicate as JsonLogic. Raises Absent."""
    match expression:
        case Call("and" | "or" as function, args):
            return {function: [logic(part) for part in args]}
        case Call("=" | "<" | "<=" | ">" | ">=" | "<>" as function, (Column(at), Constant(value))):
            return {{"=": "===", "<>": "!=="}.get(function, function): [{"var": COLUMNS[at]}, value]}
        case Call("in", (Column(at), *items)):
            return {"in": [{"var": COLUMNS[at]}, [i.value for i in constants(items)]]}
        case Call("@>", (Column(at), Constant(items))):
            return {"and": [{"in": [item, {"var": COLUMNS[at]}]} for item in listed(items)]}
    raise Absent("has no words for such predicates")


def constants(items: Sequence[Expression]) -> list[Constant]:
    """Items of which each is a constant."""
    return [item for item in items if isinstance(item, Constant)]


def listed(items: object) -> Sequence[Any]:
    """A constant that is a list."""
    assert isinstance(items, tuple)
    return items


def _rule_engine(engine: Any, predicates: Sequence[Expression]) -> Route:
    rules = [(id, engine.Rule(said(p)).matches) for id, p in enumerate(predicates)]

    def route(row: Row) -> list[int]:
        given = dict_of(row)
        return [id for id, matches in rules if matches(given)]

    return route


def _json_logic(engine: Any, predicates: Sequence[Expression]) -> Route:
    rules = [logic(p) for p in predicates]

    def route(row: Row) -> list[int]:
        given = dict_of(row)
        return [id for id, rule in enumerate(rules) if engine.jsonLogic(rule, given)]

    return route


def _business_rules(engine: Any, predicates: Sequence[Expression]) -> Route:
    """Conditions on one number, as its documentation makes them; it has no nested ones of a list's elements."""
    variables = importlib.import_module("business_rules.variables")
    check = importlib.import_module("business_rules.engine").check_condition
    conditions = []
    for predicate in predicates:
        match predicate:
            case Call("=", (Column(1), Constant(value))):
                conditions.append({"name": "user_id", "operator": "equal_to", "value": value})
            case _:
                raise Absent("is measured on equality alone")

    class Variables(variables.BaseVariables):  # type: ignore[misc, name-defined]
        def __init__(self, row: Row) -> None:
            self.row = row

        @variables.numeric_rule_variable  # type: ignore[untyped-decorator]
        def user_id(self) -> int:
            number: int = self.row[1]
            return number

    def route(row: Row) -> list[int]:
        given = Variables(row)
        return [id for id, condition in enumerate(conditions) if check(condition, given)]

    return route


MAKERS: Mapping[str, Callable[[Any, Sequence[Expression]], Route]] = {
    "rule-engine": _rule_engine, "business-rules": _business_rules, "json-logic": _json_logic,
}  # fmt: skip
