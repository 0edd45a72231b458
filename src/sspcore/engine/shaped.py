"""Views that show their rows in another form, or keep a digest of them.

Owns the formats: `rows`; `tree`, in which nested rows have their keys beside them (`trees`); and `ids`: the key and a
digest of the row, for readers who hold the rows elsewhere.
"""

from __future__ import annotations

from typing import Any, Final

from sspcore.algebra.values import Key
from sspcore.engine.digest import digest_after, digest_of, row_digest
from sspcore.engine.template import Templates, Understood
from sspcore.engine.trees import TreeView
from sspcore.engine.update import Placement, Row, RowChange, Snapshot, ViewUpdate
from sspcore.engine.view import View
from sspcore.errors import UsageError, did_you_mean
from sspcore.plan.trees import keyed

FORMATS: Final = ("rows", "ids", "tree")
DIGEST_COLUMNS: Final = ("digest",)
"""The columns of a view of format `ids`: the one is the row's digest, eight bytes."""


class DigestView(View):
    """A view that keeps its digest as it moves."""

    __slots__ = ("_digest",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._digest: tuple[str, int, int] | None = None
        """Of which epoch and version, and the digest."""

    def _digest_number(self) -> int:
        held = self._digest
        if held is None or held[:2] != (self.epoch, self.version):
            held = self._digest = (self.epoch, self.version, digest_of(self.materialisation.value))
        return held[2]

    def update(self, changes: tuple[RowChange, ...], placed: tuple[Placement, ...], version: int) -> ViewUpdate:
        held = self._digest
        made = super().update(changes, placed, version)
        known = held is not None and held[:2] == (self.epoch, made.from_version)
        self._digest = (self.epoch, version, digest_after(held[2], changes)) if held is not None and known else None
        return made


class IdsView(DigestView):
    """A view that shows a digest of each row in the row's place."""

    format = "ids"

    __slots__ = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return DIGEST_COLUMNS

    def shown(self, row: Row) -> Row:
        """A row as this view shows it."""
        return (row_digest(row),)

    def rows(self, as_type: Any = None) -> list[Any]:
        if as_type is not None:
            raise UsageError("a view of format 'ids' shows no rows", hint="register the query without a format")
        return [self.shown(row) for row in self.materialisation.rows()]

    def snapshot(self) -> Snapshot:
        made = super().snapshot()
        return made._replace(columns=DIGEST_COLUMNS, rows=list(map(self.shown, made.rows)))

    def get(self, key: Key) -> Row | None:
        row = super().get(key)
        return None if row is None else self.shown(row)

    def update(self, changes: tuple[RowChange, ...], placed: tuple[Placement, ...], version: int) -> ViewUpdate:
        made = super().update(changes, placed, version)
        return made._replace(columns=DIGEST_COLUMNS, changes=tuple(map(self._shown_change, changes)))

    def _shown_change(self, change: RowChange) -> RowChange:
        key, old, new = change
        return key, None if old is None else self.shown(old), None if new is None else self.shown(new)


class DigestTreeView(DigestView, TreeView):
    """A tree that keeps its digest as it moves."""

    __slots__ = ()


def shaped(understood: Understood, templates: Templates) -> Understood:
    """What a query means in the format `tree`: with keys beside its nested rows."""
    return understood._replace(template=templates.of_plan(keyed(understood.plan)))


def view_class(format: str, digest: bool) -> type[View]:
    """The class of a view registered with these options. Raises UsageError (the caller's) for an unknown format."""
    if format not in FORMATS:
        raise UsageError(f"unknown format {format!r}", hint=did_you_mean(str(format), FORMATS))
    if format == "ids":
        return IdsView
    if format == "tree":
        return DigestTreeView if digest else TreeView
    return DigestView if digest else View
