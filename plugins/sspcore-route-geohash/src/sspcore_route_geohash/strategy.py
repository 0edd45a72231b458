"""The strategy: a row goes to the circuits of the region it lies in, as far as they read its table.

Owns the way from a row to its homes. A partition (`sspcore.abc.Partition`): circuits hold shares, and who holds a row
is a pure function of its coordinates and the options, never of which circuits or views there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from sspcore import Readers
from sspcore.abc import Reason, Resolved, Routing, Target
from sspcore.errors import ChangeRejected, UsageError
from sspcore_route_geohash.geohash import ALPHABET, LONGEST, encode

Homes = tuple[str, ...] | None
"""The circuits that hold a row, whether they exist or not; None for every one that reads its table."""

PLACELESS: Final = ("everywhere", "default", "refuse")

_REMEMBERED: Final = 10_000
"""Ways between homes whose targets are kept. The runtime looks into each answer once, so that many rows share it."""


@attrs.frozen
class GeohashOptions:
    """Options of `geohash`.

    Args: `regions`, geohash prefix → circuit, or list of circuits; the longest prefix of a row's place counts.
    `latitude` and `longitude`, the columns, in degrees. `default`, the circuit of rows outside all regions (none: they
    are refused). `placeless`, where rows go whose coordinates are NULL, or whose table has no such columns:
    "everywhere" (each circuit that reads their table), "default", or "refuse". `everywhere`, tables whose rows go to
    each circuit that reads them, wherever they lie. `whole`, circuits that hold every row of the tables they read.
    """

    regions: Mapping[str, Any]
    latitude: str = "latitude"
    longitude: str = "longitude"
    default: str | None = None
    placeless: str = "everywhere"
    everywhere: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not self.regions:
            raise UsageError("there are no regions", hint='give some, such as regions = {dr5 = "new_york"}')
        for prefix, homes in self.regions.items():
            _check_prefix(prefix)
            for circuit in homes if isinstance(homes, list | tuple) and homes else (homes,):
                if not isinstance(circuit, str) or not circuit:
                    raise UsageError(f"regions.{prefix}: a circuit's name is text, not {circuit!r}")
        if self.placeless not in PLACELESS:
            raise UsageError(f"placeless is one of {', '.join(PLACELESS)}, not {self.placeless!r}")
        if self.placeless == "default" and self.default is None:
            raise UsageError('placeless = "default" needs a default circuit', hint="name it under default")


def _check_prefix(prefix: str) -> None:
    if not 0 < len(prefix) <= LONGEST:
        raise UsageError(f"regions: a geohash has 1 to {LONGEST} characters, not {prefix!r}")
    for letter in prefix:
        if letter not in ALPHABET:
            hint = "write it in lower case" if letter.lower() in ALPHABET else "geohashes do without a, i, l and o"
            raise UsageError(f"regions: {prefix!r} is no geohash, for its {letter!r}", hint=hint)


class Geohash(Readers):
    """Circuits hold the rows of their regions. Cost: one geohash for each image of a row that has a place.

    A row that moves from region to region is put into the circuits of the new one and retracted from those of the old.

    >>> from sspcore.abc import ALL
    >>> cabs = Geohash(GeohashOptions({"dr5": "new_york", "dr": "east"}, default="elsewhere"))
    >>> for circuit in ("new_york", "east", "elsewhere"):
    ...     cabs.circuit_added(circuit)
    ...     cabs.view_added(circuit, "free", {"cabs": ALL})
    >>> columns = ("id", "latitude", "longitude")
    >>> list(cabs.route([Resolved("cabs", 7, (7, 40.7, -74.0), (7, 42.4, -71.1), columns)]))
    [(('east', 'put'), ('new_york', 'retract'))]
    """

    def __init__(self, options: GeohashOptions) -> None:
        super().__init__()
        self.options = options
        self._regions: dict[str, tuple[str, ...]] = {
            prefix: (homes,) if isinstance(homes, str) else tuple(homes) for prefix, homes in options.regions.items()
        }
        self._lengths = sorted({len(prefix) for prefix in self._regions}, reverse=True)
        self._default = None if options.default is None else (options.default,)
        self._everywhere = frozenset(options.everywhere)
        self._whole = frozenset(options.whole)
        self._targets: dict[tuple[str, bool, Homes, Homes], tuple[Target, ...]] = {}

    def changed(self, table: str) -> None:
        """Other circuits read a table: who must hear of its rows is worked out anew."""
        self._targets.clear()

    # Where rows go

    def holds(self, circuit: str, row: Resolved) -> bool:
        """Whether the row lies in a region of the circuit, as it is now."""
        return row.new is not None and (circuit in self._whole or _within(circuit, self._left(row, row.new)))

    def route(self, rows: Sequence[Resolved]) -> Routing:
        """Puts where the row lies now, retractions where it lay. Raises ChangeRejected for a row without a home."""
        targets, routing = self._targets, []
        if len(targets) > _REMEMBERED:
            targets.clear()
        for row in rows:
            before = () if row.old is None else self._left(row, row.old)
            after = () if row.new is None else self._entered(row, row.new)
            way = row.table, row.new is None, before, after
            if way not in targets:
                targets[way] = self._told(*way)
            routing.append(targets[way])
        return routing

    def explain(self, row: Resolved) -> Sequence[Reason]:
        """Names the place and the region. Raises ChangeRejected for a row without a home."""
        (targets,) = self.route([row])
        kinds = dict(targets)
        place = "" if row.new is None else self._described(row, row.new)
        reasons = []
        for circuit in sorted(self.circuits):
            kind = kinds.get(circuit)
            if circuit not in self.readers(row.table):
                why = f"no view of it reads {row.table}"
            elif kind == "retract":
                why = "it leaves this circuit, in whose regions it lay"
            elif kind is None:
                why = f"it {place or 'lay elsewhere'}, which is not this circuit's"
            else:
                why = "this circuit holds every row" if circuit in self._whole else f"it {place}"
            reasons.append(Reason(circuit, kind is not None, why))
        return reasons

    def _told(self, table: str, gone: bool, before: Homes, after: Homes) -> tuple[Target, ...]:
        """Who must hear of a row with these homes. Cost: O(readers of the table), once per pair of homes."""
        told: list[Target] = []
        for circuit in sorted(self.readers(table)):
            whole = circuit in self._whole
            if not gone and (whole or _within(circuit, after)):
                told.append((circuit, "put"))
            elif whole or _within(circuit, before):
                told.append((circuit, "retract"))
        return tuple(told)

    def _entered(self, row: Resolved, image: tuple[Any, ...]) -> Homes:
        """The homes of a row that comes or changes, which must exist. Raises ChangeRejected."""
        homes = self._homes(row, image)
        for circuit in homes or ():
            if circuit not in self.circuits:
                raise ChangeRejected(
                    f"row {row.id!r} of {row.table!r} {self._described(row, image)}, whose circuit {circuit!r} does "
                    f"not exist",
                    hint="create it first, or correct the regions",
                )
        return homes

    def _left(self, row: Resolved, image: tuple[Any, ...]) -> Homes:
        """The homes of an image that is there. One that would be refused is nobody's: so it can be put right."""
        try:
            return self._homes(row, image)
        except ChangeRejected:
            return ()

    def _homes(self, row: Resolved, image: tuple[Any, ...]) -> Homes:
        """Table, region, default, in this order. Raises ChangeRejected."""
        if row.table in self._everywhere:
            return None
        place = self._place(row, image)
        if place is None:
            if self.options.placeless == "everywhere":
                return None
            if self.options.placeless == "default":
                return self._default
            raise ChangeRejected(
                f"row {row.id!r} of {row.table!r} has no place: {self.options.latitude!r} or "
                f"{self.options.longitude!r} is NULL or missing",
                hint="fill them in, list the table under everywhere, or let placeless rows in",
            )
        homes = self._region(place)[1]
        if homes is None:
            raise ChangeRejected(
                f"row {row.id!r} of {row.table!r} lies in {place}, in no region",
                hint="add a region whose geohash begins this one, or a default circuit",
            )
        return homes

    def _place(self, row: Resolved, image: tuple[Any, ...]) -> str | None:
        """The geohash of a row, as long as the longest prefix. Raises ChangeRejected for a point not on Earth."""
        latitude, longitude = _cell(row, image, self.options.latitude), _cell(row, image, self.options.longitude)
        if latitude is None or longitude is None:
            return None
        try:
            return encode(_number(latitude), _number(longitude), self._lengths[0])
        except (TypeError, ValueError, OverflowError):
            raise ChangeRejected(
                f"row {row.id!r} of {row.table!r} has no place on Earth: {self.options.latitude} {latitude!r}, "
                f"{self.options.longitude} {longitude!r}",
                hint="these are numbers of degrees, -90 to 90 and -180 to 180",
            ) from None

    def _region(self, place: str) -> tuple[str, tuple[str, ...] | None]:
        """The longest prefix that is a region, and its circuits; the default's, under "", where there is none."""
        for length in self._lengths:
            if (homes := self._regions.get(place[:length])) is not None:
                return place[:length], homes
        return "", self._default

    def _described(self, row: Resolved, image: tuple[Any, ...]) -> str:
        """Where a row that has a home lies, for people."""
        if row.table in self._everywhere:
            return f"is of a table that goes everywhere ({row.table})"
        place = self._place(row, image)
        if place is None:
            return f"has no place, so goes {'to the default' if self.options.placeless == 'default' else 'everywhere'}"
        region = self._region(place)[0]
        return f"lies in {place}, " + (f"region {region}" if region else "outside all regions")


def _within(circuit: str, homes: Homes) -> bool:
    return homes is None or circuit in homes


def _cell(row: Resolved, image: tuple[Any, ...], column: str) -> Any:
    """The cell of a column; None, as for NULL, where there is no such column yet."""
    if column not in row.columns:
        return None
    at = row.columns.index(column)
    return image[at] if at < len(image) else None


def _number(value: Any) -> float:
    """A coordinate. Raises TypeError for what is no number."""
    if type(value) is float:
        return value
    if isinstance(value, str | bool):
        raise TypeError("coordinates are numbers")
    return float(value)
