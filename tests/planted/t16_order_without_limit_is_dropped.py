"""T16: ORDER BY without LIMIT is thought to mean nothing for a live view."""

from sspcore.engine.view import View
from sspcore.plan.traverse import ordering

TEST = "tests.laws.test_traps:test_an_ordered_view_is_in_order_after_every_commit"


def plant(patch):
    rows, keys = View.rows, View.keys

    def unlimited(view):
        return view.ordered and ordering(view.bound).limit is None

    patch.setattr(View, "rows", lambda v: list(v.materialisation.value.values()) if unlimited(v) else rows(v))
    patch.setattr(View, "keys", lambda v: list(v.materialisation.value) if unlimited(v) else keys(v))
