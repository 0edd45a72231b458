"""T8: restore brings the rows of views back, not what their operators knew: joins and top-k start from nothing."""

from sspcore.engine import image
from sspcore.engine.operators.base import Meter
from sspcore.engine.operators.network import Network

TEST = "tests.laws.test_traps:test_restored_operators_know_what_they_knew"


def plant(patch):
    real = image._build

    def build(cls, data, epoch):
        circuit = real(cls, data, epoch)
        for view in circuit.views.values():
            kept = view.materialisation
            kept.maintainer = Network(view.bound, lambda table: circuit.tables[table].names, Meter())
            kept.maintainer.hydrate(lambda table: {})
            kept.steps = kept.maintainer.steps
            kept.row = None
        return circuit

    patch.setattr(image, "_build", build)
