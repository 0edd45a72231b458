"""Cells: where the values come from that generated code reads by name, once parameters and tables are known.

Owns the recipes for these values and the helpers that generated code calls where it has no short cut. Refuses to know
text: emitters ask for a recipe and put it in a cell of their `Source`.

Generated code of one shape is compiled once; each view binds it anew. So a cell holds a *recipe* until then, a function
of the `Binding`. Recipes that read parameters are marked, for they are made again when a parameter changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from sspcore.algebra.values import Value, canonical_key
from sspcore.engine.explain import show
from sspcore.engine.operators.base import Meter
from sspcore.plan.casts import CASTS
from sspcore.plan.evaluate import NullCounter, compile_expression, compile_predicate, counted_function
from sspcore.plan.expressions import Call, Column, Expression, Param, bind, rewrite, walk


class Never:
    """A type no value has, and as an instance a value of a class of its own: equal to none, before and after none."""

    __slots__ = ()

    def __lt__(self, other: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__


class Unknown(Never):
    """NULL as an operand: no comparison with it is TRUE."""

    __slots__ = ()

    def __ne__(self, other: object) -> bool:
        return False


NEVER: Final = Never()
UNKNOWN: Final = Unknown()


class Binding:
    """One view's parameters, tables and meter: what recipes are made into values with.

    `source` gives the rows of the first leaf of the stage being bound, anew each time it is called.
    """

    __slots__ = ("_helpers", "arrangements", "meter", "params", "source", "tables")

    def __init__(self, params: Mapping[str, Value], tables: Mapping[str, Any], meter: Meter) -> None:
        self.params = params
        self.tables = tables
        self.meter = meter
        self.source: Callable[[], Mapping[Any, Any]] = dict
        self.arrangements: dict[tuple[str, tuple[str, ...]], Mapping[Any, Any]] = {}
        """Taken out of the tables, to be released with the view."""
        self._helpers: dict[str, Any] = {}

    def arranged(self, table: str, columns: tuple[str, ...]) -> Mapping[Any, Any]:
        """The live index of a table by some columns."""
        held = self.arrangements.get((table, columns))
        if held is None:
            held = self.arrangements[table, columns] = self.tables[table].arrange(columns)
        return held

    def release(self) -> None:
        """Give the arrangements back."""
        for table, columns in self.arrangements:
            self.tables[table].release(columns)
        self.arrangements = {}

    def once(self, name: str, make: Callable[[Binding], Any]) -> Any:
        """A helper shared by all cells of a view."""
        helper = self._helpers.get(name)
        if helper is None:
            helper = self._helpers[name] = make(self)
        return helper


@attrs.frozen
class Recipe:
    """How a cell gets its value; `about`, what it is, for readers.

    `varies` when it reads a parameter; `steady` when it is the same in every view, whatever the binding; `param`, when
    it is the value of that parameter, as it is.
    """

    make: Callable[[Binding], Any]
    varies: bool = False
    about: str = ""
    steady: bool = False
    param: str = ""


def fixed(value: Any, about: str = "") -> Recipe:
    """A cell that is the same in every view."""
    return Recipe(lambda _: value, about=about, steady=True)


def closed(expression: Expression) -> bool:
    """True when the expression reads no column, so that its value is known as soon as the parameters are."""
    return not any(isinstance(e, Column) for e in walk(expression))


def varies(expression: Expression) -> bool:
    """True when the expression reads a parameter."""
    return any(isinstance(e, Param) for e in walk(expression))


def value_of(expression: Expression, binding: Binding) -> Value:
    """The value of a closed expression."""
    return compile_expression(bind(expression, binding.params), binding.meter.nulls)(())


def evaluator(expression: Expression) -> Callable[[Binding], Value]:
    """`value_of` for an expression whose value is asked for often, as parameters move: compiled once for all views."""
    if isinstance(expression, Param):
        name = expression.name
        return lambda b: b.params[name] if name in b.params else value_of(expression, b)
    if not varies(expression):
        return lambda b: value_of(expression, b)
    names = sorted({e.name for e in walk(expression) if isinstance(e, Param)})
    nulls = NullCounter()
    compiled: list[Callable[[tuple[Value, ...]], Value]] = []

    def value(binding: Binding) -> Value:
        params = binding.params
        if not all(name in params for name in names):
            return value_of(expression, binding)
        if not compiled:
            as_columns = rewrite(expression, lambda e: Column(names.index(e.name)) if isinstance(e, Param) else e)
            compiled.append(compile_expression(as_columns, nulls))
        before = nulls.errors
        found = compiled[0](tuple([params[name] for name in names]))
        binding.meter.nulls.errors += nulls.errors - before
        return found

    return value


def constant(expression: Expression) -> Recipe:
    """The value of a closed expression."""
    moves = varies(expression)
    param = expression.name if isinstance(expression, Param) else ""
    return Recipe(evaluator(expression), moves, show(expression, ()), not moves, param)


def derived(expression: Expression, derive: Callable[[Value], Any], about: str = "") -> Recipe:
    """Something computed from the value of a closed expression."""
    value = evaluator(expression)
    moves = varies(expression)
    return Recipe(lambda b: derive(value(b)), moves, (about + show(expression, ())).strip(), not moves)


def key_set(items: tuple[Expression, ...]) -> Recipe:
    """The canonical keys of closed expressions, NULLs left out: what IN looks into."""

    def make(binding: Binding) -> frozenset[Any]:
        values = [value_of(item, binding) for item in items]
        return frozenset([canonical_key(value) for value in values if value is not None])

    about = f"what equals one of {', '.join([show(item, ()) for item in items])}"
    moves = any(map(varies, items))
    return Recipe(make, moves, about, not moves)


def function(name: str) -> Recipe:
    """A function of the library, its errors counted."""
    return Recipe(lambda b: b.once(name, lambda b: counted_function(name, b.meter.nulls)), about=f"the function {name}")


def two_valued(symbol: str) -> Recipe:
    """A comparison of two values as a predicate has it: TRUE, or not."""

    def make(binding: Binding) -> Callable[[Value, Value], bool]:
        meaning = counted_function(symbol, binding.meter.nulls)
        return lambda a, b: a is not None and b is not None and meaning(a, b) is True

    return Recipe(lambda b: b.once(f"{symbol} as a test", make), about=f"whether a {symbol} b, for any types")


def closure(expression: Expression) -> Recipe:
    """The expression as `plan/evaluate` compiles it: a function of a row."""
    about = f"{show(expression, ())} of a row"
    return Recipe(lambda b: compile_expression(bind(expression, b.params), b.meter.nulls), varies(expression), about)


def closure_test(expression: Expression) -> Recipe:
    """The predicate as `plan/evaluate` compiles it: a function of a row."""
    about = f"whether {show(expression, ())} of a row"
    return Recipe(lambda b: compile_predicate(bind(expression, b.params), b.meter.nulls), varies(expression), about)


def is_true() -> Recipe:
    """Whether a condition is TRUE; one that is not boolean is counted."""

    def make(binding: Binding) -> Callable[[Value], bool]:
        nulls = binding.meter.nulls

        def test(value: Value) -> bool:
            if value is not None and type(value) is not bool:
                nulls.errors += 1
            return value is True

        return test

    return Recipe(lambda b: b.once("is true", make), about="whether a condition is TRUE")


def special(call: Call) -> bool:
    """True for calls whose closure is much faster than calling the function: they look into a constant once."""
    if call.function == "cast":
        kind = call.args[1]
        return closed(kind) and not varies(kind) and getattr(kind, "value", None) in CASTS
    return call.function in ("like", "ilike") and all(map(closed, call.args[1:]))
