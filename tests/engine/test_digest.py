"""T21: a digest is a pure function of the visible state: equal for equal states, different for different ones."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import canonical, canonical_key, same
from sspcore.engine.digest import digest_after, digest_of, entry_weight, row_digest, shown_digest
from tests.engine.test_cuts import VALUES

ROWS = st.tuples(VALUES, VALUES)
STATES = st.dictionaries(st.text("abc", max_size=2) | st.integers(0, 9), ROWS, max_size=6)


@given(ROWS, ROWS)
def test_rows_have_the_same_digest_iff_they_are_the_same(a, b):
    assert (row_digest(a) == row_digest(b)) is same(a, b)


@given(STATES, STATES)
def test_states_have_the_same_digest_iff_they_are_the_same(a, b):
    alike = a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    assert (digest_of(a) == digest_of(b)) is alike
    assert digest_of(a) == digest_of(dict(reversed(a.items())))


@given(STATES, STATES)
def test_following_changes_gives_the_digest_of_where_they_lead(a, b):
    changes = [(key, a.get(key), b.get(key)) for key in a.keys() | b.keys()]
    assert digest_after(digest_of(a), changes) == digest_of(b)
    back = [(key, new, old) for key, old, new in changes]
    assert digest_after(digest_of(b), back) == digest_of(a)


@given(VALUES, VALUES)
def test_equal_keys_count_alike_whichever_of_them_is_shown(a, b):
    """A group of 1 and 1.0 is kept under whichever came first; that is not visible."""
    one, other = (canonical_key(a),), (canonical_key(b),)
    assert (entry_weight(one, ()) == entry_weight(other, ())) is (one == other)


def test_members_of_objects_have_no_order():
    assert row_digest((canonical({"a": 1, "b": 2}),)) == row_digest((canonical({"b": 2, "a": 1}),))


def test_an_empty_view_is_zero_however_it_became_empty():
    """T21: never filled or emptied, it is the same state."""
    filled = digest_of({"a": (1,)})
    assert digest_of({}) == digest_after(filled, [("a", (1,), None)]) == 0
    assert shown_digest(0) == "0" * 32


def test_a_digest_is_the_same_in_another_process():
    """T21: no seed of this process, no hash of its own is in it: a value that was once written down stays right."""
    code = (
        "from sspcore.engine.digest import *; from sspcore.algebra.values import canonical as c;"
        "print(shown_digest(digest_of({1: (c('é'), c(1.5)), 'a': (None, c([1, {'b': True}]))})), row_digest((1,)).hex())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    state = {1: ("é", 1.5), "a": (None, canonical([1, {"b": True}]))}
    assert done.stdout.split() == ["eef1b4ceb40192c97ddd8562f3f11aee", "def6e31e24ed5e23"]
    assert done.stdout.split() == [shown_digest(digest_of(state)), row_digest((1,)).hex()]
