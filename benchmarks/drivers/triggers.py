"""Incremental views by hand: the SQLite triggers one writes without a library, for the shapes that have any.

Each maker creates a result table with its triggers and gives a function that reads the answers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

Views = list[Any]
Read = Callable[[], list[Any]]


def _filter(connection: sqlite3.Connection, views: Views) -> Read:
    inside = "{0}.status = 'open' AND {0}.priority >= 5"
    old, new = inside.format("OLD"), inside.format("NEW")
    connection.executescript(f"""
        CREATE TABLE v (id PRIMARY KEY, owner, status, priority, score, title) WITHOUT ROWID;
        INSERT INTO v {views[0][2]};
        CREATE TRIGGER leaves AFTER UPDATE ON issue WHEN {old} AND NOT ({new})
            BEGIN DELETE FROM v WHERE id = OLD.id; END;
        CREATE TRIGGER enters AFTER UPDATE ON issue WHEN {new}
            BEGIN INSERT OR REPLACE INTO v VALUES
                (NEW.id, NEW.owner, NEW.status, NEW.priority, NEW.score, NEW.title); END;""")
    return lambda: [connection.execute("SELECT * FROM v").fetchall()]


def _keyed(connection: sqlite3.Connection, views: Views) -> Read:
    connection.execute("""
        CREATE TABLE v (q, id, owner, status, priority, score, title, PRIMARY KEY (q, id)) WITHOUT ROWID""")
    connection.execute("CREATE INDEX issue_owner ON issue (owner)")
    for n, (_, params, _, _) in enumerate(views):
        owner = params["owner"]
        connection.executescript(f"""
            INSERT INTO v SELECT {n}, id, owner, status, priority, score, title FROM issue WHERE owner = '{owner}';
            CREATE TRIGGER leaves{n} AFTER UPDATE ON issue WHEN OLD.owner = '{owner}' AND NEW.owner <> '{owner}'
                BEGIN DELETE FROM v WHERE q = {n} AND id = OLD.id; END;
            CREATE TRIGGER enters{n} AFTER UPDATE ON issue WHEN NEW.owner = '{owner}'
                BEGIN INSERT OR REPLACE INTO v VALUES
                    ({n}, NEW.id, NEW.owner, NEW.status, NEW.priority, NEW.score, NEW.title); END;""")
    select = "SELECT id, owner, status, priority, score, title FROM v WHERE q = ?"
    return lambda: [connection.execute(select, (n,)).fetchall() for n in range(len(views))]


def _join(connection: sqlite3.Connection, views: Views) -> Read:
    connection.executescript(f"""
        CREATE TABLE v (id PRIMARY KEY, owner, name) WITHOUT ROWID;
        INSERT INTO v {views[0][2]};
        CREATE INDEX v_owner ON v (owner);
        CREATE TRIGGER left_changes AFTER UPDATE ON issue WHEN OLD.owner <> NEW.owner BEGIN
            DELETE FROM v WHERE id = OLD.id;
            INSERT INTO v SELECT NEW.id, NEW.owner, name FROM person WHERE id = NEW.owner; END;
        CREATE TRIGGER right_changes AFTER UPDATE ON person WHEN OLD.name <> NEW.name BEGIN
            UPDATE v SET name = NEW.name WHERE owner = NEW.id; END;""")
    return lambda: [connection.execute("SELECT * FROM v").fetchall()]


def _group(connection: sqlite3.Connection, views: Views) -> Read:
    """Sums drift as floats do: SQLite adds and subtracts doubles, where the engine's sums are exact."""
    connection.executescript("""
        CREATE TABLE v (status PRIMARY KEY, n, total) WITHOUT ROWID;
        INSERT INTO v SELECT status, count(*), sum(score) FROM issue GROUP BY status;
        CREATE TRIGGER moves AFTER UPDATE ON issue WHEN OLD.status <> NEW.status OR OLD.score <> NEW.score BEGIN
            UPDATE v SET n = n - 1, total = total - OLD.score WHERE status = OLD.status;
            UPDATE v SET n = n + 1, total = total + NEW.score WHERE status = NEW.status; END;""")
    return lambda: [connection.execute("SELECT status, n, total, total / n FROM v WHERE n > 0").fetchall()]


TRIGGERS: Mapping[str, Callable[[sqlite3.Connection, Views], Read]] = {
    "filter": _filter, "keyed": _keyed, "join": _join, "groups": _group,
}  # fmt: skip
