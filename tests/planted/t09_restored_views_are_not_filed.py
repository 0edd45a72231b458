"""T9: the map from tables to views is made by registration alone; restored views are never woken."""

from sspcore.engine import image

TEST = "tests.laws.test_traps:test_views_restored_are_woken_although_another_registers_first"


def plant(patch):
    real = image._build

    def build(cls, data, epoch):
        circuit = real(cls, data, epoch)
        circuit._readers.clear()
        return circuit

    patch.setattr(image, "_build", build)
