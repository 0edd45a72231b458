"""Aggregate and DISTINCT as generated code: one row per group, its sums kept up in place.

Equation: Δ(γ R) = γ(I(ΔR)) − z⁻¹γ(I(ΔR)), on the groups that ΔR names. State: one list per group (`groups` says what is
in it). Cost: one or two lookups and the aggregates per changed row, one row per group touched. Owns the choice between
text and helper for each aggregate. Refuses to know where the rows come from.

DISTINCT is an aggregate by all columns without aggregates: its row is the group's values as shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

import attrs

from sspcore.algebra.values import canonical_key
from sspcore.codegen.source import Source
from sspcore.engine.emit import cells, groups
from sspcore.engine.emit.accumulate import Accumulating
from sspcore.engine.emit.expressions import KEY_OF, tuple_of
from sspcore.engine.emit.frame import Frame
from sspcore.engine.emit.pipe import Pipe
from sspcore.plan.expressions import Column, Expression, columns_read
from sspcore.plan.nodes import AggregateCall

NUMBERS: Final = frozenset({
    "count", "sum", "avg", "min", "max", "bool_and", "bool_or", "var_samp", "var_pop", "stddev_samp", "stddev_pop",
})  # fmt: skip
"""Aggregates over a multiset of values: those for which the order of the members does not count."""
MOST_COMPARED: Final = 6
"""Columns compared before a change is looked at: most changes are of columns that an aggregate does not read."""


def has_emitter(calls: Sequence[AggregateCall]) -> bool:
    """True when all aggregates can be written as code."""
    return all(c.function in NUMBERS and not c.order and c.separator is None and c.where is None for c in calls)


@attrs.frozen
class Grouping:
    """What an aggregate computes of its pipe's rows: group values, then calls; without `grouped` one group, always."""

    values: tuple[Expression, ...]
    calls: tuple[AggregateCall, ...]
    grouped: bool = True


class GroupsEmitter:
    """Writes `hydrate`, `change_0` and `value` of an aggregate over a pipe of one leaf."""

    given: ClassVar[int] = 1
    """The inputs whose rows `hydrate` takes, the first so many."""

    def __init__(self, source: Source, pipe: Pipe, grouping: Grouping) -> None:
        self.source = source
        self.frame = Frame(source, pipe)
        self.write = self.frame.expressions
        self.grouping = grouping
        self.tests = [*self.frame.local[0], *self.frame.late]
        self.simple = all(map(self.frame.exact, grouping.values))
        """Equal group values are the same, so that the group's first member speaks for all."""
        self.sums = Accumulating(self.frame, grouping.calls)

    def emit(self) -> list[str]:
        """Write all functions; their names."""
        source = self.source
        if self.tests:
            source.note("rows where " + " and ".join([self.frame.words(test) for test in self.tests]))
        words = ", ".join([self.frame.words(e) for e in self.grouping.values])
        source.note(f"s, a group of {words or 'all rows'}: {self.sums.layout()}")
        if self.grouping.grouped:
            source.line("groups = {}")
            source.line("seek = groups.get")
        else:
            source.line(f"whole = [0, (), (), None, None{self.sums.zeros()}]")
        self.hydrate()
        self.change()
        self.value()
        return ["hydrate", "change_0", "value", *self.idle()]

    # Functions

    def hydrate(self) -> None:
        """All groups, out of all rows."""
        source = self.source
        with source.block("def hydrate(rows0):"):
            with source.block("for r0 in rows0.values():"):
                self._where(self.frame.tests(self.tests, {0: "r0"}), lambda: self.add("r0"))
            if not self.grouping.grouped:
                source.line("s = whole")
                source.line(f"s[3] = {self.row()}")
                source.line("return {s[2]: s[3]}")
                return
            source.line("out = {}")
            with source.block("for s in groups.values():"):
                source.line(f"out[s[2]] = s[3] = {self.row()}")
            source.line("return out")

    def value(self) -> None:
        """The rows as they are now."""
        with self.source.block("def value():"):
            if self.grouping.grouped:
                self.source.line("return {s[2]: s[3] for s in groups.values()}")
            else:
                self.source.line("return {whole[2]: whole[3]}")

    def change(self) -> None:
        """The groups' rows that a change of the input turns."""
        source, grouped = self.source, self.grouping.grouped
        with source.block("def change_0(changes):"):
            source.line("touched = {}")
            with source.block("for k0, o0, n0 in changes:"):
                for name in ("o0", "n0"):
                    if self.tests:
                        with source.block(
                            f"if {name} is not None and not ({self.frame.tests(self.tests, {0: name})}):"
                        ):
                            source.line(f"{name} = None")
                with source.block("if o0 is not None:"):
                    with source.block("if n0 is not None:"):
                        self.stay()
                    self.remove()
                with source.block("if n0 is not None:"):
                    self.add("n0", touch=True)
            source.line("out = []")
            with source.block("for g, s in touched.items():"):
                source.line("was = s[3]")
                if grouped:
                    with source.block("if not s[0]:"):
                        source.line("del groups[g]")
                        with source.block("if was is not None:"):
                            source.line("out.append((s[2], was, None))")
                        source.line("continue")
                source.line(f"now = {self.row()}")
                differs = "" if self.simple and self.sums.exact else f" or not {self.frame.same()}(was, now)"
                with source.block(f"if was is None or now != was{differs}:"):
                    source.line("s[3] = now")
                    source.line("out.append((s[2], was, now))")
            meter = self.frame.meter()
            source.line(f"{meter}.rows += len(changes)")
            source.line(f"{meter}.probes += 2 * len(changes)")
            source.line("return out")

    def idle(self) -> list[str]:
        """The function that says of a row before and after that nothing changes that is read, and counts it then."""
        used = sorted({c for e in [*self._read(), *self.tests] for c in columns_read(e)})
        plain = all(isinstance(e, Column) for e in self._read()) and all(map(self.frame.silent, self.tests))
        if not plain or not used or len(used) > MOST_COMPARED:
            return []
        with self.source.block("def idle(o0, n0):"):
            with self.source.block(f"if {self.frame.unchanged(used, 'o0', 'n0')}:"):
                meter = self.frame.meter()
                self.source.lines(f"{meter}.rows += 1", f"{meter}.probes += 2", "return True")
            self.source.line("return False")
        return ["idle"]

    # One member

    def stay(self) -> None:
        """A member before and after: nothing to do if no column that is read changed; often its group stays."""
        source = self.source
        used = sorted({c for e in self._read() for c in columns_read(e)})
        if used and len(used) <= MOST_COMPARED:
            with source.block(f"if {self.frame.unchanged(used, 'o0', 'n0')}:"):
                source.line("continue")
        test = self._same_group()
        if test is None:
            return
        with source.block(f"if {test}:") if test else source.block("if True:"):
            source.note("the group stays: only what its aggregates read is exchanged")
            self.find("n0")
            self.touch()
            self.sums.replace(self.env("o0"), self.env("n0"))
            source.line("continue")

    def _read(self) -> list[Expression]:
        arguments = [c.argument for c in self.grouping.calls if c.argument is not None]
        return [*self.grouping.values, *arguments]

    def _same_group(self) -> str | None:
        """The text of whether a member's group is the same as before, sparing the keys; None when it cannot be had."""
        if all(isinstance(e, Column) for e in self.grouping.values):
            return self.frame.unchanged([e.index for e in self.grouping.values if isinstance(e, Column)], "o0", "n0")
        if not self.simple:
            return None
        values = [[self.write.value(e, self.env(row)) for row in ("o0", "n0")] for e in self.grouping.values]
        return " and ".join([f"{old} == {new}" for old, new in values])

    def find(self, row: str) -> None:
        """`g` and `s`: the key and the state of the group that a member is in."""
        if self.grouping.grouped:
            self.source.line(f"g = {self.key(row)}")
            self.source.line("s = groups[g]")
        else:
            self.source.line("s = whole")

    def touch(self) -> None:
        """Note that a group's row may change."""
        self.source.line(f"touched[{'g' if self.grouping.grouped else 'None'}] = s")

    def remove(self) -> None:
        """A member goes."""
        self.find("o0")
        self.touch()
        if self.simple:
            self.source.line("s[0] -= 1")
        else:
            helper = self.write.shared("parted", cells.fixed(groups.parted, "one member less"))
            self.source.line(f"{helper}(s, {self.values('o0')})")
        self.sums.remove(self.env("o0"))

    def add(self, row: str, touch: bool = False) -> None:
        """A member comes."""
        source = self.source
        if not self.grouping.grouped:
            source.line("s = whole")
            source.line("s[0] += 1")
        else:
            source.line(f"g = {self.key(row)}")
            source.line("s = seek(g)")
            key = "(g,)" if len(self.grouping.values) == 1 else "g"
            with source.block("if s is None:"):
                if self.simple:
                    source.line(f"s = groups[g] = [1, {self.values(row)}, {key}, None, None{self.sums.zeros()}]")
                else:
                    variants = self.write.shared(
                        "variants_of", cells.fixed(groups.variants_of, "what to know of values equal but not the same")
                    )
                    source.line(f"values = {self.values(row)}")
                    source.line(f"s = groups[g] = [1, values, {key}, None, {variants}(values){self.sums.zeros()}]")
            with source.block("else:"):
                if self.simple:
                    source.line("s[0] += 1")
                else:
                    joined = self.write.shared("joined", cells.fixed(groups.joined, "one member more"))
                    source.line(f"{joined}(s, {self.values(row)})")
        if touch:
            self.touch()
        self.sums.add(self.env(row))

    # Texts

    def env(self, row: str) -> Callable[[int], str]:
        """Columns of the leaf as cells of a row."""
        return self.frame.read({0: row})

    def values(self, row: str) -> str:
        """The group values of a row."""
        return self.write.row(self.grouping.values, self.env(row))

    def key(self, row: str) -> str:
        """The canonical group values of a row: bare for one, a tuple for several."""
        parts = []
        for e in self.grouping.values:
            text = self.write.value(e, self.env(row))
            if self.write.kind(e) not in ("integer", "text", "bytes"):
                v = self.source.fresh("v")
                helper = self.write.shared("key_of", cells.fixed(canonical_key, KEY_OF))
                text = f"({v} if type({v} := {text}) is str or type({v}) is int else {helper}({v}))"
            parts.append(text)
        return parts[0] if len(parts) == 1 else tuple_of(parts)

    def row(self) -> str:
        """The row of the group `s`."""
        if not self.grouping.calls and self.grouping.grouped:
            return "s[1]"
        shown = [f"s[1][{at}]" for at in range(len(self.grouping.values))]
        return tuple_of(shown + self.sums.readings())

    def _where(self, test: str, then: Callable[[], None]) -> None:
        if not test:
            then()
            return
        with self.source.block(f"if {test}:"):
            then()
