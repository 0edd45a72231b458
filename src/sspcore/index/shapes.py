"""Shapes: a clause with its constants taken out, and the condition in source text that a shape stands for.

Owns which clauses share code: equal shapes do, their constants travel in rows. Refuses to know where rows are kept.

In the text `@3` is the value of column 3, `@k3` its canonical key, `@s3` the keys of its elements, `@r3` its elements
as they are and `@row` the row; who generates code puts a prefix for the `@` (`new` and `old` rows stand side by side
there). Constants are `c0`, `c1`, …; helpers have fixed names (`HELPERS`). The text agrees with `plan/evaluate` on
every value a cell may hold, for canonical rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import attrs

from sspcore.algebra.values import FALSE as FALSE_KEY
from sspcore.algebra.values import NAN, Key, Value, canonical, canonical_key
from sspcore.algebra.values import TRUE as TRUE_KEY
from sspcore.index.clauses import Clause
from sspcore.index.patterns import Pattern
from sspcore.plan.evaluate import NullCounter, compile_predicate
from sspcore.plan.evaluate_compare import Row
from sspcore.plan.expressions import Call, Column, Constant, Expression, Param, walk
from sspcore.plan.functions import FUNCTIONS
from sspcore.plan.total import NULL_BY_ERROR

NUMBERS: Final = frozenset({int, float, Decimal})
OWN_KEYS: Final = frozenset({type(None), int, str, bytes, float, Decimal, datetime})
"""Types of canonical values that are their own canonical keys."""
MAX_WRITTEN: Final = 40
"""Parts of an expression written out in source; one of more is evaluated by closures."""
MAX_EACH: Final = 4
"""Elements of a list to be contained that are tested one by one; more are a set."""
_TESTS: Final = {"<": "{} < {}", "<=": "{} <= {}", ">": "not {} <= {}", ">=": "not {} < {}"}
"""`not v <= c` because NaN is above all numbers, and Python calls every comparison with it false."""
_DECIMAL_TESTS: Final = {
    "<": "({0} == {0} and {0} < {1})", "<=": "({0} == {0} and {0} <= {1})",
    ">": "({0} != {0} or {0} > {1})", ">=": "({0} != {0} or {0} >= {1})",
}  # fmt: skip
"""Decimals refuse to be ordered beside NaN, so it is asked for first."""


class Slot:
    """The place of a constant in a shape; there is one object for each number, so that shapes compare quickly."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"Slot({self.number})"


_SLOTS: Final = [Slot(number) for number in range(64)]


def slot_of(number: int) -> Slot:
    """The slot of that number."""
    while number >= len(_SLOTS):
        _SLOTS.append(Slot(len(_SLOTS)))
    return _SLOTS[number]


class Closure:
    """A clause that is not written out where it is tested: the test of a row, for clauses too large or too many."""

    __slots__ = ("clause", "test")

    def __init__(self, clause: Clause, test: Callable[[Row], bool]) -> None:
        self.clause = clause
        self.test = test

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Closure) and self.clause == other.clause

    def __hash__(self) -> int:
        return hash(self.clause)


def elements_of(value: Value) -> Collection[Key]:
    """The canonical keys of a list's elements, each once; none of anything but a list."""
    if type(value) is not tuple:
        return ()
    if value and type(value[0]) is str:
        try:  # the shortest way to ask whether all are text
            "".join(value)
            return set(value)
        except TypeError:
            pass
    return set(value) if OWN_KEYS.issuperset(map(type, value)) else {canonical_key(item) for item in value}


def _known(value: Value) -> Value:
    return None if value is NULL_BY_ERROR else value


_FUNCTION_NAMES: Final = {name: f"f{i}" for i, name in enumerate(sorted(FUNCTIONS))}
HELPERS: Final[dict[str, Any]] = {
    "NUMBERS": NUMBERS, "OWN": OWN_KEYS, "key": canonical_key, "TRUE": TRUE_KEY, "FALSE": FALSE_KEY, "NAN": NAN,
    "known": _known, "bytes": bytes, "datetime": datetime,
    **{name: FUNCTIONS[function].apply for function, name in _FUNCTION_NAMES.items()},
}  # fmt: skip
"""Name in generated text → what it stands for; they reach the code as cells."""


def lift(clause: Clause, constants: list[Value]) -> Clause:
    """The clause's shape; its constants are appended to the list. Cost: O(clause)."""
    tag = clause[0]
    if tag in ("and", "or"):
        return (tag, tuple([lift(part, constants) for part in clause[1]]))
    if tag == "notnull" or tag == "true" or tag == "false":
        return clause
    slot = slot_of(len(constants))
    if tag == "other":
        if sum(1 for _ in walk(clause[1])) <= MAX_WRITTEN:
            return ("other", _lift_expression(clause[1], constants))
        constants.append(Closure(clause, compile_predicate(clause[1], NullCounter())))
        return ("closure", slot)
    value = clause[2]
    if tag == "=":
        kind = type(value)
        if value is None or value is TRUE_KEY or value is FALSE_KEY or value is NAN:
            return ("is", clause[1], repr(value))
        constants.append(value)
        return ("=t" if kind is str else "=", clause[1], slot)
    if tag == "@>" and len(value) <= MAX_EACH:  # far less memory than a set, and the first one missing decides
        slots = tuple([slot_of(len(constants) + at) for at in range(len(value))])
        constants += value
        return ("each word" if {str}.issuperset(map(type, value)) else "each", clause[1], slots)
    if tag in ("in", "@>", "&&") or (tag == "notin" and len(value) > 1):
        constants.append(frozenset(value))
        if tag in ("@>", "&&") and {str}.issuperset(map(type, value)):
            return (tag + " words", clause[1], slot)
    elif tag == "notin":
        if type(value[0]) is str:
            constants.append(value[0])
            return ("notin t", clause[1], slot)
        constants.append(frozenset(value))
    elif tag in _TESTS:
        constants.append(value)
        return (tag, clause[1], slot, type(value))
    elif isinstance(value, Pattern) and value.tail == "%":
        constants.append(value.prefix)
        return (tag + " prefix", clause[1], slot)
    else:
        constants.append(value)
    return (tag, clause[1], slot)


def _lift_expression(expression: Expression, constants: list[Value]) -> Expression:
    if isinstance(expression, Constant):
        constants.append(canonical(expression.value))
        return Param(str(len(constants) - 1))
    if isinstance(expression, Call):
        return Call(expression.function, tuple([_lift_expression(a, constants) for a in expression.args]))
    return expression


def lower(shape: Clause, constants: tuple[Value, ...]) -> Clause:
    """The clause that `lift` made the shape and the constants of."""
    tag = shape[0]
    if tag in ("and", "or"):
        return (tag, tuple([lower(part, constants) for part in shape[1]]))
    if tag == "notnull" or tag == "true" or tag == "false":
        return shape
    if tag == "other":
        return ("other", _lower_expression(shape[1], constants))
    if tag == "closure":
        clause: Clause = constants[shape[1].number].clause
        return clause
    if tag == "is":
        return ("=", shape[1], {"None": None, "TRUE": TRUE_KEY, "FALSE": FALSE_KEY, "nan": NAN}[shape[2]])
    if tag in ("each", "each word"):
        return ("@>", shape[1], tuple([constants[slot.number] for slot in shape[2]]))
    value = constants[shape[2].number]
    if tag == "=t":
        return ("=", shape[1], value)
    if tag == "notin t":
        return ("notin", shape[1], (value,))
    if tag in ("in", "notin", "@>", "&&", "@> words", "&& words"):
        return (tag.removesuffix(" words"), shape[1], tuple(value))
    if tag.endswith(" prefix"):
        return (tag.removesuffix(" prefix"), shape[1], Pattern(value, tail="%"))
    return (tag, shape[1], value)


def _lower_expression(expression: Expression, constants: tuple[Value, ...]) -> Expression:
    if isinstance(expression, Param):
        return Constant(constants[int(expression.name)])
    if isinstance(expression, Call):
        return Call(expression.function, tuple([_lower_expression(a, constants) for a in expression.args]))
    return expression


@attrs.frozen
class Condition:
    """The source text of a shape, and the columns it reads: as values, as keys, as lists of keys, as lists of words."""

    text: str
    values: frozenset[int]
    keys: frozenset[int]
    lists: frozenset[int]
    words: frozenset[int]
    constants: int

    def columns(self) -> frozenset[int]:
        """All columns that it reads."""
        return self.values | self.keys | self.lists | self.words


@lru_cache(maxsize=4096)
def condition_of(shape: Clause) -> Condition:
    """The condition that holds where the shape's clause does, as source text."""
    text = _text(shape)
    values, keys, lists, words = (
        frozenset([int(n) for n in re.findall(f"@{form}(\\d+)", text)]) for form in ("", "k", "s", "r")
    )  # fmt: skip
    numbers = [int(n) for n in re.findall(r"\bc(\d+)\b", text)]
    return Condition(text, values, keys, lists, words, max(numbers, default=-1) + 1)


def _text(shape: Clause) -> str:
    tag = shape[0]
    if tag in ("and", "or"):
        return "(" + f" {tag} ".join([_text(part) for part in shape[1]]) + ")"
    if tag in ("true", "false"):
        return "True" if tag == "true" else "False"
    if tag == "other":
        return _scalar(shape[1], top=True)
    if tag == "closure":
        return f"c{shape[1].number}.test(@row)"
    value, key = f"@{shape[1]}", f"@k{shape[1]}"
    if tag == "notnull":
        return f"{value} is not None"
    if tag == "is":
        name: str = shape[2]
        return f"{key} is {name.replace('nan', 'NAN')}"
    if tag in ("each", "each word"):
        elements = f"@{'r' if tag == 'each word' else 's'}{shape[1]}"
        return "(" + " and ".join([f"c{slot.number} in {elements}" for slot in shape[2]]) + ")"
    constant = f"c{shape[2].number}"
    match tag:
        case "=t":
            return f"{value} == {constant}"
        case "=":
            return f"{key} == {constant}"
        case "in":
            return f"{key} in {constant}"
        case "notin":
            return f"({value} is not None and {key} not in {constant})"
        case "notin t":
            return f"({value} is not None and {value} != {constant})"
        case "@>":
            return f"{constant}.issubset(@s{shape[1]})"
        case "@> words":
            return f"{constant}.issubset(@r{shape[1]})"
        case "&& words":
            return f"not {constant}.isdisjoint(@r{shape[1]})"
        case "&&":
            return f"not {constant}.isdisjoint(@s{shape[1]})"
        case "like" | "notlike":
            return f"(type({value}) is str and {'not ' * (tag != 'like')}{constant}.match({value}))"
        case "like prefix" | "notlike prefix":
            negation = "not " * (tag != "like prefix")
            return f"(type({value}) is str and {negation}{value}.startswith({constant}))"
        case _:
            return _range(tag, value, key, constant, shape[3])


def _range(tag: str, value: str, key: str, constant: str, kind: type) -> str:
    if kind is Decimal:
        return f"(type({value}) in NUMBERS and {_DECIMAL_TESTS[tag].format(value, constant)})"
    test = _TESTS[tag].format(value, constant)
    if kind in NUMBERS:
        return f"(type({value}) in NUMBERS and {test})"
    if kind is datetime:
        return f"(type({key}) is datetime and {_TESTS[tag].format(key, constant)})"
    return f"(type({value}) is {kind.__name__} and {test})"


def _scalar(expression: Expression, *, top: bool = False) -> str:
    """The value of an expression, every argument evaluated: functions are total, so it is the same."""
    match expression:
        case Column(index):
            return f"@{index} is True" if top else f"@{index}"
        case Param(name):
            return f"c{name}"
        case Call(function, args):
            call = f"{_FUNCTION_NAMES[function]}({', '.join([_scalar(a) for a in args])})"
            return f"({call} is True)" if top else f"known({call})"
    raise AssertionError(expression)


def helpers_in(text: str) -> dict[str, Any]:
    """The helpers that a text names."""
    return {name: HELPERS[name] for name in sorted(set(re.findall(r"[A-Za-z]\w*", text)) & HELPERS.keys())}
