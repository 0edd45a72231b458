"""Strategies with one fault each: what an author gets wrong. `LAW` names the law that must be found broken."""

from __future__ import annotations

from sspcore.abc import ALL
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.routing.dependency import Dependency
from tests.kit.sound import Placed, Selective, Shares


class NewImageOnly(Selective):
    """Rows that leave are told to nobody."""

    LAW = "leaves"

    def targets(self, row):
        return tuple([(c, "put") for c in self.views if self.concerns(c, row.table, row.new)])


class PutsWhatGoes(Selective):
    """A deleted row is put."""

    LAW = "put needs an image"

    def targets(self, row):
        return tuple([(circuit, "put") for circuit, _ in super().targets(row)])


class OnlyCrossings(Selective):
    """Tells who a row enters and leaves; where it stays, its new image is kept from the circuit, which goes stale."""

    LAW = "enters"

    def targets(self, row):
        return tuple([(circuit, kind) for circuit, kind in super().targets(row)
                      if self.concerns(circuit, row.table, row.old) != self.concerns(circuit, row.table, row.new)])  # fmt: skip


class DropsTheOldAtOnce(Selective):
    """A view that changes leaves its old rows behind."""

    LAW = "until settled"

    def view_changed(self, circuit, view, old, new):
        self.views[circuit][view] = [new]


class NeverSettles(Selective):
    """Interests that were given up route for ever."""

    LAW = "settled"

    def view_settled(self, circuit, view):
        pass


class SettlesBackwards(Selective):
    """What stays is what was there first."""

    LAW = "settled"

    def view_settled(self, circuit, view):
        del self.views[circuit][view][:-1]


class WaitsForTheSweep(Selective):
    """New interests route only once the old ones have settled."""

    LAW = "changed"

    def __init__(self):
        super().__init__()
        self.coming = {}

    def view_changed(self, circuit, view, old, new):
        self.coming[circuit, view] = new

    def view_settled(self, circuit, view):
        self.views[circuit][view] = [self.coming.pop((circuit, view))]


class OneInterestATable(Selective):
    """Interests are kept by table, as if a circuit had one view on each: the first view to go takes it along."""

    LAW = "others stay"

    def view_removed(self, circuit, view):
        gone = {table for interests in self.views[circuit][view] for table in interests}
        super().view_removed(circuit, view)
        for several in self.views[circuit].values():
            several[:] = [{t: i for t, i in interests.items() if t not in gone} for interests in several]


class ForgetsNoCircuit(Selective):
    """A circuit that is gone still gets rows."""

    LAW = "gone circuits"

    def circuit_removed(self, circuit):
        pass


class RemembersItsViews(Selective):
    """A circuit that comes again has the views of the one before."""

    LAW = "gone circuits"

    def __init__(self):
        super().__init__()
        self.attic = {}

    def circuit_removed(self, circuit):
        self.attic[circuit] = self.views.pop(circuit)

    def circuit_added(self, circuit):
        self.views[circuit] = self.attic.pop(circuit, {})


class FirstInterestsForEver(Selective):
    """A view added again under the same name keeps what it needed first."""

    LAW = "told again"

    def __init__(self):
        super().__init__()
        self.first = {}

    def view_added(self, circuit, view, interests):
        super().view_added(circuit, view, self.first.setdefault((circuit, view), interests))


class OlderInterestsOutliveTheView(Selective):
    """A view removed gives up its newest interests only."""

    LAW = "removed"

    def view_removed(self, circuit, view):
        del self.views[circuit][view][0]


class NullMatches(Selective):
    """NULL is taken for any value."""

    LAW = "nothing more"

    def matches(self, interest, image):
        return super().matches(interest, image) or (type(interest.condition) is Call and any(
            type(e) is Column and image[e.index] is None for e in interest.condition.args))  # fmt: skip


class NullIsFalse(Selective):
    """NOT and IS NULL are decided as if NULL met nothing."""

    LAW = "enters"

    def matches(self, interest, image):
        if interest is ALL or not self.asks_for_null(interest.condition):
            return super().matches(interest, image)
        return all(cell is not None for cell in image) and super().matches(interest, image)

    def asks_for_null(self, condition):
        return type(condition) is Call and condition.function == "is null"


class OneIsTrue(Selective):
    """Keys are compared as Python compares them: 1, 1.0 and True are one, and NaN is none."""

    LAW = "nothing more"

    def matches(self, interest, image):
        condition = getattr(interest, "condition", None)
        if (
            type(condition) is Call
            and condition.function == "="
            and list(map(type, condition.args)) == [Column, Constant]
        ):
            return image[condition.args[0].index] == condition.args[1].value
        return super().matches(interest, image)


class RemembersRows(Selective):
    """Retracts only what it remembers having put: a batch that was refused, or a backfill, is not in its memory."""

    LAW = "leaves"

    def __init__(self):
        super().__init__()
        self.sent = set()

    def targets(self, row):
        found = []
        for circuit, kind in super().targets(row):
            if kind == "put":
                self.sent.add((circuit, row.id))
                found.append((circuit, kind))
            elif (circuit, row.id) in self.sent:
                self.sent.discard((circuit, row.id))
                found.append((circuit, kind))
        return tuple(found)


class CachesForEver(Selective):
    """What was answered once is the answer, whatever came and went since."""

    LAW = "pure"

    def __init__(self):
        super().__init__()
        self.known = {}

    def targets(self, row):
        place = row.table, repr(row.old), repr(row.new)
        if place not in self.known:
            self.known[place] = super().targets(row)
        return self.known[place]


class AnswersFewerRows(Selective):
    """Rows nobody needs have no answer."""

    LAW = "answers"

    def route(self, rows):
        return [targets for targets in super().route(rows) if targets]


class SaysTwice(Selective):
    """A circuit stands among the targets once per view."""

    LAW = "one target"

    def targets(self, row):
        return tuple([target for target in super().targets(row) for _ in self.views[target[0]]])


class RoutesToNobodyKnown(Selective):
    """What nobody needs goes to a default circuit, which may not be there."""

    LAW = "known circuits"

    def targets(self, row):
        return super().targets(row) or (("default", "retract" if row.new is None else "put"),)


class TellsAnotherStory(Selective):
    """explain looks at the new image only."""

    LAW = "explains"

    def explain(self, row):
        return super().explain(row._replace(old=None))


class Trips(Selective):
    """Cannot be told that a view changes twice."""

    LAW = "raises nothing"

    def view_changed(self, circuit, view, old, new):
        (_,) = self.views[circuit][view]
        super().view_changed(circuit, view, old, new)


class RowsOfOneWidth(Selective):
    """Cannot bear that a table gets a column."""

    LAW = "raises nothing"

    def __init__(self):
        super().__init__()
        self.widths = {}

    def targets(self, row):
        if self.widths.setdefault(row.table, len(row.columns)) != len(row.columns):
            raise IndexError(row.columns)
        return super().targets(row)


class WholeTables(Selective):
    """Says it selects, and routes whole tables."""

    LAW = "nothing more"

    def matches(self, interest, image):
        return True


class ForgetsWhoElseReads(Dependency):
    """Whole tables, not counted: the first view to go takes the route along."""

    LAW = "others stay"

    def view_removed(self, circuit, view):
        read = [table for table in self._puts if view in self.readers(table).get(circuit, ())]
        super().view_removed(circuit, view)
        for table in read:
            for targets in (self._puts, self._retracts):
                targets[table] = tuple([target for target in targets.get(table, ()) if target[0] != circuit])

    def changed(self, table):
        self._puts.setdefault(table), self._retracts.setdefault(table)
        super().changed(table)


class RetractsWhatChanges(Dependency):
    """Whole tables; an update is taken for a deletion."""

    LAW = "enters"

    def route(self, rows):
        return [tuple([(c, "retract" if row.old is not None else kind) for c, kind in targets])
                for row, targets in zip(rows, super().route(rows), strict=True)]  # fmt: skip


class SharesTooMuch(Shares):
    """A row is put where holds denies it: the neighbour's rows are seen."""

    LAW = "share"

    def targets(self, row):
        return tuple([(circuit, "put" if row.new is not None else kind) for circuit, kind in super().targets(row)])


class SharesTooLittle(Shares):
    """A row that moves to another circuit stays in the old one."""

    LAW = "share"

    def targets(self, row):
        return tuple([(c, kind) for c, kind in super().targets(row) if kind == "put" or row.new is None])


class SharesAmongThoseThere(Shares):
    """A row without a home is held by the first circuit there is: another, as circuits come and go."""

    LAW = "share is of the row"

    def holds(self, circuit, row):
        home = self.home(row, row.new)
        return row.new is not None and circuit == (min(self.views) if home is None else home)


class MovesAtOnce(Placed):
    """Rows lost are not routed any more from the moment they are lost: those not yet retracted go stale."""

    LAW = "current"

    def losing(self, circuit, row):
        return False


class NeverGains(Placed):
    """Rows gained are not told."""

    LAW = "held"

    def admitted(self, rows):
        return [move for move in super().admitted(rows) if move.gained is None]
