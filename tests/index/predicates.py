"""Random predicates and rows for the index: awkward values, few of them, so that rows and predicates meet.

`Naive` answers every question by evaluating every predicate, with the specification's evaluator.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

from sspcore.algebra.values import canonical
from sspcore.engine.interpret_expressions import evaluate
from sspcore.plan.evaluate import NullCounter, compile_predicate
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.testing.generate import expressions, values
from sspcore.testing.generate.choices import Choices

TYPES = ("integer", "any", "text", "real", "boolean", "decimal", "date", "timestamp", "json")
ORDER = ("<", "<=", ">", ">=")
PATTERNS = (
    "a%",
    "ab%",
    "%a%",
    "%abc%",
    "a_b",
    "ab",
    "%",
    "",
    "a\\_%",
    "%b",
    "a%b%",
    "_b%",
    "bcd%",
    "%cab%b",
    "%aBc%",
    "%bÉC%",
    "ABC_b",
)
ALIKE = (1, True, 1.0, 0, False, "1", "a", date(2013, 6, 24), datetime(2013, 6, 24, tzinfo=UTC))
"""Values that Python, or a careless index, takes for one another, or for different."""
WORDS = (
    "",
    "a",
    "ab",
    "abc",
    "abcab",
    "b",
    "ba",
    "bcd",
    "a_b",
    "cab",
    "xcabb",
    "xabcb",
    "é",
    "1",
    "xABC",
    "abéc",
    "ABÉCİ",
)


class Maker:
    """Predicates and rows over columns of these types."""

    def __init__(self, seed, types=TYPES):
        self.random = Random(seed)
        self.choices = Choices(self.random)
        self.types = types

    def row(self):
        return tuple([self.cell(kind) for kind in self.types])

    def moved(self, row):
        """The row with few cells others, or none."""
        cells = list(row)
        for _ in range(self.random.choice((0, 1, 1, 2, 4))):
            at = self.random.randrange(len(cells))
            cells[at] = self.cell(self.types[at])
        return tuple(cells)

    def cell(self, kind):
        if kind == "text" and self.random.random() < 0.5:
            return self.random.choice(WORDS)
        if kind == "any" and self.random.random() < 0.4:
            return self.random.choice(ALIKE)
        if kind == "json" and self.random.random() < 0.5:
            return tuple([self.cell("any") for _ in range(self.random.randrange(4))])
        if kind == "integer" and self.random.random() < 0.5:
            return self.random.randrange(-20, 40)
        if kind in ("real", "decimal") and self.random.random() < 0.5:
            quarters = self.random.randrange(-80, 160)
            return quarters / 4 if kind == "real" else Decimal(quarters) / 4
        return canonical(values.value(self.choices, kind))

    def column(self, *wanted):
        fitting = [i for i, kind in enumerate(self.types) if kind in wanted]
        at = (
            self.random.choice(fitting)
            if fitting and self.random.random() < 0.9
            else self.random.randrange(len(self.types))
        )
        return at, self.types[at]

    def constant(self, kind):
        return Constant(self.cell(kind if self.random.random() < 0.92 else "any"))

    def atom(self):
        form = self.random.choice(("=", "=", "=", "=", "in", "in", "order", "order", "between", "null", "like", "distinct",
                                   "truth", "any", "<>", "contains"))  # fmt: skip
        if form == "like":
            at, _ = self.column("text")
            return Call(
                self.random.choice(("like", "like", "ilike")), (Column(at), Constant(self.random.choice(PATTERNS)))
            )
        if form == "between":
            at, kind = self.column("integer", "real", "decimal", "timestamp")
            low, high = self.constant(kind), self.constant(kind)
            return Call("and", (Call(self.random.choice((">", ">=")), (Column(at), low)),
                                Call(self.random.choice(("<", "<=")), (Column(at), high))))  # fmt: skip
        if form == "truth":
            at, _ = self.column("boolean")
            test = self.random.choice(("column", "is true", "is false"))
            return Column(at) if test == "column" else Call(test, (Column(at),))
        if form == "contains":
            return self.contains()
        at, kind = self.column()
        if form == "in":
            return Call("in", (Column(at), *[self.constant(kind) for _ in range(self.random.randrange(1, 5))]))
        if form == "null":
            return Call("is null", (Column(at),))
        if form == "any":
            return expressions.predicate(self.choices, self.types)
        symbol = {"order": self.random.choice(ORDER), "distinct": "is distinct"}.get(form, form)
        sides = (Column(at), self.constant(kind))
        return Call(symbol, sides if self.random.random() < 0.8 else sides[::-1])

    def contains(self):
        at, _ = self.column("json")
        items = tuple([self.cell("any") for _ in range(self.random.choice((1, 1, 2, 2, 3, 0)))])
        form = self.random.choice(("@>", "@>", "<@", "&&", "= any", "any of", "<> all", "starts_with"))
        if form == "<@":
            return Call(
                "<@", (Constant(items), Column(at)) if self.random.random() < 0.7 else (Column(at), Constant(items))
            )
        if form == "= any":
            return Call("= any", (self.constant("any"), Column(at)))
        if form in ("any of", "<> all"):
            at, kind = self.column()
            items = tuple([self.cell(kind) for _ in range(self.random.randrange(4))])
            return Call("= any" if form == "any of" else form, (Column(at), Constant(items)))
        if form == "starts_with":
            at, _ = self.column("text")
            return Call(form, (Column(at), Constant(self.random.choice(WORDS))))
        return Call(form, (Column(at), Constant(items)))

    def predicate(self, depth=2):
        if depth == 0 or self.random.random() < 0.35:
            return self.atom()
        if self.random.random() < 0.2:
            return Call("not", (self.predicate(depth - 1),))
        parts = [self.predicate(depth - 1) for _ in range(self.random.choice((2, 2, 3)))]
        return Call(self.random.choice(("and", "and", "or")), tuple(parts))


class Naive:
    """The same questions, answered by looking at everything: by closures, or by walking trees (`slow`)."""

    def __init__(self, slow=False):
        self.slow = slow
        self.filed = {}

    def add(self, id, predicate):
        if predicate is None:
            self.filed[id] = lambda row: True
        elif self.slow:
            self.filed[id] = lambda row: evaluate(predicate, row) is True
        else:
            self.filed[id] = compile_predicate(predicate, NullCounter())

    def remove(self, id):
        del self.filed[id]

    def route(self, row):
        return {id for id, test in self.filed.items() if test(row)}

    def route2(self, old, new):
        return moves(self.route(old), self.route(new))


def moves(before, after):
    return {id: "stays" if id in before and id in after else "entered" if id in after else "left"
            for id in before | after}  # fmt: skip
