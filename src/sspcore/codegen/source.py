"""Generated source: lines, names and cells on the way in, a function on the way out.

Owns how text becomes code, and that nothing a user wrote is ever part of it. Refuses to know what is generated.

*Values travel as cells.* Whatever a plan or a row brings (constants, parameters, functions, state) is given a generated
name by `Source.cell` and reaches the code as an argument of the factory `make`, in whose scope the generated functions
live. The text itself holds column indices, operators and generated names only, and `compiled` refuses text in which
anything else could hide: quotes, backslashes, double underscores, and names it does not know. So equal shapes have
equal texts, a text is compiled once, and a thousand views of one shape share one code object.

*Notes are for people.* A note may name columns and tables. It is shown by `listing` and in tracebacks (`linecache`), on
a line of its own that is an empty comment in the text that is compiled.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from types import CodeType, FunctionType
from typing import Any, Final

from sspcore.errors import InternalError

INDENT: Final = "    "
_NOTE: Final = "#"
_REFUSED: Final = ("'", '"', "\\", "__", ";", "`", "@")
"""What could begin a literal, an attribute of the interpreter, or a second statement. Generated code needs none."""
_BUILTINS: Final[Mapping[str, Any]] = {
    "type": type, "len": len, "min": min, "max": max, "range": range, "sorted": sorted, "dict": dict, "list": list,
    "tuple": tuple, "set": set, "zip": zip, "int": int, "float": float, "str": str, "bool": bool,
}  # fmt: skip
_ATTRIBUTES: Final = frozenset({
    "get", "append", "extend", "insert", "pop", "add", "remove", "discard", "items", "values", "keys", "clear", "copy",
    "setdefault", "update", "sort", "reverse", "union", "rows", "probes", "evaluations", "refills", "nulls", "errors",
    "reads", "hydrate", "value", "floor", "enter", "leave", "stay", "move", "finish",
    "touch", "route", "route2", "match", "test", "startswith", "hits", "issubset", "isdisjoint", "isascii",
    "is_integer", "one", "version", "before", "updates", "id", "epoch", "template", "columns", "views", "dirty", "row",
    "steps", "advances", "alone", "fused", "follow", "write",
})  # fmt: skip
"""Names that generated code may look up on an object."""


class Source:
    """A text of generated code under construction, and the cells it needs.

    >>> source = Source()
    >>> limit = source.cell(10)
    >>> with source.block("def late(row):"):
    ...     source.note("delay > 10")
    ...     source.line(f"return row[3] > {limit}")
    >>> late = source.build("late")
    >>> late((0, 0, 0, 11)), late((0, 0, 0, 9))
    (True, False)
    >>> print(source.listing("late"))
    def make(c0):
        def late(row):
            # delay > 10
            return row[3] > c0
        return late
    """

    def __init__(self) -> None:
        self.cells: dict[str, Any] = {}
        """Name → value of every cell, in the order in which `make` takes them."""
        self._lines: list[tuple[int, str]] = []
        self._notes: dict[int, str] = {}
        self._depth = 1
        self._counts: dict[str, int] = {}

    def fresh(self, prefix: str) -> str:
        """A name not used before: the prefix (letters, from the generator) and a number."""
        count = self._counts.get(prefix, 0)
        self._counts[prefix] = count + 1
        return f"{prefix}{count}"

    def cell(self, value: Any, prefix: str = "c") -> str:
        """The name under which generated code reads a value."""
        name = self.fresh(prefix)
        self.cells[name] = value
        return name

    def shared(self, name: str, value: Any) -> str:
        """The name of a cell that is the same for all who ask for it by that name."""
        if name not in self.cells:
            self.cells[name] = value
        return name

    def line(self, text: str) -> None:
        """One line of code, at the current depth."""
        self._lines.append((self._depth, text))

    def lines(self, *texts: str) -> None:
        """Several lines of code."""
        for text in texts:
            self.line(text)

    def note(self, text: str) -> None:
        """A comment for readers, any text; it never reaches the compiler."""
        self._notes[len(self._lines)] = " ".join(_printable(text).split())
        self._lines.append((self._depth, _NOTE))

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """A line that opens a block (`for …:`), and the block below it; left empty it holds `pass`."""
        self.line(header)
        self._depth += 1
        before = len(self._lines)
        yield
        if all(text == _NOTE for _, text in self._lines[before:]):
            self.line("pass")
        self._depth -= 1

    def text(self, result: str) -> str:
        """The whole text, as it is compiled: a factory that takes the cells and returns `result`."""
        return self._assemble(result, {})

    def listing(self, result: str) -> str:
        """The text with its notes, line by line as long as the one compiled."""
        return self._assemble(result, self._notes)

    def _assemble(self, result: str, notes: Mapping[int, str]) -> str:
        body = [
            f"{INDENT * depth}{text}{' ' + notes[at] if notes.get(at) else ''}"
            for at, (depth, text) in enumerate(self._lines)
        ]
        return "\n".join([f"def make({', '.join(self.cells)}):", *body, f"{INDENT}return {result}"])

    def make(self, result: str) -> Callable[..., Any]:
        """The compiled factory: called with one value per cell, in the order of `cells`, it gives `result`."""
        return compiled(self.text(result), lambda: self.listing(result))

    def build(self, result: str) -> Any:
        """What `make` gives for the cells as they are: the generated function (or tuple of functions)."""
        return self.make(result)(*self.cells.values())


def build(source: Source, name: str, cells: Mapping[str, Any] | None = None) -> Any:
    """The generated function `name` of a source, with some cells given other values than they were made with.

    Cost: some 0.1 ms the first time its text is seen, a microsecond after that.
    """
    return source.make(name)(*(source.cells | dict(cells or {})).values())


def compiled(text: str, listing: Callable[[], str]) -> Callable[..., Any]:
    """The factory that a text defines, made once per text and shown in tracebacks as `listing` says.

    Raises InternalError (a generator's fault) for text that holds what generated code never needs.
    """
    made = _factory(text)
    file = made.__code__.co_filename
    if file not in linecache.cache:
        shown = listing()
        linecache.cache[file] = (len(shown), None, shown.splitlines(keepends=True), file)
    return made


def shown(function: Callable[..., Any]) -> str:
    """The text that a generated function was made from, with its notes, as tracebacks show it."""
    return "".join(linecache.getlines(function.__code__.co_filename))


def compiles() -> int:
    """How many texts were compiled so far in this process: a known shape adds none."""
    return _factory.cache_info().misses


@lru_cache(maxsize=4096)
def _factory(text: str) -> FunctionType:
    for refused in _REFUSED:
        if refused in text:
            raise InternalError(f"generated code holds {refused!r}; values travel as cells")
    if not text.isascii():
        raise InternalError("generated code is not plain ASCII; values travel as cells")
    file = f"<sspcore {sha256(text.encode()).hexdigest()[:16]}>"
    code = compile(text, file, "exec", dont_inherit=True)
    _refuse_foreign_names(code)
    namespace: dict[str, Any] = {"__builtins__": _BUILTINS}
    exec(code, namespace)  # noqa: S102 - what this room is for; the text passed the checks above
    made: FunctionType = namespace["make"]
    return made


def _refuse_foreign_names(code: CodeType) -> None:
    """Names that are neither local nor cells are attributes or builtins: only those on the lists pass."""
    for name in code.co_names:
        if name not in _BUILTINS and name not in _ATTRIBUTES and name != "make":
            raise InternalError(f"generated code names {name!r}; what it needs beyond its cells is listed in codegen")
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _refuse_foreign_names(constant)


def _printable(text: str) -> str:
    return "".join([c if c.isprintable() else " " for c in text])
