"""What the aggregates of a group keep, and the text that adds to it, takes from it and reads it.

Owns the places of a group's state beyond those `groups` fixes. Counts and sums of integers are written out, and those
of floats that are whole multiples of 2⁻⁶⁴; other numbers go through the helpers of `groups`, every other aggregate
through its accumulator, the operators' own. Refuses to know groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs

from sspcore.engine.emit import cells, groups
from sspcore.engine.emit.cells import Recipe
from sspcore.engine.emit.expressions import Environment
from sspcore.engine.emit.frame import Frame
from sspcore.engine.operators.accumulators import accumulator_of
from sspcore.plan.expressions import Expression
from sspcore.plan.nodes import AggregateCall

SIZES: Final = {"count": 1, "integers": 2, "numbers": 5, "object": 1}
"""Form → places in a group's state."""


@attrs.frozen(eq=False)
class Kept:
    """An accumulator: `form` (count, integers, numbers or object), what it takes, and its first place."""

    form: str
    argument: Expression
    at: int
    call: AggregateCall


class Accumulating:
    """The aggregates of one grouping, an accumulator shared where kind and argument are the same."""

    def __init__(self, frame: Frame, calls: Sequence[AggregateCall]) -> None:
        self.frame = frame
        self.source = frame.source
        self.write = frame.expressions
        self.calls = calls
        self.kept: list[Kept] = []
        self._of: list[Kept | None] = []
        """Per call; None counts rows."""
        places: dict[tuple[object, str], Kept] = {}
        at = groups.FIRST
        for call in calls:
            if call.argument is None:
                self._of.append(None)
                continue
            # told apart by what is printed: equality of constants does not tell (1,) from (TRUE,)
            kept = places.get((accumulator_of(call), repr(call.argument)))
            if kept is None:
                kept = Kept(self._form(call), call.argument, at, call)
                places[accumulator_of(call), repr(call.argument)] = kept
                self.kept.append(kept)
                at += SIZES[kept.form]
            self._of.append(kept)

    def _form(self, call: AggregateCall) -> str:
        if call.distinct and call.function not in ("min", "max"):
            return "object"
        if call.function == "count":
            return "count"
        if call.function in ("sum", "avg"):
            assert call.argument is not None
            return "integers" if self.write.kind(call.argument) == "integer" else "numbers"
        return "object"

    def layout(self) -> str:
        """What is where in a group's state, for readers."""
        places = ["[0] count", "[1] values", "[2] key", "[3] row", "[4] variants"]
        for kept in self.kept:
            last = kept.at + SIZES[kept.form] - 1
            places.append(f"[{kept.at}{f'-{last}' * (last > kept.at)}] {self._about(kept)}")
        return ", ".join(places)

    def _about(self, kept: Kept) -> str:
        words = {"count": "count", "integers": "total and count", "numbers": "exact sum", "object": kept.call.function}
        return f"{words[kept.form]} of {'distinct ' * kept.call.distinct}{self.frame.words(kept.argument)}"

    def zeros(self) -> str:
        """The text of what a new group keeps, after its fixed places."""
        text = ""
        for kept in self.kept:
            if kept.form == "object":
                make = cells.fixed(accumulator_of(kept.call), f"an empty accumulator for {kept.call.function}")
                text += f", {self._cell('new', kept, make)}()"
            else:
                text += {"count": ", 0", "integers": ", 0, 0", "numbers": ", 0, 0, 0, 0, None"}[kept.form]
        return text

    # A member comes, goes, or changes

    def add(self, env: Environment) -> None:
        """A member's values come."""
        self._one(env, "+", 1)

    def remove(self, env: Environment) -> None:
        """A member's values go."""
        self._one(env, "-", -1)

    def _one(self, env: Environment, sign: str, weight: int) -> None:
        source = self.source
        for kept in self.kept:
            text, at = self.write.value(kept.argument, env), kept.at
            source.note(self._about(kept))
            if kept.form == "count":
                with source.block(f"if {text} is not None:"):
                    source.line(f"s[{at}] {sign}= 1")
                continue
            source.line(f"x = {text}")
            if kept.form == "numbers":
                self._number(kept, "x", sign, weight)
                continue
            with source.block("if x is not None:"):
                if kept.form == "integers":
                    source.line(f"s[{at}] {sign}= x")
                    source.line(f"s[{at + 1}] {sign}= 1")
                else:
                    source.line(f"s[{at}].add(x, {weight})")

    def _number(self, kept: Kept, x: str, sign: str, weight: int) -> None:
        source, at = self.source, kept.at
        add = self.write.shared("add_number", cells.fixed(groups.add_number, "adds to an exact sum"))
        if self.write.kind(kept.argument) == "any":
            with source.block(f"if type({x}) is int:"):
                source.line(f"s[{at}] {sign}= {x}")
                source.line(f"s[{at + 1}] {sign}= 1")
            with source.block(f"elif {x} is not None:"):
                source.line(f"{add}(s, {at}, {x}, {weight})")
            return
        if self._is_real(kept):
            with source.block(f"if {self._whole(x, 'u')}:"):
                source.lines(f"s[{at + 2}] {sign}= int(u)", f"s[{at + 3}] {sign}= 1")
            with source.block(f"elif {x} is not None:"):
                source.line(f"{add}(s, {at}, {x}, {weight})")
            return
        with source.block(f"if {x} is not None:"):
            source.line(f"{add}(s, {at}, {x}, {weight})")

    def _is_real(self, kept: Kept) -> bool:
        return self.write.kind(kept.argument) == "real"

    def _whole(self, x: str, u: str) -> str:
        """The text of whether a value is a float that is a whole number of units; `u` names how many."""
        unit = self.write.shared("unit", cells.fixed(groups.UNIT, "units in 1.0"))
        most = self.write.shared("most", cells.fixed(groups.MOST, "units of which sums are plain integers"))
        return f"type({x}) is float and -{most} < ({u} := {x} * {unit}) < {most} and {u}.is_integer()"

    def replace(self, old: Environment, new: Environment) -> None:
        """A member stays, its values may change."""
        source = self.source
        for kept in self.kept:
            at = kept.at
            before, after = self.write.value(kept.argument, old), self.write.value(kept.argument, new)
            source.note(self._about(kept))
            if kept.form == "count":
                with source.block(f"if {before} is None:"), source.block(f"if {after} is not None:"):
                    source.line(f"s[{at}] += 1")
                with source.block(f"elif {after} is None:"):
                    source.line(f"s[{at}] -= 1")
                continue
            source.lines(f"x = {before}", f"y = {after}")
            with source.block("if x is not y:"):
                if kept.form == "numbers":
                    self._change_number(kept)
                elif kept.form == "integers":
                    self._change_integer(at)
                else:
                    with source.block("if x is not None:"):
                        source.line(f"s[{at}].add(x, -1)")
                    with source.block("if y is not None:"):
                        source.line(f"s[{at}].add(y, 1)")

    def _change_integer(self, at: int) -> None:
        source = self.source
        with source.block("if x is None:"):
            source.lines(f"s[{at}] += y", f"s[{at + 1}] += 1")
        with source.block("elif y is None:"):
            source.lines(f"s[{at}] -= x", f"s[{at + 1}] -= 1")
        with source.block("else:"):
            source.line(f"s[{at}] += y - x")

    def _change_number(self, kept: Kept) -> None:
        source, at = self.source, kept.at
        change = self.write.shared(
            "change_number", cells.fixed(groups.change_number, "exchanges a number of an exact sum")
        )
        if self.write.kind(kept.argument) == "any":
            with source.block("if type(x) is int and type(y) is int:"):
                source.line(f"s[{at}] += y - x")
        elif self._is_real(kept):
            with source.block(f"if {self._whole('x', 'u')} and {self._whole('y', 'w')}:"):
                source.line(f"s[{at + 2}] += int(w) - int(u)")
        else:
            source.line(f"{change}(s, {at}, x, y)")
            return
        with source.block("else:"):
            source.line(f"{change}(s, {at}, x, y)")

    # Reading

    def readings(self) -> list[str]:
        """The texts of the aggregates' values, in order."""
        return [self._reading(call, kept) for call, kept in zip(self.calls, self._of, strict=True)]

    def _reading(self, call: AggregateCall, kept: Kept | None) -> str:
        if kept is None:
            return "s[0]"
        at = kept.at
        match kept.form, call.function:
            case "count", _:
                return f"s[{at}]"
            case "integers", function if not self.frame.stored(kept.argument):
                reader = groups.integer_sum if function == "sum" else groups.integer_average
                name = self.write.shared(f"{function}_of_integers", cells.fixed(reader, f"reads {function}"))
                return f"{name}(s, {at})"
            case "integers", "sum":
                return f"(s[{at}] if s[{at + 1}] else None)"
            case "integers", _:
                return f"(s[{at}] / s[{at + 1}] if s[{at + 1}] else None)"
            case "numbers", "sum":
                read = self.write.shared("sum_of", _reader(groups.sum_reader, "reads a sum"))
                return self._quick(kept, f"s[{at + 2}] * ", f"{read}(s, {at})")
            case "numbers", _:
                read = self.write.shared("average_of", _reader(groups.average_reader, "reads an average"))
                return self._quick(kept, f"s[{at + 2}] / s[{at + 3}] * ", f"{read}(s, {at})")
        recipe = Recipe(lambda b: groups.reader_of(call, at, b.meter.nulls), about=f"reads {call.function}")
        return f"{self._cell('read', call, recipe)}(s)"

    def _quick(self, kept: Kept, floats: str, read: str) -> str:
        """The text of a sum or an average where the argument is a float: of nothing but plain floats, or as `read`.

        An integer becomes the float nearest to it, and so does a quotient of two; a power of two keeps that.
        """
        if not self._is_real(kept):
            return read
        at, size = kept.at, self.write.shared("size", cells.fixed(1 / groups.UNIT, "of a unit"))
        return f"({floats}{size} if s[{at + 3}] and s[{at + 4}] is None else {read})"

    @property
    def exact(self) -> bool:
        """True when equal readings are the same: each is NULL or of one Python type."""
        return all(
            kept is None or self.frame.exact(kept.argument) or (kept.form == "numbers" and self._is_real(kept))
            for kept in self._of
        )

    def _cell(self, role: str, owner: object, recipe: Recipe) -> str:
        return self.write.cell(role, owner, recipe, role)


def _reader(make: Any, about: str) -> Recipe:
    return Recipe(lambda b: make(b.meter.nulls), about=about)
