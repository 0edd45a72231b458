"""T50: a window keeps so many rows and no more; when they are used up it is filled from all rows again."""

from itertools import count

from sspcore.engine.operators.topk import TopK

TEST = "tests.laws.test_operator_costs:test_removing_the_best_again_and_again_stays_as_cheap"


def plant(patch):
    real, gone = TopK._remove, count(1)

    def remove(self, entry):
        real(self, entry)
        if next(gone) % 100 == 0:
            every = sorted(self._entries.values())
            self._meter.rows += len(every)
            end = self._offset + self._limit
            self._before.refill(every[: self._offset])
            self._window.refill(every[self._offset : end])
            self._after.refill(every[end:])

    patch.setattr(TopK, "_remove", remove)
