"""The reference pages that are made from the code: `python -m tests.docs.reference` writes them, a test compares.

Owns their order and how a docstring becomes a page. Refuses to know what the names mean: the docstrings say it.
"""

from __future__ import annotations

import ast
import builtins
import doctest
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, ForwardRef

import sspcore
from sspcore import errors, testing
from sspcore.testing.check.laws import POLICY_LAWS, STRATEGY_LAWS
from tests.architecture.rings import ROOT

SECTIONS: dict[str, tuple[str, ...]] = {
    "Changes and schemas": (
        "create", "update", "upsert", "merge", "delete", "clear", "replace", "Change", "Schema", "Interval",
    ),
    "The pure engine": (
        "Circuit", "CircuitOptions", "query", "Query", "exists", "col", "param", "count", "View", "Snapshot", "ViewUpdate", "Commit",
        "BatchStats", "Result", "Explanation", "Cut", "Codec", "ZSet",
    ),
    "The runtime": (
        "open_runtime", "run_runtime", "Runtime", "CircuitHandle", "RoutingViews", "Config", "Receipt", "Subscription",
    ),
    "For authors of plugins": ("hookimpl", "Readers", "routing_strategies"),
    "Modules": ("errors", "abc", "testing"),
}  # fmt: skip
"""Section → the public names in it, in the order a reader meets them; a name without a section is an error."""

INTRODUCTION = """\
# API

<!-- Made from the docstrings: python -m tests.docs.reference -->

Every public name, importable from `sspcore`. Rows leave as plain tuples with `.columns` beside them; `dicts()` gives
mappings. The examples on this page start from

```python
from sspcore import *
```
"""

ERRORS = """\
# Errors

<!-- Made from the docstrings: python -m tests.docs.reference -->

Everything the library raises on purpose is an `SspError` of the module `sspcore.errors`. `error.code` is stable and
meant for programs (the HTTP and WebSocket answers carry it too), `error.message` says what happened with which values,
`error.hint` says what to do next, `str(error)` is all of it for people. Bad input is refused whole: after an error
nothing has changed, unless the class says otherwise. Slips in the calling code itself stay Python's own `TypeError`
and `ValueError`.

```pycon
>>> import sspcore
>>> circuit = sspcore.Circuit(schemas=[sspcore.Schema("flights", {"carrier": "text", "dep_delay": "integer"})])
>>> try:
...     circuit.register("late", "SELECT carier FROM flights")
... except sspcore.errors.SqlError as error:
...     print(error)
line 1, column 8: unknown column 'carier'; did you mean 'carrier'?
SELECT carier FROM flights
       ^
```

| class | code | meaning |
|---|---|---|
"""

TESTING = """\
# Testing

<!-- Made from the docstrings: python -m tests.docs.reference -->

The public kit for tests, importable from `sspcore.testing`. How to use it for plugins:
[test a strategy or a policy](../how-to/test-a-plugin.md).

"""


def names() -> list[str]:
    return [name for name in sspcore.__all__ if not name.startswith("_")]


def api_page() -> str:
    """docs/reference/api.md."""
    known = set(names())
    homeless = known - {name for section in SECTIONS.values() for name in section}
    assert not homeless, f"give {', '.join(sorted(homeless))} a section in tests/docs/reference.py"
    parts = [INTRODUCTION]
    for section, members in SECTIONS.items():
        present = [name for name in members if name in known]
        if present:
            parts.append(f"## {section}\n")
            parts += [entry(name, getattr(sspcore, name)) for name in present]
    return "\n".join(parts)


def errors_page() -> str:
    """docs/reference/errors.md."""
    lines = []
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.SspError):
            parent = error.__mro__[1]
            under = "" if parent is Exception else f" (a `{parent.__name__}`)"
            doc = " ".join(part for part, is_example in paragraphs(inspect.getdoc(error) or "") if not is_example)
            lines.append(f"| `{error.__name__}`{under} | `{error.code}` | {' '.join(doc.split())} |\n")
    return ERRORS + "".join(lines)


def testing_page() -> str:
    """docs/reference/testing.md."""
    parts = [TESTING + "".join([entry(name, getattr(testing, name)) + "\n" for name in testing.__all__])]
    for kind, table in (("strategies", STRATEGY_LAWS), ("policies", POLICY_LAWS)):
        lines = [f"| `{law.name}` | {_cell(law.sentence)} | {_cell(law.hint)} |\n" for law in table.values()]
        parts.append(f"## Laws of {kind}\n\n| law | what it asks for | what to do |\n|---|---|---|\n{''.join(lines)}")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


GENERATED: dict[str, Callable[[], str]] = {"api.md": api_page, "errors.md": errors_page, "testing.md": testing_page}
"""Page under docs/reference/ → what makes it."""


def entry(name: str, value: Any) -> str:
    """The entry of one public name."""
    heading = f"### `{name}`\n\n"
    if inspect.ismodule(value):
        return heading + prose(value)
    if isinstance(value, type):
        return heading + signature(name, value) + prose(value) + "".join(members(name, value))
    if callable(value):
        return heading + signature(name, value) + prose(value)
    return heading + f"A `{type(value).__name__}`.\n"


def members(owner: str, value: type) -> Iterator[str]:
    """What a class of ours offers, its own members first, then those of the parts it is made of."""
    parts = [base for base in value.__mro__ if base is value or base in _parts(value)]
    for name, member in [item for part in parts for item in vars(part).items()]:
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            yield f"\n#### `{owner}.{name}`\n\n" + prose(member)
        elif isinstance(member, classmethod | staticmethod) or inspect.isfunction(member):
            function = getattr(value, name)
            yield f"\n#### `{owner}.{name}`\n\n" + signature(f"{owner}.{name}", function) + prose(function)


def _parts(value: type) -> set[type]:
    """Bases of ours that have no page of their own: `Circuit` is written in several files."""
    public = {getattr(sspcore, name) for name in sspcore.__all__}
    return {base for base in value.__mro__[1:] if base.__module__.startswith("sspcore.") and base not in public}


def signature(name: str, value: Any) -> str:
    """How it is called, annotations as they are written in the source."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    if isinstance(value, type) and issubclass(value, tuple):
        found = inspect.signature(value.__new__)
        found = found.replace(parameters=list(found.parameters.values())[1:])
    pieces, starred = [], False
    for parameter in found.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            pieces.append("*")
        starred = starred or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        pieces.append(written(parameter))
    returns = ""
    if not isinstance(value, type) and found.return_annotation is not found.empty:
        returns = f" -> {annotation(found.return_annotation)}"
    prefix = "await " if inspect.iscoroutinefunction(value) else ""
    line = f"{prefix}{name}({', '.join(pieces)}){returns}"
    if len(line) > 100:
        line = f"{prefix}{name}(\n" + "".join(f"    {piece},\n" for piece in pieces) + f"){returns}"
    return f"```text\n{line}\n```\n\n"


def written(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = stars + parameter.name
    if parameter.annotation is not parameter.empty:
        text += f": {annotation(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        default = repr(parameter.default)
        default = "…" if " at 0x" in default or default in {"NOTHING", "<factory>"} else default
        text += f" = {default}"
    return text


def annotation(value: Any) -> str:
    if isinstance(value, ForwardRef):
        return value.__forward_arg__
    return value if isinstance(value, str) else inspect.formatannotation(value).replace("typing.", "")


def prose(value: Any) -> str:
    """A docstring as Markdown: examples as `pycon` blocks, arguments as a list."""
    parts = []
    for text, is_example in paragraphs(inspect.getdoc(value) or ""):
        parts.append(f"```pycon\n{imports_of(text, value)}{text}\n```\n" if is_example else arguments(text) + "\n")
    return "\n".join(parts)


def imports_of(example: str, value: Any) -> str:
    """The imports a reader of the page needs: an example may use what its module has and the facade has not."""
    room = inspect.getmodule(value.fget if isinstance(value, property) else value)
    parts = [piece.source for piece in doctest.DocTestParser().get_examples(example)]
    used = {node.id for part in parts for node in ast.walk(ast.parse(part)) if isinstance(node, ast.Name)}
    lines = []
    for name in sorted(used - set(sspcore.__all__) - set(dir(builtins))):
        home = getattr(getattr(room, name, None), "__module__", "")
        if name in testing.__all__:
            home = "sspcore.testing"
        if home.startswith("sspcore."):
            lines.append(f">>> from {home} import {name}\n")
    return "".join(lines)


def paragraphs(doc: str) -> Iterator[tuple[str, bool]]:
    """The paragraphs of a docstring, and whether each is an example."""
    for text in re.split(r"\n\s*\n", doc.strip()):
        before, prompt, after = text.partition(">>> ")
        if before.strip():
            yield before.rstrip(), False
        if prompt:
            yield textwrap.dedent((" " * (len(before) - len(before.rstrip(" ")))) + prompt + after), True


def arguments(text: str) -> str:
    """A paragraph, where lines under `Args:` and its like become a list."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if re.fullmatch(r"(Args|Attributes|Returns|Raises|Cost):", line):
            lines += [*([""] if lines else []), f"**{line[:-1]}**", ""]
            inside = True
        elif inside and (item := re.match(r" {4}(\*{0,2}\w[\w, *]*): (.*)", line)):
            lines.append(f"- `{item[1]}`: {item[2]}")
        elif inside and line.startswith("     "):
            lines.append("  " + line.strip())
        elif item := re.match(r"(Args|Returns|Raises|Cost|Contract|Equation|State|Linearity): ", line):
            inside = False
            lines.append(f"**{item[1]}** {line[item.end() :]}")
        else:
            inside = inside and line.startswith("    ")
            lines.append(line.strip() if inside else line)
    return "\n".join(lines)


def main() -> None:
    """Write the pages."""
    for page, make in GENERATED.items():
        path = ROOT / "docs" / "reference" / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
