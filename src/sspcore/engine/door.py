"""The door: every change is checked, converted and judged here, before the first write.

Owns admission: static checks, canonical values, strictness, versions, redelivery, netting. It looks at tables
and marks and changes neither until `commit`, which cannot fail. Refuses to know views, queues and circuits.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from sspcore.algebra.values import same
from sspcore.engine.change import OPS, Change
from sspcore.engine.draft import Draft, Resolution
from sspcore.engine.options import CircuitOptions
from sspcore.engine.rows import RowMaker
from sspcore.engine.schema import INTEGER_LIMIT, Schema, check_id, open_schema
from sspcore.engine.table import Id, Net, Table
from sspcore.errors import ChangeRejected, UnknownTable, did_you_mean, shown

_NONE: Any = {}
"""Nothing created, widened, marked: shared by plain changes, written by nobody."""


class Door:
    """Admission to a set of tables.

    Args: `tables`, name → Table, owned by the caller and read here; `options`; `marks`, source → last seq;
    `reserved`, names no table may take (those of views).
    """

    def __init__(
        self, tables: dict[str, Table], options: CircuitOptions, marks: dict[str, int], reserved: Container[str] = ()
    ) -> None:
        self.tables = tables
        self.reserved = reserved
        self.options = options
        self.marks = marks

    def resolve(self, changes: Sequence[Change]) -> Resolution:
        """Judge a batch in order, writing nothing. Raises ChangeRejected (the producer's fault), naming the index.

        Cost: O(changes), and O(rows of the table) for clear and replace.
        """
        if len(changes) == 1:
            net = self._alone(changes[0])
            if net is not None:
                if net[1] is net[2]:
                    return Resolution({}, _NONE, _NONE, _NONE, _NONE, 1, 1, 0)
                return Resolution({changes[0].table: [net]}, _NONE, _NONE, _NONE, _NONE, 1, 0, 0)
        drafts: dict[str, Draft] = {}
        try:
            return self._resolve(changes, drafts)
        finally:
            self._forget(drafts)

    def _resolve(self, changes: Sequence[Change], drafts: dict[str, Draft]) -> Resolution:
        created: dict[str, Schema] = {}
        marks: dict[str, int] = {}
        duplicates = no_ops = 0
        start, run = self._plain_run(changes, drafts)
        if run is not None:
            return run
        index = start - 1
        try:
            for change in changes[start:] if start else changes:
                index += 1
                if type(change) is not Change:
                    raise ChangeRejected(
                        f"a batch holds changes, not {type(change).__name__}",
                        hint="make them with sspcore.create, update, upsert, merge, delete, clear or replace",
                    )
                if change.source is not None and change.seq is not None and self._seen(change, marks):
                    duplicates += 1
                    continue
                draft = drafts.get(change.table) if type(change.table) is str else None
                if draft is not None and change.op == "upsert" and change.version is None:
                    if draft.plain(change.id, change.row):
                        continue
                if draft is None:
                    draft = drafts[change.table] = self._draft(change.table, created)
                judge = _JUDGES.get(change.op) if type(change.op) is str else None
                if judge is None:
                    raise ChangeRejected(f"unknown op {shown(change.op)}", hint=did_you_mean(shown(change.op), OPS))
                if not judge(self, draft, change):
                    no_ops += 1
        except ChangeRejected as error:
            error.index, error.change = index, changes[index]
            raise
        except ValueError as error:
            raise ChangeRejected(_place(changes[index]) + str(error), index=index, change=changes[index]) from None
        return self._resolution(drafts, created, marks, len(changes), no_ops, duplicates)

    def _plain_run(self, changes: Sequence[Change], drafts: dict[str, Draft]) -> tuple[int, Resolution | None]:
        """Draft the changes at the beginning of a batch that are plain and of one table.

        Gives how many they are, and the resolution where these are all.
        """
        name = changes[0].table if changes and type(changes[0]) is Change else None
        if type(name) is not str or name not in self.tables:
            return 0, None
        draft = drafts[name] = self._draft(name, {})
        try:
            count = draft.maker.several(changes, draft.touched, self.options.strict)
        except (ChangeRejected, ValueError, KeyError):
            draft.touched.clear()
            return 0, None  # the long way says what is wrong, if anything is
        if count < len(changes) or self.options.max_rows is not None:
            return count, None
        net = draft.net()
        rows = {name: net} if net else {}
        return count, Resolution(rows, _NONE, _NONE, _NONE, _NONE, count, len(draft.touched) - len(net), 0)

    def _alone(self, change: Change) -> Net | None:
        table = self.tables.get(change.table) if type(change) is Change and type(change.table) is str else None
        return None if table is None else self.plain(table, change)

    def commit(self, resolution: Resolution) -> None:
        """Write a resolution made against the present state. Cannot fail."""
        self.commit_forms(resolution)
        for name, net in resolution.net.items():
            self.tables[name].write(net)

    def commit_forms(self, resolution: Resolution) -> None:
        """Write all but the rows: tables that are new or wider, row versions and marks. Cannot fail."""
        if resolution.created or resolution.widened:
            for name, schema in resolution.created.items():
                self.tables[name] = Table(schema)
            for name, schema in resolution.widened.items():
                self.tables[name].widen(schema)
        if resolution.versions:
            for name, versions in resolution.versions.items():
                held = self.tables[name].versions
                for key, version in versions.items():
                    if version is None:
                        held.pop(key, None)
                    else:
                        held[key] = version
        if resolution.marks:
            self.marks.update(resolution.marks)

    def plain(self, table: Table, change: Change) -> Net | None:
        """The commonest batch by far, judged without ceremony: one row of a known table, no mark, no version.

        Gives the net change, with one row twice when nothing changes. None sends the change the long way, which says
        what is wrong with it, if anything is.
        """
        _, op, key, given, _, source, version, _, _, _ = change
        if source is not None or version is not None or table.versions or self.options.max_rows is not None:
            return None
        if not (key.isascii() if type(key) is str else type(key) is int and -INTEGER_LIMIT < key < INTEGER_LIMIT):
            return None
        old = table.rows.get(key)
        if op == "delete":
            return (key, old, None) if given is None else None
        if op != "upsert" and op != ("create" if old is None else "update"):
            return None
        maker = self._maker(table)
        try:
            new = maker.plain(key, given)
        except (ChangeRejected, ValueError, KeyError):
            new = None
        if new is None:
            try:
                new = maker.row(key, given)
            except (ChangeRejected, ValueError):
                new = None
            if maker.added:
                table.forget()
                return None
        return None if new is None else (key, old, old if old == new and same(old, new) else new)

    def _maker(self, table: Table) -> RowMaker:
        maker: RowMaker | None = table.maker
        if maker is None:
            maker = table.maker = RowMaker(table, self.options.max_columns, self.options.max_rows is None)
        return maker

    def _seen(self, change: Change, marks: dict[str, int]) -> bool:
        source, seq = change.source, change.seq
        if type(source) is not str or type(seq) is not int:
            raise ChangeRejected(f"a mark is (text, integer), not ({shown(source)}, {shown(seq)})")
        # Within one batch a source may repeat a seq (one event, several rows): only marks of earlier batches count.
        before = self.marks.get(source)
        if before is not None and seq <= before:
            return True
        marks[source] = max(seq, marks.get(source, seq))
        return False

    def _draft(self, name: str, created: dict[str, Schema]) -> Draft:
        if type(name) is not str or not name:
            raise ChangeRejected(f"a change names its table by text, not {shown(name)}")
        table = self.tables.get(name)
        if table is not None:
            return Draft(table.rows, table.versions, self._maker(table))
        if name in self.reserved:
            raise ChangeRejected(f"{name!r} is a view", hint="change the tables it reads; views and tables share names")
        if self.options.strict_tables:
            error = UnknownTable(name, self.tables)
            raise ChangeRejected(error.message, hint=error.hint or "create_table declares it")
        schema = created[name] = open_schema(name)
        return Draft({}, {}, RowMaker(Table(schema), self.options.max_columns, alone=False))

    def _resolution(
        self, drafts: dict[str, Draft], created: dict[str, Schema], marks: dict[str, int],
        received: int, no_ops: int, duplicates: int,
    ) -> Resolution:  # fmt: skip
        net: dict[str, list[Net]] = {}
        widened: dict[str, Schema] = {}
        versions: dict[str, dict[Id, int | None]] = {}
        for name, draft in drafts.items():
            rows = draft.net()
            no_ops += len(draft.touched) - len(rows)
            if draft.maker.added:
                schema = draft.maker.widened()
                if name in created:
                    created[name] = schema
                else:
                    widened[name] = schema
            limit = self.options.max_rows
            if limit is not None and len(draft.rows) + len(rows) > limit:
                count = len(draft.rows) + sum((new is not None) - (old is not None) for _, old, new in rows)
                if count > limit:
                    raise ChangeRejected(
                        f"table {name!r} would hold {count} rows, above max_rows = {limit}", hint="delete rows first"
                    )
            if rows:
                net[name] = rows
            if draft.stamped:
                versions[name] = draft.stamped
        return Resolution(net, created, widened, marks, versions, received, no_ops, duplicates)

    def _forget(self, drafts: dict[str, Draft]) -> None:
        for name, draft in drafts.items():
            if draft.maker.added and name in self.tables:
                self.tables[name].forget()

    # Judges: each answers whether the change does anything (False: a no-op), or raises ChangeRejected.

    def _row_id(self, change: Change) -> Id:
        key = change.id
        return key if type(key) is str and key.isascii() else check_id(key)

    def _newer(self, draft: Draft, key: Id, change: Change) -> bool:
        version = change.version
        if version is None:
            return True
        if type(version) is not int:
            raise ChangeRejected(f"a row version is an integer, not {shown(version)}")
        held = draft.stamped.get(key, draft.versions.get(key))
        if held is None or version > held:
            draft.stamped[key] = version
            return True
        if self.options.stale == "refuse":
            raise ChangeRejected(
                f"{_place(change)}row version {version} is not above {held}", hint="read the row again, then retry"
            )
        return False

    def _judge_create(self, draft: Draft, change: Change) -> bool:
        key = self._row_id(change)
        row = draft.row(key, change.row)
        if not self._newer(draft, key, change):
            return False
        if self.options.strict and draft.current(key) is not None:
            raise ChangeRejected(f"{_place(change)}the row exists already", hint="use upsert, or update")
        draft.touched[key] = row
        return True

    def _judge_update(self, draft: Draft, change: Change) -> bool:
        key = self._row_id(change)
        row = draft.row(key, change.row)
        if not self._newer(draft, key, change):
            return False
        if self.options.strict and draft.current(key) is None:
            raise ChangeRejected(f"{_place(change)}there is no such row to update", hint="use upsert, or create")
        draft.touched[key] = row
        return True

    def _judge_upsert(self, draft: Draft, change: Change) -> bool:
        key = self._row_id(change)
        row = draft.row(key, change.row)
        if not self._newer(draft, key, change):
            return False
        draft.touched[key] = row
        return True

    def _judge_merge(self, draft: Draft, change: Change) -> bool:
        key = self._row_id(change)
        patch = draft.maker.patch(key, change.row)
        if not self._newer(draft, key, change):
            return False
        before = draft.current(key)
        if before is None:
            if self.options.strict:
                raise ChangeRejected(f"{_place(change)}there is no such row to merge", hint="use upsert, or create")
            draft.touched[key] = draft.maker.row(key, change.row)
            return True
        cells = list(before) + [None] * (draft.maker.width - len(before))
        for position, value in patch:
            cells[position] = value
        draft.touched[key] = tuple(cells)
        return True

    def _judge_delete(self, draft: Draft, change: Change) -> bool:
        key = self._row_id(change)
        if change.row is not None:
            raise ChangeRejected(f"{_place(change)}a delete carries no row", hint="leave row out")
        if not self._newer(draft, key, change) or draft.current(key) is None:
            return False
        if change.version is None and key in draft.versions:
            draft.stamped[key] = None  # an unversioned delete forgets; a versioned one stays as a tombstone
        draft.touched[key] = None
        return True

    def _judge_clear(self, draft: Draft, change: Change) -> bool:
        if change.id is not None or change.row is not None:
            raise ChangeRejected(f"clear of {change.table!r} carries neither id nor row")
        self._remove_all_but(draft, ())
        return True

    def _judge_replace(self, draft: Draft, change: Change) -> bool:
        if change.id is not None or not isinstance(change.row, Mapping):
            raise ChangeRejected(f"replace of {change.table!r} carries rows as a mapping {{id: row}}")
        rows = {}
        for raw, value in change.row.items():
            key = check_id(raw)
            rows[key] = draft.maker.row(key, value)
        self._remove_all_but(draft, rows)
        draft.touched.update(rows)
        return True

    @staticmethod
    def _remove_all_but(draft: Draft, kept: Iterable[Id]) -> None:
        keep = set(kept)
        for key in [*draft.rows, *draft.touched]:
            if key not in keep:
                draft.touched[key] = None


def _place(change: Any) -> str:
    if change.id is None:
        return f"table {change.table!r}: "
    return f"row {shown(change.id)} of table {change.table!r}: "


_JUDGES: dict[str, Callable[[Door, Draft, Change], bool]] = {
    "create": Door._judge_create, "update": Door._judge_update, "upsert": Door._judge_upsert,
    "merge": Door._judge_merge, "delete": Door._judge_delete,
    "clear": Door._judge_clear, "replace": Door._judge_replace,
}  # fmt: skip
