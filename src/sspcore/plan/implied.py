"""Implication: whether a condition holds wherever another does, as far as can be seen from their texts.

Owns one guess that is never wrong, only vague: `implies` says no when it cannot tell. Refuses to look at rows.
"""

from __future__ import annotations

from typing import Final

from sspcore.plan.evaluate import NullCounter, compile_expression
from sspcore.plan.evaluate_compare import SYMBOLS
from sspcore.plan.expressions import Call, Column, Constant, Expression

_BELOW: Final = ("<", "<=")
_ABOVE: Final = (">", ">=")


def implies(a: Expression, b: Expression) -> bool:
    """Whether `b` is TRUE of every row that `a` is TRUE of. Cost: O(conjuncts of a × conjuncts of b), and their sizes.

    >>> late, very = [Call(">", (Column(1), Constant(minutes))) for minutes in (15, 60)]
    >>> implies(very, late), implies(late, very)
    (True, False)
    """
    if a == b:
        return True
    if isinstance(a, Call) and a.function == "or":
        return all(implies(each, b) for each in a.args)
    if isinstance(b, Call) and b.function == "and":
        return all(implies(a, each) for each in b.args)
    if isinstance(a, Call) and a.function == "and" and any(implies(each, b) for each in a.args):
        return True
    if isinstance(b, Call) and b.function == "or":
        return any(implies(a, each) for each in b.args)
    known, wanted = _atom(a), _atom(b)
    return known is not None and wanted is not None and known[0] == wanted[0] and _follows(known[1:], wanted[1:])


Atom = tuple[str, tuple[Constant, ...]]
"""A comparison, or `in`, and what a column is compared with."""


def _atom(e: Expression) -> tuple[Column, str, tuple[Constant, ...]] | None:
    """A column compared with constants."""
    match e:
        case Call("in", (Column() as column, *items)) if all(isinstance(item, Constant) for item in items):
            return column, "in", tuple([item for item in items if isinstance(item, Constant)])
        case Call(symbol, (Column() as column, Constant() as constant)) if symbol in SYMBOLS:
            return column, symbol, (constant,)
        case Call(symbol, (Constant() as constant, Column() as column)) if symbol in SYMBOLS:
            return column, SYMBOLS[symbol], (constant,)
        case Call("not", (Call("is null", (Column() as column,)),)):
            return column, "not null", ()
    return None


def _follows(known: Atom, wanted: Atom) -> bool:
    """Whether a column of which one is TRUE has the other TRUE."""
    (symbol, values), (asked, bounds) = known, wanted
    if asked == "not null":
        return True  # a comparison with NULL is never TRUE
    if symbol in ("=", "in"):
        return all(_true(asked, value, bounds) for value in values if value.value is not None)
    if (asked in _BELOW and symbol in _BELOW) or (asked in _ABOVE and symbol in _ABOVE):
        # x < 5 gives x < 5 and x <= 5; of x <= 5 only the latter follows
        strictly = asked in ("<", ">") and symbol in ("<=", ">=")
        return _true(asked if strictly else asked[0] + "=", values[0], bounds)
    return False


def _true(symbol: str, value: Constant, bounds: tuple[Constant, ...]) -> bool:
    return compile_expression(Call(symbol, (value, *bounds)), NullCounter())(()) is True
