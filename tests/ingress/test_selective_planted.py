"""Faults planted in what fills and empties circuits: one of the stories of `test_selective` shows each."""

from __future__ import annotations

import pytest

from sspcore.ingress import needs
from sspcore.ingress.admission import Admission
from sspcore.ingress.holding import Holding
from sspcore.ingress.lane import Lane
from sspcore.ingress.needs import Needs
from sspcore.ingress.walk import Walk
from sspcore.ingress.working import Working
from sspcore.routing.ledger import Ledger
from sspcore.routing.predicate import Predicate
from tests.ingress.test_selective import STORIES, run

original_slice = Walk.slice
original_give_up = Lane.give_up


def only_the_new_image_is_routed(patch):
    route = Predicate.route
    patch.setattr(Predicate, "route", lambda self, rows: route(
        self, [row._replace(old=None) if row.new is not None else row for row in rows]
    ))  # fmt: skip


def late_views_get_no_rows(patch):
    def slice(self, rows, wanted=None):
        found = original_slice(self, rows, wanted)
        return found if self.takes else []

    patch.setattr(Walk, "slice", slice)


def the_last_slice_is_left_out(patch):
    def slice(self, rows, wanted=None):
        found = original_slice(self, rows, wanted)
        return [] if self.done and len(self._ids) > 1 else found

    patch.setattr(Walk, "slice", slice)


def slices_carry_rows_from_the_start_of_the_walk(patch):
    walks = {}

    def slice(self, rows, wanted=None):
        return original_slice(self, walks.setdefault(self, dict(rows)), wanted)

    patch.setattr(Walk, "slice", slice)


def what_is_given_up_stays(patch):
    def give_up(*args):
        original_give_up(*args)

    patch.setattr(Lane, "give_up", give_up)


def sweeps_stop_after_a_slice(patch):
    def slice(self, rows, wanted=None):
        found = original_slice(self, rows, wanted)
        if self.takes:
            self.called_off = True
        return found

    patch.setattr(Walk, "slice", slice)


def sweeps_take_what_others_want(patch):
    def slice(self, rows, wanted=None):
        return original_slice(self, rows, (lambda key, row: False) if self.takes else wanted)

    patch.setattr(Walk, "slice", slice)


def images_of_interests_that_go_are_put(patch):
    patch.setattr(Lane, "judge", lambda self, table, columns: None)


def interests_settle_at_once(patch):
    tell = Working._tell

    def early(self, lane, view, telling, interests):
        tell(self, lane, view, telling, interests)
        self.router.view_settled(lane.name, view)

    patch.setattr(Working, "_tell", early)


def new_parameters_bring_no_rows(patch):
    original = Working.promise

    def promise(self, lane, registration, params):
        made = original(self, lane, registration, params)
        for walk in made.walks:
            walk.called_off = True
        return made

    patch.setattr(Working, "promise", promise)


def a_move_that_failed_is_not_told_back(patch):
    moved = Working.moved

    def silent(self, lane, promise, kept):
        self._tell = lambda *args: None
        moved(self, lane, promise, kept)
        del self._tell

    patch.setattr(Working, "moved", silent)


def a_walk_under_way_counts_as_over(patch):
    patch.setattr(Holding, "covers", lambda self, wish: bool(self.filled or self.filling))


def any_interest_covers_every_other(patch):
    patch.setattr(Holding, "covers", lambda self, wish: bool(self.filled))


def walks_go_on_for_a_circuit_that_failed(patch):
    def refilled(self):
        self.there = True

    patch.setattr(Holding, "refilled", refilled)


def interests_do_not_follow_wider_tables(patch):
    patch.setattr(needs, "columns_read", lambda condition: set())
    patch.setattr(Working, "_derive", lambda self, lane, registration: None)


def rows_come_to_tables_that_are_gone(patch):
    patch.setattr(Admission, "_sinks", _sinks_without_the_look(Admission._sinks))


def _sinks_without_the_look(original):
    def sinks(self, routed, table, targets):
        selects, self.router.selects = self.router.selects, lambda table: False
        try:
            return original(self, routed, table, targets)
        finally:
            self.router.selects = selects

    return sinks


def parameters_are_bound_to_the_first_views_values(patch):
    first = {}
    bound = Needs.bound
    patch.setattr(Needs, "bound", lambda self, params: first.setdefault(id(self), bound(self, params)))


def an_interest_goes_with_the_first_view_that_had_it(patch):
    unfile = Ledger._unfile

    def greedy(self, circuit, view, gone):
        for table, interest in gone:
            for other in list(self._tables[table][circuit][interest]):
                if other != view:
                    unfile(self, circuit, other, {(table, interest)})
        unfile(self, circuit, view, gone)

    patch.setattr(Ledger, "_unfile", greedy)


FAULTS = [
    only_the_new_image_is_routed, late_views_get_no_rows, the_last_slice_is_left_out,
    slices_carry_rows_from_the_start_of_the_walk, what_is_given_up_stays, sweeps_stop_after_a_slice,
    sweeps_take_what_others_want, images_of_interests_that_go_are_put, interests_settle_at_once,
    new_parameters_bring_no_rows, a_move_that_failed_is_not_told_back, a_walk_under_way_counts_as_over,
    any_interest_covers_every_other, walks_go_on_for_a_circuit_that_failed, interests_do_not_follow_wider_tables,
    rows_come_to_tables_that_are_gone, parameters_are_bound_to_the_first_views_values,
    an_interest_goes_with_the_first_view_that_had_it,
]  # fmt: skip


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_one_of_the_stories_shows_it(plant):
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        for story in STORIES.values():
            try:
                run(Predicate(), story, 1)
            except Exception:
                return
    raise AssertionError("no story shows it")
