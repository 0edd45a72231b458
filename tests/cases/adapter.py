"""The engine as the runner of the external cases sees it: names are translated, nothing is computed.

`casekit` comes with the cases, from the folder that `tests/cases/test_cases.py` puts on the path.
"""

import casekit.oracle
from casekit.adapter import Adapter, Unsupported
from sqlglot.dialects import DuckDB

import sspcore
from sspcore.errors import UnsupportedSql
from tests.cases.trees import plain, tree_query

TYPES = {"INTEGER": "integer", "REAL": "real", "TEXT": "text", "BOOLEAN": "boolean"}
OPS = {"I": sspcore.create, "U": sspcore.update}


class WholeDivision(DuckDB):
    """How the kit is to read a query that it rewrites for its order, before it hands it to SQLite.

    It reads DuckDB's SQL, where `/` of integers is a real; the suites, SQLite and we mean an integer by it.
    """

    TYPED_DIVISION = True


casekit.oracle.READ = WholeDivision


class SspAdapter(Adapter):
    ordered = True
    null_order = "largest"

    def __init__(self):
        self.circuit = sspcore.Circuit()
        self.tables = {}
        self.emitted = {}
        self.one = {}
        self.refused = []

    def create_table(self, table):
        columns = {name: TYPES.get(kind, "json") for name, kind in table.columns}  # lists are JSON
        key = tuple(table.key) if table.key and len(table.key) > 1 else table.key[0] if table.key else None
        self.tables[table.name] = sspcore.Schema(table.name, columns, key)
        self.circuit.create_table(self.tables[table.name])

    def register_sql(self, view_id, sql):
        try:
            snapshot = self.circuit.register(view_id, sql)
        except UnsupportedSql as error:
            self.refused.append(error)
            raise Unsupported(str(error)) from None
        self.emitted[view_id] = [(row, 1) for row in snapshot.rows]

    def apply(self, ops):
        commit = self.circuit.apply([self.change(*op) for op in ops])
        for view_id, update in commit.updates.items():
            self.emitted[view_id].extend(update.delta.items())

    def change(self, op, table, text, values=None):
        """The cases write ids as text, '7' or '7|a': the parts of the key, each of its column's type."""
        schema = self.tables[table]
        kinds = [schema.columns[name] for name in schema.key_columns]
        texts = text.split("|") if len(kinds) > 1 else [text]
        parts = [int(part) if kinds[i : i + 1] == ["integer"] else part for i, part in enumerate(texts)]
        row_id = parts[0] if len(parts) == 1 else tuple(parts)
        return sspcore.delete(table, row_id) if op == "D" else OPS[op](table, row_id, tuple(values))

    def rows(self, view_id):
        return self.circuit.rows(view_id)

    def register_tree(self, view_id, spec):
        snapshot = self.circuit.register(view_id, tree_query(spec))
        self.emitted[view_id] = [(row, 1) for row in snapshot.rows]
        self.one[view_id] = spec.get("one", False)

    def tree(self, view_id):
        rows = [plain(row) for row in self.circuit.view(view_id).dicts()]
        return (rows[0] if rows else None) if self.one[view_id] else rows

    def deltas(self, view_id):
        emitted, self.emitted[view_id] = self.emitted[view_id], []
        return emitted
