"""T62: one view whose code raises refuses the batch for everyone."""

from sspcore.engine.materialisation import Materialisation

TEST = "tests.laws.test_rollback:test_a_raising_view_fails_alone"


def plant(patch):
    class Escaped(BaseException):
        """Not caught where views fail."""

    real = Materialisation.rehydrate

    def rehydrate(self, tables):
        try:
            return real(self, tables)
        except Exception as error:
            raise Escaped from error

    patch.setattr(Materialisation, "rehydrate", rehydrate)
