"""Generated code for people: every part of a program with the plan it came from and what its cells hold.

Owns the wording of `explain --code`. Refuses to change the code: what is listed is what runs, with its notes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sspcore.engine.emit.stage import Input, Node
from sspcore.engine.explain import describe
from sspcore.plan import nodes
from sspcore.plan.traverse import children

LEGEND: Final = """\
# How to read it. The view runs in parts. With each stand its piece of the plan, the columns of the rows it reads, and
# what the names hold that `make` takes: views that differ in these alone share the code. In a part,
#   hydrate(rows0) computes all its rows, by key;
#   change_0(changes) takes changes of its first input and gives those of its own rows; change_1, of the second; ...
#   row(...) does so for one change that is alone in its commit; idle(...) says of one that it plainly changes nothing.
#   value() and anew(rows0) give all its rows as they are by now.
# > is written as not <=, and >= as not <, for NaN is above all numbers; Python calls whatever compares it false.
# A change is (key, old row, new row), None where there is no row: k0 o0 n0 of the first input, k1 o1 n1 of the second.
# r0 r1 ... are rows looked up, or read anew; a and b, a row of the part before and after: if alike, nothing is told."""


def listing(parts: Sequence[Node], root: Input) -> str:
    """All parts, in the order in which a change passes through them."""
    if not parts:
        return f"# The rows are those of the table {_line(root.table or '')} as they are: no code is needed."
    texts = [LEGEND]
    for at, node in enumerate(parts):
        own = {id(other.plan): i for i, other in enumerate(parts) if other is not node}
        heading = f"# Part {at} of {len(parts)}, from {_sources(node)}:"
        tree = ["#    " + _line(line) for line in _tree(node.plan, own, "", "")]
        texts.append("\n".join([heading, *tree, *_rows(node), *_code(node)]))
    return "\n\n".join(texts)


def _code(node: Node) -> list[str]:
    if node.code is None:
        return [f"# It runs as the operator {type(node.plan).__name__} and has no code of its own."]
    told = [(name, recipe.about) for name, recipe in node.code.source.cells.items() if recipe.about]
    return [*[f"# {name}: {_line(about)}" for name, about in told], node.code.listing()]


def _rows(node: Node) -> list[str]:
    """What stands where in the rows that the code reads, as far as it reads them."""
    if node.code is None:
        return []
    text, lines = node.code.source.text(node.code.result), []
    for at, (given, names) in enumerate(zip(node.inputs, node.code.columns, strict=True)):
        read = sorted({int(place) for place in re.findall(rf"\b[orn]{at}\[(\d+)\]", text)})
        if read:
            columns = ", ".join([f"[{place}] {_line(names[place])}" for place in read])
            lines.append(f"# r{at} o{at} n{at}, rows of {_source(given)}: {columns}")
    return lines


def _sources(node: Node) -> str:
    return ", ".join(map(_source, node.inputs)) or "nothing"


def _source(given: Input) -> str:
    return _line(given.table) if given.table is not None else f"part {given.node}"


def _tree(plan: nodes.Plan, others: dict[int, int], first: str, rest: str) -> list[str]:
    """The plan down to where other parts begin."""
    lines = [first + describe(plan)]
    inputs = children(plan)
    for i, child in enumerate(inputs):
        last = i == len(inputs) - 1
        head, tail = rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  ")
        if id(child) in others:
            lines.append(f"{head}part {others[id(child)]}")
        else:
            lines += _tree(child, others, head, tail)
    return lines


def _line(text: str) -> str:
    """Text of a user's on one line of comment."""
    return "".join([c if c.isprintable() else " " for c in text])
