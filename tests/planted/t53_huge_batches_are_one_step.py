"""T53: a huge batch is one step of the loop: nothing else runs until it is over, not even a timeout."""

from sspcore.runtime.circuit_task import Worker

TEST = "tests.runtime.test_moving:test_a_huge_batch_is_one_commit_and_lets_others_run_between_its_steps"


def plant(patch):
    async def at_once(self, entries):
        return self.stage.deliver(entries)

    patch.setattr(Worker, "_in_slices", at_once)
