"""T19: in a nested query a parameter resolves against the parent's row, which has no such member."""

from sspcore.plan import traverse
from sspcore.plan.nodes import Nest

TEST = "tests.laws.test_traps_nested:test_a_parameter_means_the_same_at_every_level"


def plant(patch):
    real = traverse.with_children

    def with_children(plan, inputs):
        if isinstance(plan, Nest) and traverse.params_of(plan.right):
            inputs = (inputs[0], traverse.bind_plan(plan.right, dict.fromkeys(traverse.params_of(plan.right))))
        return real(plan, inputs)

    patch.setattr(traverse, "with_children", with_children)
