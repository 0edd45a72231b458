"""Expressions as text: what `plan/evaluate` compiles to closures, written into the function that needs it.

Owns when Python's own operators may stand for ours. They may where both operands are of a type that Python compares as
we do (`plan/evaluate_compare` says which); in every other case, which the text tests for, a helper decides that shares
its meaning with the closures. What has no short cut is a call of the library's function, or of a closure.

Refuses to know rows: an *environment* says under which text each column is read. Columns are numbers, constants and
parameters are cells: nothing else of an expression enters the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from math import inf
from typing import Any, Final

from sspcore.algebra.values import Value, canonical_key
from sspcore.codegen.source import Source
from sspcore.engine.emit import cells
from sspcore.engine.emit.cells import NEVER, UNKNOWN, Never, Recipe
from sspcore.plan.evaluate_compare import KINDS, PLAIN, SYMBOLS
from sspcore.plan.expressions import Call, Column, Constant, Expression, columns_read, remap, walk
from sspcore.plan.types import type_of

Environment = Callable[[int], str]
"""From a column's number to the text that reads it."""

KEY_OF: Final = "the form in which equal values are equal to Python too"
MOST_NODES: Final = 60
"""An expression larger than this is called as one closure: the parser's nesting is limited, and so are readers."""
MOST_DEPTH: Final = 12

PYTHON_OF: Final = {"=": "==", "<>": "!=", "<": "<", "<=": "<=", ">": "not <=", ">=": "not <"}
"""Comparison → Python's. NaN is above all numbers, while Python calls every comparison with it false: hence `not`."""
_NUMBERS: Final = (int, float, Decimal)
_TYPES: Final[dict[str, type]] = {"integer": int, "text": str, "boolean": bool, "bytes": bytes}
"""Declared types of which a value is NULL or of one Python type."""


class Expressions:
    """Writes expressions into one `Source`; the same expression in several places shares its cells.

    Args: `kinds`, the type of each column, `any` when not known.
    """

    def __init__(self, source: Source, kinds: Sequence[str]) -> None:
        self._source = source
        self._kinds = kinds
        self._cells: dict[tuple[str, int], str] = {}
        self._mirrors: dict[int, Call] = {}
        self._kept: list[object] = []  # what cells are known for by identity must stay alive

    def cell(self, role: str, owner: object, recipe: Recipe, prefix: str) -> str:
        """The cell that plays a role for an expression (or other object): one, however often it is asked for."""
        name = self._cells.get((role, id(owner)))
        if name is None:
            name = self._cells[role, id(owner)] = self._source.cell(recipe, prefix)
            self._kept.append(owner)
        return name

    def shared(self, name: str, recipe: Recipe) -> str:
        """A helper that all expressions of the source share."""
        return self._source.shared(name, recipe)

    def kind(self, expression: Expression) -> str:
        """The type of what an expression gives, as far as it is known."""
        return type_of(expression, self._kinds)

    # Values

    def value(self, e: Expression, env: Environment) -> str:
        """The text of the expression's value: one operand, whatever stands beside it."""
        if isinstance(e, Column):
            return env(e.index)
        if e == Constant(None):
            return "None"
        if cells.closed(e):
            return self.cell("constant", e, cells.constant(e), "c")
        assert isinstance(e, Call)
        if _is_large(e):
            return self._closure(e, env, "value", cells.closure)
        match e.function:
            case symbol if symbol in SYMBOLS:
                return self._comparison(e, env, predicate=False)
            case "is null" | "is true" | "is false":
                return bracketed(self.test(e, env))
            case "case":
                return self._case(e, env)
            case "coalesce":
                return self._coalesce(e, env)
            case "in" if all(map(cells.closed, e.args[1:])):
                return self._on_one(e, env)
        if cells.special(e):
            return self._on_one(e, env)
        name = self.cell("function " + e.function, self._source, cells.function(e.function), "f")
        return f"{name}({', '.join([self.value(a, env) for a in e.args])})"

    def row(self, expressions: Sequence[Expression], env: Environment) -> str:
        """The text of a tuple of values."""
        return tuple_of([self.value(e, env) for e in expressions])

    # Predicates

    def test(self, e: Expression, env: Environment) -> str:
        """The text of whether the expression is TRUE (not FALSE, not NULL)."""
        if cells.closed(e):
            return f"{self.cell('constant', e, cells.constant(e), 'c')} is True"
        if not isinstance(e, Call):
            if self.kind(e) == "boolean":
                return f"{bracketed(self.value(e, env))} is True"
            return f"{self.shared('is_true', cells.is_true())}({self.value(e, env)})"
        if _is_large(e):
            return self._closure(e, env, "test", cells.closure_test)
        match e.function:
            case "and" | "or":
                return f" {e.function} ".join([bracketed(self.test(a, env)) for a in e.args])
            case "not" if isinstance(e.args[0], Call) and e.args[0].function == "is null":
                return f"{bracketed(self.value(e.args[0].args[0], env))} is not None"
            case "not" if self.kind(e.args[0]) == "boolean":
                return f"{bracketed(self.value(e.args[0], env))} is False"
            case symbol if symbol in SYMBOLS:
                return self._comparison(e, env, predicate=True)
            case "is null":
                return f"{bracketed(self.value(e.args[0], env))} is None"
            case "is true":
                return f"{bracketed(self.value(e.args[0], env))} is True"
            case "is false":
                return f"{bracketed(self.value(e.args[0], env))} is False"
            case "in" if len(e.args) > 1 and all(map(cells.closed, e.args[1:])):
                return self._in(e, env)
        if self.kind(e) == "boolean":
            return f"{bracketed(self.value(e, env))} is True"
        return f"{self.shared('is_true', cells.is_true())}({self.value(e, env)})"

    # Comparisons

    def _comparison(self, e: Call, env: Environment, predicate: bool) -> str:
        left, right = e.args
        if cells.closed(left):
            mirrored = self._mirrored(e)
            if not cells.closed(mirrored.args[0]):
                return self._comparison(mirrored, env, predicate)
        if cells.closed(right):
            return self._against_constant(e, env, predicate)
        a, b = self.value(left, env), self.value(right, env)
        kinds = self.kind(left), self.kind(right)
        first, second = self._source.fresh("v"), self._source.fresh("v")
        if predicate and e.function == "=" and kinds[0] == kinds[1] and kinds[0] in ("integer", "text"):
            return f"({first} := {a}) == {b} and {first} is not None"
        helper = self._helper(e.function, predicate)
        plain = self.shared("plain", cells.fixed(PLAIN, "types that Python compares as SQL does"))
        quick = _python(e.function, first, second)
        guard = f"type({first} := {a}) is type({second} := {b}) and type({first}) in {plain}"
        return f"({quick} if {guard} else {helper}({first}, {second}))"

    def _helper(self, symbol: str, predicate: bool) -> str:
        """The cell with the comparison's whole meaning."""
        known = self._cells.get((f"{symbol} {predicate}", id(self._source)))
        if known is not None:
            return known
        meaning = cells.two_valued(symbol) if predicate else cells.function(symbol)
        return self.cell(f"{symbol} {predicate}", self._source, meaning, "compare")

    def _mirrored(self, e: Call) -> Call:
        """The comparison with its sides exchanged: the same one each time, for cells go by identity."""
        if id(e) not in self._mirrors:
            self._mirrors[id(e)] = Call(SYMBOLS[e.function], (e.args[1], e.args[0]))
            self._kept.append(e)
        return self._mirrors[id(e)]

    def _against_constant(self, e: Call, env: Environment, predicate: bool) -> str:
        left, right = e.args
        read, kind = self.value(left, env), self.kind(left)
        if predicate and kind in ("integer", "text"):
            c = self._constant(f"comparable with {kind}", right, _comparable(kind), "c")
            return _plainly(e.function, read, c, self._source)
        helper = self._helper(e.function, predicate)
        c = self._constant("constant", right, lambda value: value, "c")
        v = self._source.fresh("v")
        if kind in _TYPES:
            about = "the type that Python compares as SQL does with "
            k = self._constant(f"type for {kind}", right, _type_for(_TYPES[kind]), "t", about)
            guard = f"type({v} := {read}) is {k}"
        else:
            k = self._constant("type", right, _first_type, "t", "a type that Python compares as SQL does with ")
            j = self._constant("other type", right, _second_type, "t", "another such type for ")
            guard = f"type({v} := {read}) is {k} or type({v}) is {j}"
        return f"({_python(e.function, v, c)} if {guard} else {helper}({v}, {c}))"

    def _constant(self, role: str, e: Expression, derive: Callable[[Value], Any], prefix: str, about: str = "") -> str:
        known = self._cells.get((role, id(e)))
        return known if known is not None else self.cell(role, e, cells.derived(e, derive, about), prefix)

    # Choice

    def _in(self, e: Call, env: Environment) -> str:
        keys = self.cell("keys", e, cells.key_set(e.args[1:]), "keys")
        v, read = self._source.fresh("v"), self.value(e.args[0], env)
        if self.kind(e.args[0]) in ("integer", "text"):
            return f"{read} in {keys}"
        key_of = self.shared("key_of", cells.fixed(canonical_key, KEY_OF))
        return f"({v} if type({v} := {read}) is str or type({v}) is int else {key_of}({v})) in {keys}"

    def _case(self, e: Call, env: Environment) -> str:
        text = self.value(e.args[-1], env)
        for condition, value in reversed(list(zip(e.args[:-1:2], e.args[1::2], strict=True))):
            text = f"{self.value(value, env)} if {self.test(condition, env)} else {text}"
        return f"({text})"

    def _coalesce(self, e: Call, env: Environment) -> str:
        text = self.value(e.args[-1], env)
        for argument in reversed(e.args[:-1]):
            v = self._source.fresh("v")
            text = f"({v} if ({v} := {self.value(argument, env)}) is not None else {text})"
        return text

    # Closures

    def _on_one(self, e: Call, env: Environment) -> str:
        """A closure of the first argument: what the others are is known beforehand."""
        name = self.cell("on one", e, cells.closure(Call(e.function, (Column(0), *e.args[1:]))), "f")
        return f"{name}(({self.value(e.args[0], env)},))"

    def _closure(self, e: Expression, env: Environment, role: str, recipe: Callable[[Expression], Recipe]) -> str:
        """The whole expression as one closure, over the columns it reads."""
        read = sorted(columns_read(e))
        body = remap(e, {index: at for at, index in enumerate(read)})
        return f"{self.cell(role, e, recipe(body), 'f')}({tuple_of([env(index) for index in read])})"


def tuple_of(texts: Sequence[str]) -> str:
    """The text of a tuple."""
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def _python(symbol: str, a: str, b: str) -> str:
    operator = PYTHON_OF[symbol]
    if operator.startswith("not "):
        return f"not {a} {operator[4:]} {b}"
    return f"{a} {operator} {b}"


def bracketed(text: str) -> str:
    """The text as an operand."""
    return text if (text.endswith("]") and " " not in text) or _is_enclosed(text) else f"({text})"


def _is_enclosed(text: str) -> bool:
    """True for text within one pair of brackets."""
    if not text.startswith("("):
        return False
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if not depth:
            return at == len(text) - 1
    return False


def _is_large(e: Expression) -> bool:
    return sum(1 for _ in walk(e)) > MOST_NODES or _depth(e) > MOST_DEPTH


def _depth(e: Expression) -> int:
    return 1 + max([_depth(a) for a in e.args], default=0) if isinstance(e, Call) else 1


def _first_type(value: Value) -> type:
    """The type of values that Python compares with a constant as we do; NaN, NULL, lists and objects have none."""
    return KINDS[type(value)][0] if type(value) in KINDS and value == value else Never


def _second_type(value: Value) -> type:
    return KINDS[type(value)][1] if type(value) in KINDS and value == value else Never


def _type_for(kind: type) -> Callable[[Value], type]:
    """For a column of one type: that type, when Python compares it with the constant as we do."""

    def derive(value: Value) -> type:
        fits = type(value) in KINDS and value == value and kind in KINDS[type(value)]
        return kind if fits else Never

    return derive


def _comparable(kind: str) -> Callable[[Value], Any]:
    """For a column of one type: what its values are compared with by Python so that the answer is TRUE where ours is.

    A value of another class is equal to none (Python calls TRUE equal to 1), NULL is unknown, and NaN, which is above
    all numbers, is as good as infinity: no integer is either.
    """
    fits: tuple[type, ...] = _NUMBERS if kind == "integer" else (str,)

    def derive(value: Value) -> Any:
        if type(value) in fits:
            return value if value == value else inf
        return UNKNOWN if value is None else NEVER

    return derive


def _plainly(symbol: str, read: str, c: str, source: Source) -> str:
    """The comparison of a column that holds one type or NULL, as a predicate."""
    operator = {"=": "==", "<>": "!="}.get(symbol, symbol)
    if symbol == "=":
        return f"{read} == {c}"
    if read.endswith("]") and " " not in read:
        return f"{read} is not None and {read} {operator} {c}"
    v = source.fresh("v")
    return f"({v} := {read}) is not None and {v} {operator} {c}"
