"""T22: a view that is empty at registration gives no snapshot: empty cannot be told from pending."""

from sspcore.engine.circuit import Circuit

TEST = "tests.laws.test_traps:test_registration_always_gives_a_snapshot"


def plant(patch):
    real = Circuit.register

    def register(self, *args, **options):
        snapshot = real(self, *args, **options)
        return snapshot if snapshot.rows else None

    patch.setattr(Circuit, "register", register)
