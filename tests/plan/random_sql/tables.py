"""The tables that random queries read: few rows over few values, NULL among them, so that joins meet and groups fill.

Owns schemas, rows and histories. All reals are dyadic: their sums are exact in any order, so databases must agree.
"""

from datetime import UTC, datetime

from sspcore.engine import change as changes
from sspcore.engine.schema import Schema
from sspcore.testing.generate.choices import Choices

SCHEMAS = (
    Schema("t", {"id": "integer", "a": "integer", "b": "text", "r": "real", "f": "boolean"}),
    Schema("u", {"id": "integer", "a": "integer", "y": "text", "g": "boolean"}),
    Schema("v", {"id": "text", "x": "integer", "y": "text", "w": "real"}),
)
DOMAINS = {
    "integer": (None, 1, 2, 0, 3, 2, 1, -1, None, 7),
    "text": (None, "a", "b", "a", "ab", "", "B", "a%", "b_"),
    "real": (None, 1.0, 0.5, 2, 2.0, -2.5, 0.0, 3),
    "boolean": (None, True, False, True, False),
}
IDS = {"t": range(1, 9), "u": range(1, 8), "v": ("k", "a", "b", "ab", "x1", "B")}
NOON = datetime(2013, 3, 30, 12, tzinfo=UTC)
PARAMS = {"n": 2, "m": -1, "s": "a", "h": 0.5, "yes": True, "none": None, "few": 3, "skip": 1, "now": NOON}
OTHERS = {
    "n": (2, 0, 1, 3), "m": (-1, 1, None), "s": ("a", "b", "ab", ""), "h": (0.5, 1.5, -2.5), "yes": (True, False, None),
    "few": (3, 1, 0, 5), "skip": (1, 0, 2),
}  # fmt: skip
"""What a parameter may become."""


def cells(c: Choices, schema: Schema) -> dict:
    """A row's columns other than its key."""
    return {n: c.pick(DOMAINS[k]) for n, k in schema.columns.items() if n != "id"}


class History:
    """Makes batches that a strict circuit accepts; knows which ids its own changes have left."""

    def __init__(self, c: Choices) -> None:
        self.choices = c
        self.ids: dict[str, set] = {s.table: set() for s in SCHEMAS}

    def fill(self) -> list:
        """Rows for every table; now and then none."""
        c, out = self.choices, []
        for schema in SCHEMAS:
            most = 0 if c.chance(8) else c.between(2, len(IDS[schema.table]) - 1)
            for key in c.some(tuple(IDS[schema.table]), most, most):
                self.ids[schema.table].add(key)
                out.append(changes.create(schema.table, key, cells(c, schema)))
        return out

    def batch(self) -> list:
        """One to five changes of any kind."""
        return [self._change() for _ in range(self.choices.between(1, 5))]

    def _change(self):
        c = self.choices
        schema = c.pick(SCHEMAS)
        table, held = schema.table, self.ids[schema.table]
        key = c.pick(tuple(IDS[table]))
        if key not in held:
            held.add(key)
            return c.pick((changes.create, changes.upsert))(table, key, cells(c, schema))
        kind = c.weighted(((40, "merge"), (25, "delete"), (20, "update"), (14, "upsert"), (1, "clear")))
        if kind == "clear":
            held.clear()
            return changes.clear(table)
        if kind == "delete":
            held.discard(key)
            return changes.delete(table, key)
        row = cells(c, schema)
        if kind == "merge":
            name = c.pick(tuple(row))
            return changes.merge(table, key, {name: row[name]})
        return (changes.update if kind == "update" else changes.upsert)(table, key, row)
