"""From snapshots and updates of views to the text that goes out: each row is encoded once, parts stay small.

Owns how a view's value and its changes are laid out in `snap` and `delta`. Refuses to know who gets them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sspcore.algebra.values import Key, canonical_key, same
from sspcore.engine.trees import Path, TreeUpdate
from sspcore.engine.update import Row, Snapshot, ViewUpdate
from sspcore.wire.limits import PART_BYTES
from sspcore.wire.messages import Delta, Snap, to_plain
from sspcore.wire.values import encode_key, encode_row, encode_value

Encode = Callable[[object], str]


def snapshot_texts(
    id: Any, sid: int, snapshot: Snapshot, encode: Encode, *,
    integers_as_text: bool = False, part_bytes: int = PART_BYTES,
) -> Iterator[str]:  # fmt: skip
    """The `snap` messages of a snapshot, made one by one as they are asked for. An empty view is one empty part.

    A part holds rows up to `part_bytes` of text, or one row. Cost: O(rows of the part) per step.
    """
    part = 0
    warnings = list(snapshot.warnings) or None

    def message(rows: list[str], last: bool) -> str:
        head = Snap(
            id, sid, snapshot.epoch, snapshot.version, part, last, list(snapshot.columns), [], snapshot.ordered,
            None if part else warnings,
        )  # fmt: skip
        return _with_rows(encode(to_plain(head)), rows)

    held: list[str] = []
    size = 0
    for key, row in zip(snapshot.keys, snapshot.rows, strict=True):
        text = encode([encode_key(key, integers_as_text), encode_row(row, integers_as_text)])
        bytes_of = len(text) + 1 if text.isascii() else len(text.encode()) + 1
        if held and size + bytes_of > part_bytes:
            yield message(held, False)
            part, held, size = part + 1, [], 0
        held.append(text)
        size += bytes_of
    yield message(held, True)


def delta_message(sid: int, update: ViewUpdate, *, integers_as_text: bool = False) -> Delta:
    """An update that chains (not a reset) as `delta`.

    In ordered views an entry with a third element names its predecessor in the new order: take the removed keys and
    those of all such entries out, then put each behind its predecessor, waiting for one that is itself still out.
    An entry of two elements stays where it is; values None: only the place changed. In trees, a row whose own cells
    stay is not among the updated: `nested` tells what changed within it.
    """
    nested, whole = _nested(update, integers_as_text) if isinstance(update, TreeUpdate) else (None, None)
    changes: dict[Key, tuple[Row | None, Row | None]] = {key: (old, new) for key, old, new in update.changes}
    added: list[Any] = []
    updated: list[Any] = []
    removed: list[Any] = []
    for key, after in update.placed:
        old, new = changes.pop(key, (None, None))
        if old is not None and whole is not None and key not in whole:
            new = None  # its cells stay, but for the nested ones
        entry: list[Any] = [
            encode_key(key, integers_as_text),
            None if new is None else encode_row(new, integers_as_text),
            None if after is None else encode_key(after, integers_as_text),
        ]
        (added if old is None and new is not None else updated).append(entry)
    for key, (old, new) in changes.items():
        name = encode_key(key, integers_as_text)
        if new is None:
            removed.append(name)
        elif old is None or whole is None or key in whole:
            (added if old is None else updated).append([name, encode_row(new, integers_as_text)])
    return Delta(sid, update.from_version, update.version, added, updated, removed, nested or None)


def _nested(update: TreeUpdate, integers_as_text: bool) -> tuple[list[Any], set[Key]]:
    """What changed within rows, and the keys of those whose own cells changed.

    What changed in its own comes whole, a row and a child alike, and nothing more is told of what is in it.
    """
    trees = {at for at, _ in update.trees.values()}
    rows: dict[Key, Row] = {}
    whole: set[Any] = set()
    for key, old, new in update.changes:
        if old is not None and new is not None:
            rows[key] = new
            if not all(same(a, b) for i, (a, b) in enumerate(zip(old, new, strict=True)) if i not in trees):
                whole.add(key)
    told: list[Any] = []
    known: set[tuple[Path, Key]] = set()
    for path, key, old, new, placed, after in update.nested:
        (row_key, column), *steps = path
        if row_key in whole or any((path[:i], canonical_key(path[i][0])) in known for i in range(1, len(path))):
            continue
        where = [[encode_key(row_key, integers_as_text), column]]
        where += [[encode_value(k, integers_as_text), member] for k, member in steps]
        entry = [where, encode_value(key, integers_as_text)]
        if old is not None and new is None:
            told.append(entry)
            continue
        child = None
        if old is None or not same(old, new):
            known.add((path, canonical_key(key)))
            cell = rows[row_key][update.trees[column][0]]
            for k, member in steps:
                cell = _child(cell, k)[member]
            child = encode_value(_child(cell, key), integers_as_text)
        told.append([*entry, child, encode_value(after, integers_as_text)] if placed else [*entry, child])
    return told, whole


def _child(cell: Any, key: Any) -> Any:
    return next(child for k, child in cell if same(k, key))


def snapshot_of(update: ViewUpdate, ordered: bool) -> Snapshot:
    """The whole value that a reset update carries."""
    keys = [key for key, _, new in update.changes if new is not None]
    rows = [new for _, _, new in update.changes if new is not None]
    return Snapshot(update.view, update.epoch, update.version, update.columns, keys, rows, ordered)


def _with_rows(head: str, rows: list[str]) -> str:
    """The message `head`, whose `rows` are empty, with rows that are text already."""
    before, empty, after = head.rpartition('"rows":[]')
    assert empty, "the codec prints compact JSON"
    return f'{before}"rows":[{",".join(rows)}]{after}'
