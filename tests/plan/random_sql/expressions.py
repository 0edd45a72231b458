"""Random SQL expressions as text, typed so that their operands fit.

Owns expressions and conditions; the queries inside them are `queries`'. An expression is (text, precedence), so that
parentheses are left out where SQL lets one leave them out: what the parser does with that is under test too. What
Postgres and the two databases mean differently is not written: see the reasons beside each case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sspcore.testing.generate.choices import Choices
from tests.plan.random_sql import moments

OR, AND, NOT, IS, COMPARE, LIKE, OTHER, SUM, PRODUCT, SIGN, ATOM = range(11)
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=", "!=")
PATTERNS = ("a%", "%b", "_", "%", "%a%b%", "", "a_", "A%", "%a%", "b")
LITERALS = {
    "integer": ("1", "2", "0", "3", "-1", "10", "$n", "$m"),
    "real": ("0.5", "2.0", "1.5", "-2.5", "$h"),
    "text": ("'a'", "'b'", "''", "'ab'", "'a%'", "'it''s'", "$s"),
    "boolean": ("TRUE", "FALSE", "$yes"),
}
UNCOMPUTED = ("ratio", "spread", "list", "rows")
"""Kinds that are shown and no more: an average is exact in itself, but sums of it would depend on their order."""
SQL_TYPES = {"integer": "integer", "real": "double precision", "text": "text", "boolean": "boolean"}


class Sql(NamedTuple):
    """An expression: its text, and how tightly its outermost operator binds."""

    text: str
    binds: int = ATOM

    def at(self, least: int) -> str:
        """The text as an operand of something that binds so tightly."""
        return self.text if self.binds >= least else f"({self.text})"


class Names:
    """What an expression may read: the columns of a scope, or a group's values and aggregates."""

    def atom(self, kind: str) -> Sql | None:
        """Some value of the kind that is read, not computed; None when there is none."""
        raise NotImplementedError

    def subquery(self) -> object:
        """The scope that a subquery written here sees around it."""
        raise NotImplementedError


class Expressions:
    """Draws expressions. `portable` turns False when SQLite would not understand, or would mean something else."""

    def __init__(self, c: Choices) -> None:
        self.c = c
        self.portable = True

    def value(self, kind: str, names: Names, depth: int) -> Sql:
        """An expression of the kind."""
        c = self.c
        if kind == "boolean":
            return self.condition(names, depth)
        if kind == "rows":
            return self.rows(names)
        if kind in UNCOMPUTED:
            return names.atom(kind) or Sql("NULL")
        if depth <= 0 or c.chance(45):
            return self._leaf(kind, names)
        if c.chance(22):
            return self._choice(kind, names, depth)
        if c.chance(9):
            found = self.scalar(kind, names, depth)
            if found is not None:
                return found
        made: Callable[[Names, int], Sql] = {"integer": self._integer, "real": self._real, "text": self._text}[kind]
        return made(names, depth)

    def _leaf(self, kind: str, names: Names) -> Sql:
        if self.c.chance(75):
            found = names.atom(kind)
            if found is not None:
                return found
        if self.c.chance(4):
            return Sql(f"CAST(NULL AS {SQL_TYPES[kind]})")
        text = self.c.pick(LITERALS[kind])
        return Sql(text, SIGN if text.startswith("-") else ATOM)

    def _choice(self, kind: str, names: Names, depth: int) -> Sql:
        """CASE, coalesce, nullif, greatest, least."""
        c = self.c
        form = c.weighted(((3, "case"), (3, "coalesce"), (2, "nullif"), (1, "simple case"), (1, "greatest")))
        one, two = self.value(kind, names, depth - 1), self.value(kind, names, depth - 1)
        if kind == "real" and form != "nullif" and c.chance(25):
            two = self.value("integer", names, depth - 1)  # beside a real it is one
        if form == "coalesce":
            more = f", {self.value(kind, names, 0).text}" if c.chance(25) else ""
            return Sql(f"coalesce({one.text}, {two.text}{more})")
        if form == "nullif":
            return Sql(f"nullif({one.text}, {two.text})")
        if form == "greatest":
            return Sql(f"{c.pick(('greatest', 'least'))}({one.text}, {two.text})")
        if form == "simple case":
            over = c.pick(("integer", "text"))
            subject, when = self.value(over, names, depth - 1), self.value(over, names, 0)
            return Sql(f"CASE {subject.text} WHEN {when.text} THEN {one.text} ELSE {two.text} END")
        more = ""
        if c.chance(30):
            more = f" WHEN {self.condition(names, depth - 1).text} THEN {self.value(kind, names, 0).text}"
        otherwise = f" ELSE {two.text}" if c.chance(75) else ""
        return Sql(f"CASE WHEN {self.condition(names, depth - 1).text} THEN {one.text}{more}{otherwise} END")

    def _integer(self, names: Names, depth: int) -> Sql:
        c = self.c
        form = c.weighted(((8, "+-*"), (2, "/%"), (2, "-"), (2, "length"), (1, "abs"), (1, "cast"), (1, "strpos"),
                           (1, "moment")))  # fmt: skip
        if form == "length":
            return Sql(f"length({self.value('text', names, depth - 1).text})")
        if form == "moment":
            self.portable = False
            return Sql(moments.number(c, self._near(names), self._near(names)))
        if form == "strpos":
            return Sql(f"strpos({self.value('text', names, depth - 1).text}, {c.pick(LITERALS['text'])})")
        if form == "cast":
            if c.chance(50):  # of whole numbers: halves go away from zero here, and elsewhere to even or to zero
                return Sql(f"CAST(floor({self.value('real', names, depth - 1).text}) AS integer)")
            return Sql(f"CAST('{c.between(0, 12)}' AS integer)")
        one = self.value("integer", names, depth - 1)
        if form == "abs":
            return Sql(f"abs({one.text})")
        if form == "-":
            return Sql(f"- {one.at(ATOM)}", SIGN)
        if form == "/%":
            divisor = c.pick(("2", "3", "(-2)", f"nullif({self.value('integer', names, 0).text}, 0)"))
            return Sql(f"{one.at(PRODUCT)} {c.pick('/%')} {divisor}", PRODUCT)
        return self._infix(c.pick("+-*"), one, self.value("integer", names, depth - 1))

    def _near(self, names: Names) -> str:
        """A whole number that is read, or a literal: never one that leaves the calendar."""
        return f"({self._leaf('integer', names).text})"

    def _infix(self, operator: str, one: Sql, two: Sql) -> Sql:
        binds = PRODUCT if operator == "*" else SUM
        return Sql(f"{one.at(binds)} {operator} {two.at(binds + 1)}", binds)

    def _real(self, names: Names, depth: int) -> Sql:
        c = self.c
        form = c.weighted(((6, "+-*"), (2, "/"), (1, "-"), (2, "cast"), (1, "abs"), (1, "floor")))
        if form == "cast":
            return Sql(f"CAST({self.value('integer', names, depth - 1).text} AS double precision)")
        one = self.value("real", names, depth - 1)
        if form == "abs":
            return Sql(f"abs({one.text})")
        if form == "floor":
            return Sql(f"{c.pick(('floor', 'ceil'))}({one.text})")
        if form == "-":
            return Sql(f"- {one.at(ATOM)}", SIGN)
        if form == "/":  # by powers of two, so that all reals stay dyadic
            if c.chance(40):
                return Sql(f"{self.value('integer', names, depth - 1).at(PRODUCT)} / {c.pick(('2.0', '0.5'))}", PRODUCT)
            return Sql(f"{one.at(PRODUCT)} / {c.pick(('2.0', '0.5', '4', '(-2)'))}", PRODUCT)
        two = self.value(c.pick(("real", "integer")), names, depth - 1)
        return self._infix(c.pick("+-*"), *((one, two) if c.chance(50) else (two, one)))

    def _text(self, names: Names, depth: int) -> Sql:
        c = self.c
        form = c.weighted(((5, "||"), (3, "upper"), (2, "substr"), (2, "cast"), (1, "replace"), (1, "left")))
        if form == "cast":
            return Sql(f"CAST({self.value('integer', names, depth - 1).text} AS text)")
        one = self.value("text", names, depth - 1)
        if form == "upper":
            return Sql(f"{c.pick(('upper', 'lower', 'trim'))}({one.text})")
        if form == "substr":
            return Sql(f"substr({one.text}, {c.between(1, 2)}, {c.between(0, 2)})")
        if form == "replace":
            return Sql(f"replace({one.text}, 'a', {c.pick(LITERALS['text'])})")
        if form == "left":
            return Sql(f"{c.pick(('left', 'right'))}({one.text}, 1)")
        return Sql(f"{one.at(OTHER)} || {self.value('text', names, depth - 1).at(SUM)}", OTHER)

    def condition(self, names: Names, depth: int) -> Sql:
        """A condition, three-valued."""
        c = self.c
        if depth > 0 and c.chance(35):
            form = c.weighted(((4, "AND"), (4, "OR"), (3, "NOT")))
            one = self.condition(names, depth - 1)
            if form == "NOT":
                return Sql(f"NOT {one.at(IS)}", NOT)
            binds = AND if form == "AND" else OR
            two = self.condition(names, depth - 1)
            return Sql(f"{one.at(binds)} {form} {two.at(binds)}", binds)
        if depth > 0 and c.chance(18):
            found = self.membership(names, depth)
            if found is not None:
                return found
        return self._test(names, depth)

    def _test(self, names: Names, depth: int) -> Sql:
        c = self.c
        form = c.weighted((
            (10, "compare"), (3, "null"), (2, "column"), (3, "in"), (2, "like"), (2, "between"), (2, "distinct"),
            (1, "is"), (1, "literal"), (1, "equal"), (1, "choice"), (1, "ratio"), (1, "moment"),
        ))  # fmt: skip
        kind = c.pick(("integer", "integer", "text", "real"))
        negation = "NOT " if c.chance(35) else ""
        less = depth - 1

        def operand(other: str = kind, least: int = OTHER) -> str:
            return self.value(other, names, less).at(least)

        if form == "null":
            tested = self.condition(names, less).at(ATOM) if c.chance(15) else operand()
            return Sql(f"{tested} IS {negation}NULL", IS)
        if form == "column":
            return names.atom("boolean") or Sql(c.pick(LITERALS["boolean"]))
        if form == "in":
            items = ", ".join([self.value(kind, names, 0).text for _ in range(c.between(1, 3))])
            items += ", NULL" if c.chance(12) else ""
            return Sql(f"{operand()} {negation}IN ({items})", LIKE)
        if form == "like":
            word = "ILIKE" if c.chance(25) else "LIKE"
            return Sql(f"{operand('text')} {negation}{word} '{c.pick(PATTERNS)}'", LIKE)
        if form == "between":
            return Sql(f"{operand()} {negation}BETWEEN {operand(least=SUM)} AND {operand(least=SUM)}", LIKE)
        if form == "moment":
            self.portable = False
            return Sql(moments.condition(c, self._near(names), self._near(names), c.pick(COMPARISONS)), OR)
        if form == "distinct":
            return Sql(f"{operand()} IS {negation}DISTINCT FROM {operand()}", IS)
        if form == "is":
            return Sql(f"{self.condition(names, less).at(ATOM)} IS {negation}{c.pick(('TRUE', 'FALSE'))}", IS)
        if form == "literal":
            return Sql(c.pick(("TRUE", "FALSE", "$yes", "1 = 1", "CAST(NULL AS boolean)")))._replace(binds=COMPARE)
        if form == "equal":
            two = self.condition(names, less).at(ATOM)
            return Sql(f"{self.condition(names, less).at(ATOM)} {c.pick(('=', '<>', 'IS DISTINCT FROM'))} {two}", IS)
        if form == "choice" and depth > 0:
            return Sql(f"coalesce({self.condition(names, less).text}, {self.condition(names, less).text})")
        if form == "ratio":
            found = names.atom("ratio")
            if found is not None:
                return Sql(f"{found.text} {c.pick(COMPARISONS)} {operand('real')}", COMPARE)
        other = {"integer": "real", "real": "integer"}.get(kind, kind) if c.chance(20) else kind
        return Sql(f"{operand()} {c.pick(COMPARISONS)} {operand(other)}", COMPARE)

    def membership(self, names: Names, depth: int) -> Sql | None:
        """[NOT] IN and EXISTS of a subquery."""
        raise NotImplementedError

    def rows(self, names: Names) -> Sql:
        """The list of a query's values."""
        raise NotImplementedError

    def scalar(self, kind: str, names: Names, depth: int) -> Sql | None:
        """A subquery of one value."""
        raise NotImplementedError
