"""What authors of plugins implement, and the values that pass between a plugin and the runtime.

Owns the protocols of routing strategies and backpressure policies. Refuses to import anything of the library at run
time, and knows no trio: a plugin decides, purely; the runtime waits, reads clocks and obeys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, Protocol, TypeVar

import attrs

if TYPE_CHECKING:
    from sspcore.algebra.values import Value
    from sspcore.plan.expressions import Expression

    Row = tuple[Value, ...]

T_co = TypeVar("T_co", covariant=True)


# Routing


class Everything:
    """The interest in every row of a table; its one instance is `ALL`."""

    def __repr__(self) -> str:
        return "ALL"


ALL: Final = Everything()


class Interest(Protocol):
    """The interest in some rows of a table: those a condition over its columns holds for.

    Equal when the conditions are; hashable; `str()` of one is for people. Made by the library, never by plugins.
    """

    @property
    def condition(self) -> Expression:
        """The condition, over the table's columns by position, without parameters; `PredicateIndex.add` takes it."""

    def matches(self, row: Row) -> bool:
        """Whether the condition is TRUE of a row: a pure function of it. An evaluation that raises counts as TRUE."""


Interests = Mapping[str, Everything | Interest]
"""Table → which of its rows a view can depend on (an over-approximation; `ALL` at worst)."""


class Address(NamedTuple):
    """Where a change said its row belongs: names of circuits, and a tenant. A row keeps its last one."""

    targets: tuple[str, ...] = ()
    tenant: str | None = None


class Resolved(NamedTuple):
    """One row that changes: its image before and after, None where there is none; never both None.

    `columns` names the cells of both images, in order. `address` is the new image's and `was` the old one's, of tables
    the strategy asks addresses of (`Addressed`); where they differ, the images may be the same: the row only moves.
    """

    table: str
    id: Any
    old: Row | None
    new: Row | None
    columns: tuple[str, ...] = ()
    address: Address | None = None
    was: Address | None = None


Target = tuple[str, Literal["put", "retract"]]
"""(circuit, put the new image | retract: the row no longer concerns this circuit)."""
Routing = Sequence[tuple[Target, ...]]
"""For each row asked about, in the same order, the circuits that must get it."""


@attrs.frozen
class Reason:
    """Why a row goes to a circuit, or not."""

    circuit: str
    routed: bool
    why: str


class RoutingStrategy(Protocol):
    """Which circuits must get a change. Synchronous and deterministic; asked once per batch, never per row.

    # Contract
    - **Never lose a row**: every row of a table that a circuit has a view on is routed there, put when there is a new
      image, retract when there is only an old one. A `Selective` strategy may leave out rows nobody is interested in.
      (Tested by laws, `sspcore.testing.check_strategy`; at run time it cannot be checked.)
    - **Never guess membership**: more circuits than needed is only slower; circuits alone decide what a view shows.
    - **Raising is safe**: the runtime then routes to every circuit that needs the row, counts it, and goes on.
    - A circuit gets its views' rows that exist already from the runtime, never from the strategy.
    """

    def circuit_added(self, circuit: str) -> None:
        """A circuit exists from now on."""

    def circuit_removed(self, circuit: str) -> None:
        """A circuit and all its views are gone: never route to it again."""

    def view_added(self, circuit: str, view: str, interests: Interests) -> None:
        """A view needs these rows, from now on."""

    def view_changed(self, circuit: str, view: str, old: Interests, new: Interests) -> None:
        """A view's interests change: both route until `view_settled`. It may change again before that: then all do.

        `new` may be empty: the view is gone, its rows are being retracted. `old` is what was told last.
        """

    def view_settled(self, circuit: str, view: str) -> None:
        """The circuit has given up the rows only older interests needed: from now on only the newest route."""

    def view_removed(self, circuit: str, view: str) -> None:
        """A view is gone, with all its interests."""

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """For each row the circuits that must get it; () for none."""

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """For each circuit why it would get this row, or not. For people: may be slow."""


class Selective(RoutingStrategy, Protocol):
    """A strategy that routes rows by the interests of views, not whole tables: circuits hold only what they need.

    # Contract, for the tables it selects from
    - **Exactly the interests**: put where an interest of a view of the circuit `matches` the new image, retract where
      one matches the old image and none the new one, nothing otherwise. Interests that have not settled count. (More
      would leave rows behind that go stale: a circuit is told of a row until its old image concerns it no more.)
    - The runtime fills in the rows a new interest needs and retracts those an older one alone needed, in slices, then
      calls `view_settled`.
    """

    def selects(self, table: str) -> bool:
        """Whether it routes this table by interests; False: every row to every reader. A matter of configuration."""


class Partition(RoutingStrategy, Protocol):
    """A strategy under which a circuit holds a share of a table, and its views are views of that share.

    # Contract
    - **Who holds a row is a pure function of it**, of its address and of the configuration, never of which circuits or
      views there are: the runtime asks again whenever a view comes late or a circuit is derived anew.
    - `route` agrees: of the circuits that read the table, put where `holds` the new image, retract where only the old.
    - **Raising refuses**: all readers would be too many, so a batch whose routing fails is refused whole; a
      ChangeRejected says why in its own words.
    """

    def holds(self, circuit: str, row: Resolved) -> bool:
        """Whether a circuit holds the row, in its new image."""


class Addressed(Partition, Protocol):
    """A partition that goes by what changes say of where their rows belong (`Change.targets`, `Change.tenant`).

    # Contract
    - The runtime keeps an address beside the row: that of the last change of it that had one, until it is deleted.
    """

    def addressed(self, table: str) -> bool:
        """Whether `Resolved` needs addresses in this table; False: it has none. A matter of configuration."""


class Move(NamedTuple):
    """A strategy's own decision about what a circuit holds of a table: some rows more, some less, or both."""

    circuit: str
    table: str
    gained: Everything | Interest | None
    lost: Everything | Interest | None


class Placing(Partition, Protocol):
    """A partition that changes with what is in some tables: placement is data.

    # Contract
    - Who holds a row is a pure function of it, of the configuration and of the rows it was told were `admitted`.
    - `route` and `holds` change nothing: a batch that is routed may yet wait or be refused.
    - From `admitted` on rows gained are routed there; rows lost still are (put or retract, as before) until `settled`,
      while `holds` denies them at once.
    """

    def watches(self, table: str) -> bool:
        """Whether it must be told of the rows of this table. A matter of configuration."""

    def admitted(self, rows: Sequence[Resolved]) -> Sequence[Move]:
        """Rows of watched tables are in, for good. Gives what moves: the runtime fills in and retracts, in slices."""

    def settled(self, circuit: str, table: str) -> None:
        """The circuit has given up what it lost of a table."""


# Backpressure


class QueueStatistics(NamedTuple):
    """A circuit's queue as a policy sees it: what waits, what fits, and since when the oldest batch waits."""

    depth: int
    size: int
    batches: int
    capacity: int
    max_bytes: int
    oldest: float | None

    def fits(self, changes: int, size: int) -> bool:
        """Whether so many changes, of about so many bytes, fit; a batch of any size fits an empty queue alone."""
        return self.depth == 0 or (self.depth + changes <= self.capacity and self.size + size <= self.max_bytes)


class Accept(NamedTuple):
    """Let the batch in."""


class Park(NamedTuple):
    """Let the producer wait for room, at most `patience` seconds (None: as long as it takes)."""

    patience: float | None = None


class Refuse(NamedTuple):
    """Turn the batch away: nothing of it is accepted, and the producer is told when to try again."""

    retry_after: float


class BackpressurePolicy(Protocol):
    """What happens when a circuit's queue is full. Pure: time is an argument.

    # Contract
    - Asked once per batch and target, before anything is written; asked again when a waiting producer's turn comes.
    - Must accept some batch once the queue is empty, or producers wait for ever. (Cannot be checked.)
    """

    def admit(self, queue: QueueStatistics, changes: int, size: int, now: float) -> Accept | Park | Refuse:
        """Decide on a batch of so many changes, about so many bytes, at time `now` (seconds of any clock)."""


# What a hook returns


@attrs.frozen
class Spec(Generic[T_co]):
    """One thing a plugin offers.

    Args: `name`, by which configuration chooses it; `factory`, which makes one, called with an instance of `config`
    (or with nothing when that is None); `config`, an attrs class whose fields are its options; `composed`, whether the
    factory makes its product of others: then it is called with a function besides, `make(name, options, place)`.
    """

    name: str
    factory: Callable[..., T_co]
    config: type[Any] | None = None
    composed: bool = False


StrategySpec = Spec[RoutingStrategy]
PolicySpec = Spec[BackpressurePolicy]
