"""Updates compose: applying the composition equals applying both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.zset import ZSet
from sspcore.engine.update import ViewUpdate, compose_changes
from sspcore.errors import InternalError

KEYS = st.integers(0, 4)
STATES = st.dictionaries(KEYS, st.tuples(st.sampled_from([0, 1, True, 1.0, None])), max_size=5)


def between(before, after):
    """The net changes from one state to another, as a circuit makes them."""

    def text(row):
        return repr(row)

    keys = dict.fromkeys([*before, *after])
    return tuple((k, before.get(k), after.get(k)) for k in keys if text(before.get(k)) != text(after.get(k)))


def applied(state, changes):
    state = dict(state)
    for key, old, new in changes:
        assert repr(state.get(key)) == repr(old)
        if new is None:
            del state[key]
        else:
            state[key] = new
    return state


def update(changes, start=1, end=2, **more):
    return ViewUpdate("v", "0", start, end, ("x",), changes, **more)


@given(STATES, STATES, STATES)
def test_composed_changes_lead_from_the_first_state_to_the_last(a, b, c):
    composed = compose_changes(between(a, b), between(b, c))

    assert repr(sorted(applied(a, composed).items())) == repr(sorted(c.items()))
    assert {k for k, _, _ in composed} == {k for k, _, _ in between(a, c)}


@given(STATES, STATES, STATES)
def test_a_reset_followed_by_changes_is_a_reset_to_the_last_state(a, b, c):
    reset = update(tuple((k, None, row) for k, row in b.items()), reset=True)

    composed = reset.then(update(between(b, c), 2, 3))

    assert composed.reset
    assert repr(sorted(applied({}, composed.changes).items())) == repr(sorted(c.items()))
    assert update(between(a, b)).then(reset).changes == reset.changes


def test_updates_that_do_not_chain_are_an_internal_error():
    with pytest.raises(InternalError, match="do not chain"):
        update((), 1, 2).then(update((), 3, 4))


def test_an_update_reads_as_added_removed_updated_and_as_a_zset():
    one = update(((1, None, ("a",)), (2, ("b",), None), (3, ("c",), ("d",))))

    assert one.added == (("a",),)
    assert one.removed == (("b",),)
    assert one.updated == ((("c",), ("d",)),)
    assert one.delta == ZSet([(("a",), 1), (("b",), -1), (("c",), -1), (("d",), 1)])
