"""A case: random queries over one random history, judged every way there is.

Owns the order of things: some views are registered before there are rows, some after; after every batch every view must
equal `interpret` of its plan and every reader that integrates updates must hold it; every few batches two databases and
one-off queries must say the same; parameters and the time move now and then. A breach is a `Wrong`, which tells how to have it again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from random import Random

import attrs

from sspcore.engine.circuit import Circuit
from sspcore.engine.update import Commit
from sspcore.errors import SqlError, UnsupportedSql
from sspcore.testing.generate.choices import Choices
from sspcore.testing.oracle import Mirror, check_circuit, expect_value
from tests.plan.random_sql.peers import DuckDb, Peer, Sqlite, differs, without_params
from tests.plan.random_sql.queries import Queries, Query
from tests.plan.random_sql.tables import OTHERS, PARAMS, SCHEMAS, History


class Wrong(AssertionError):
    """A query whose answer is wrong, or that raised what it must not."""


def params(sql: str, values: Mapping[str, object] = PARAMS) -> dict:
    """The parameters that the text names, but for the time, which the circuit tells."""
    return {name: values[name] for name in re.findall(r"\$(\w+)", sql) if name != "now"}


@attrs.define
class Case:
    """The queries and the history of one seed."""

    seed: int
    databases: tuple[Peer, ...]
    counts: Counter = attrs.field(factory=Counter)
    circuit: Circuit = attrs.field(init=False)
    queries: dict[str, Query] = attrs.field(factory=dict)
    mirrors: dict[str, Mirror] = attrs.field(factory=dict)
    history: list = attrs.field(factory=list)
    values: dict = attrs.field(factory=lambda: dict(PARAMS))

    def run(self, count: int = 6, batches: int = 6, given: Sequence[Query] = ()) -> None:
        """Draw, register, change, judge; the `given` queries instead of drawn ones. Raises Wrong."""
        c = Choices(Random(self.seed))
        self.circuit = Circuit(schemas=SCHEMAS)
        self.circuit.advance(self.values["now"])
        views = {} if given else self._views(c)
        drawn = list(given) or [Queries(c, views).query() for _ in range(count)]
        count, past = len(drawn), History(c)
        for i, query in enumerate(drawn[: count // 2]):
            self._register(f"early{i}", query)
        self._apply(past.fill())
        for i, query in enumerate(drawn[count // 2 :]):
            self._register(f"late{i}", query)
        self._judge()
        for i in range(batches):
            self._apply(past.batch())
            if i % 3 == 1:
                self._move(c)
            if i % 3 == 2:
                self._judge()

    def _views(self, c: Choices) -> dict:
        """Two registered views, the second perhaps over the first, for other queries to read."""
        views: dict = {}
        for name in ("vw1", "vw2"):
            query = Queries(c, views, tag=name).view()
            query = attrs.evolve(query, text=without_params(query.text))
            known = self._register(name, query)
            for peer in self.databases:
                peer.view(name, query.text if known and (query.portable or peer.booleans) else None)
            if known:
                views[name] = query.columns
        return views

    def _register(self, name: str, query: Query) -> bool:
        self.counts["queries"] += 1
        try:
            snapshot = self.circuit.register(name, query.text, params(query.text, self.values))
        except UnsupportedSql as error:
            self.counts["unsupported"] += 1
            self.counts[f"unsupported: {error.message[:90]}"] += 1
            return False
        except SqlError as error:
            if "more than 500 SELECTs" in str(error):
                self.counts["too big"] += 1
                return False
            raise self._wrong(query.text, f"refused: {error}") from error
        except Exception as error:
            raise self._wrong(query.text, f"raised {error!r}") from error
        self.queries[name] = query
        self.mirrors[name] = Mirror(snapshot)
        return True

    def _apply(self, batch: list) -> None:
        self.history.append(batch)
        with self._judged():
            self._told(self.circuit.apply(batch))

    def _move(self, c: Choices) -> None:
        """Other values for some parameters, and a later time."""
        moved = {name: c.pick(others) for name, others in OTHERS.items() if c.chance(60)}
        self.values |= moved | {"now": self.values["now"] + timedelta(hours=c.pick((1, 12, 24, 240)))}
        self.history.append([("rebind", moved, self.values["now"])])
        with self._judged():
            self._told(self.circuit.advance(self.values["now"]))
            for name, query in self.queries.items():
                own = params(query.text, self.values)
                if own:
                    update = self.circuit.rebind(name, own)
                    self.counts["moved"] += 1
                    if update.changes or update.placed:
                        self.counts["moved, and differs"] += 1
                        self.mirrors[name].apply(update)

    def _told(self, commit: Commit) -> None:
        """Those who integrate updates hear of a commit."""
        if commit.failed:
            raise AssertionError(f"failed: {commit.failed}")
        for name, update in commit.updates.items():
            self.mirrors[name].apply(update)

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """What is done within leaves every view and every mirror right."""
        try:
            yield
            check_circuit(self.circuit)
            for name, mirror in self.mirrors.items():
                view = self.circuit.view(name)
                expect_value(mirror.keys, mirror.rows(), view.bound, self.circuit.tables, f"the mirror of {name!r}")
        except Exception as error:
            name = next((n for n in self.queries if repr(n) in str(error)), "")
            sql = self.queries[name].text if name else "; ".join(q.text for q in self.queries.values())
            raise self._wrong(sql, f"after {len(self.history)} batches: {error!r}") from error

    def _judge(self) -> None:
        """One-off queries and the databases."""
        for peer in self.databases:
            peer.load(self.circuit.tables)
        for name, query in self.queries.items():
            ours = self.circuit.rows(name)
            try:
                once = self.circuit.query(query.text, params(query.text, self.values)).rows
            except Exception as error:
                raise self._wrong(query.text, f"as a one-off query raised {error!r}") from error
            if sorted(map(repr, once)) != sorted(map(repr, ours)) or (query.ordered and list(once) != list(ours)):
                raise self._wrong(query.text, f"a view of it shows {ours}, a one-off query gives {once}")
            self._ask(query, ours)

    def _ask(self, query: Query, ours: list) -> None:
        """Raise Wrong where a database differs, unless it or the other one sides with us: they have faults too."""
        for peer, other in zip(self.databases, reversed(self.databases), strict=True):
            if not query.portable and not peer.booleans:
                continue
            theirs = peer.ask(query.text, self.values)
            self.counts[f"{peer.name} {'answers' if theirs is not None else 'silent'}"] += 1
            if theirs is None or not differs(peer, theirs, ours, ordered=query.ordered):
                continue
            for judge, ask in ((peer, peer.ask_plainly), (other, other.ask)):
                second = ask(query.text, self.values)
                if second is not None and not differs(judge, second, ours, ordered=query.ordered):
                    break
            else:
                raise self._wrong(query.text, f"{peer.name} says {theirs}, we {ours}")
            self.counts["disputed"] += 1
            self.counts[f"disputed: {query.text}"] += 1

    def _wrong(self, sql: str, how: str) -> Wrong:
        rows = {name: list(table.rows.values()) for name, table in self.circuit.tables.items()}
        views = {n: q.text for n, q in self.queries.items() if n.startswith("vw") and n in sql}
        return Wrong(
            f"seed {self.seed}\n{sql}\nparameters {params(sql, self.values)}\nviews {views}\n{how}\ntables {rows}\nhistory {[[tuple(change[:4]) for change in batch] for batch in self.history]}"
        )


def databases() -> tuple[Peer, ...]:
    """Both, empty."""
    return DuckDb(), Sqlite()
