"""T62: one view whose code raises refuses the batch for everyone."""

from sspcore.engine.circuit import Circuit

TEST = "tests.laws.test_rollback:test_a_raising_view_fails_alone"


def plant(patch):
    class Escaped(BaseException):
        """Not caught where views fail."""

    real = Circuit._advance

    def advance(self, *args):
        try:
            return real(self, *args)
        except Exception as error:
            raise Escaped from error

    patch.setattr(Circuit, "_advance", advance)
