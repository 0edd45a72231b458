"""Small strategies that keep the contract, written to be read: what faults are planted in, and what must pass."""

from __future__ import annotations

from sspcore.abc import ALL, Move, Reason
from sspcore.errors import ChangeRejected
from sspcore.plan.expressions import Call, Column, Constant
from sspcore.routing.interest import Region


class Selective:
    """Asks every interest of every view, one after another."""

    def __init__(self):
        self.views = {}
        """Circuit → view → its interests, the newest first, older ones until they have settled."""

    def selects(self, table):
        return True

    def circuit_added(self, circuit):
        self.views[circuit] = {}

    def circuit_removed(self, circuit):
        del self.views[circuit]

    def view_added(self, circuit, view, interests):
        self.views[circuit][view] = [interests]

    def view_changed(self, circuit, view, old, new):
        self.views[circuit][view].insert(0, new)

    def view_settled(self, circuit, view):
        del self.views[circuit][view][1:]

    def view_removed(self, circuit, view):
        del self.views[circuit][view]

    def matches(self, interest, image):
        return interest is ALL or interest.matches(image)

    def concerns(self, circuit, table, image):
        return image is not None and any(
            table in interests and self.matches(interests[table], image)
            for several in self.views[circuit].values()
            for interests in several
        )

    def targets(self, row):
        found = []
        for circuit in self.views:
            if self.concerns(circuit, row.table, row.new):
                found.append((circuit, "put"))
            elif self.concerns(circuit, row.table, row.old):
                found.append((circuit, "retract"))
        return tuple(found)

    def route(self, rows):
        return [self.targets(row) for row in rows]

    def explain(self, row):
        chosen = dict(self.targets(row))
        return [Reason(circuit, circuit in chosen, chosen.get(circuit, "no view needs it")) for circuit in self.views]


class Shares(Selective):
    """A partition: a row belongs to the circuit its `home` names, and to all where it names none."""

    selects = None

    def home(self, row, image):
        return None if image is None else image[row.columns.index("home")]

    def holds(self, circuit, row):
        return row.new is not None and self.home(row, row.new) in (None, circuit)

    def reads(self, circuit, table):
        return any(table in interests for several in self.views[circuit].values() for interests in several)

    def targets(self, row):
        if row.new is not None and self.home(row, row.new) == "lab":
            raise ChangeRejected("the lab is closed")
        found = []
        for circuit in self.views:
            if self.reads(circuit, row.table):
                if self.holds(circuit, row):
                    found.append((circuit, "put"))
                elif self.holds(circuit, row._replace(new=row.old)):
                    found.append((circuit, "retract"))
        return tuple(found)


class Placed(Shares):
    """A partition that is data: table `places` says which circuit a `tenant` lives in; others live nowhere."""

    def __init__(self):
        super().__init__()
        self.places = {}
        self.lost = {}

    def watches(self, table):
        return table == "places"

    def home(self, row, image):
        return None if image is None else self.places.get(image[row.columns.index("tenant")])

    def holds(self, circuit, row):
        return row.new is not None and (row.table == "places" or self.home(row, row.new) == circuit)

    def targets(self, row):
        found = []
        for circuit in self.views:
            if self.reads(circuit, row.table):
                old = row._replace(new=row.old)
                if self.holds(circuit, row) or (row.new is not None and self.losing(circuit, row)):
                    found.append((circuit, "put"))
                elif self.holds(circuit, old) or (row.old is not None and self.losing(circuit, old)):
                    found.append((circuit, "retract"))
        return tuple(found)

    def losing(self, circuit, row):
        return any(region.matches(row.new) for region in self.lost.get((circuit, row.table), ()))

    def admitted(self, rows):
        moves = []
        for row in rows:
            for image, place in ((row.old, False), (row.new, True)):
                if image is None or image[row.columns.index("tenant")] is None:
                    continue
                tenant, circuit = image[row.columns.index("tenant")], image[row.columns.index("circuit")]
                before = self.places.get(tenant)
                if place:
                    self.places[tenant] = circuit
                else:
                    self.places.pop(tenant, None)
                moves += self.moved(tenant, before, self.places.get(tenant))
        return moves

    def moved(self, tenant, before, after):
        region = Region(Call("=", (Column(1), Constant(tenant))))
        if before == after:
            return
        if before in self.views:
            self.lost.setdefault((before, "orders"), []).append(region)
            yield Move(before, "orders", None, region)
        if after in self.views:
            yield Move(after, "orders", region, None)

    def settled(self, circuit, table):
        self.lost.pop((circuit, table), None)

    def circuit_removed(self, circuit):
        super().circuit_removed(circuit)
        for place in [place for place in self.lost if place[0] == circuit]:
            del self.lost[place]
