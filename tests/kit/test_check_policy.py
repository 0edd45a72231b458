"""The kit finds every planted fault of a policy, names the law it breaks, and passes what keeps the contract."""

from __future__ import annotations

import inspect
import sys

import pytest

from sspcore.abc import Accept, Park, PolicySpec, Refuse
from sspcore.backpressure.block import Block, BlockOptions
from sspcore.backpressure.drop_with_error import DropWithError, DropWithErrorOptions
from sspcore.errors import UsageError
from sspcore.testing import ContractBroken, check_policy


class NoRoomForTheLarge:
    """A batch larger than the capacity is parked, also where the queue is empty."""

    LAW = "empty accepts"

    def admit(self, queue, changes, size, now):
        return Accept() if queue.depth + changes <= queue.capacity else Park()


class WaitsForTheOldest:
    """Where nothing waits, it cannot tell how long the queue takes, and refuses."""

    LAW = "empty accepts"

    def admit(self, queue, changes, size, now):
        return Refuse(1.0) if queue.oldest is None or not queue.fits(changes, size) else Accept()


class TakesAll:
    """There is always room."""

    LAW = "bounded"

    def admit(self, queue, changes, size, now):
        return Accept()


class TakesAllInTheEnd:
    """Who has waited a minute gets in, full or not."""

    LAW = "bounded"

    def admit(self, queue, changes, size, now):
        late = queue.oldest is not None and now - queue.oldest > 60
        return Accept() if late or queue.fits(changes, size) else Park()


class Backwards:
    """The wait is computed the wrong way round."""

    LAW = "finite times"

    def admit(self, queue, changes, size, now):
        return Accept() if queue.fits(changes, size) else Refuse((queue.oldest or now) - now)


class WaitsForEver(Backwards):
    """For ever is None, not infinity."""

    def admit(self, queue, changes, size, now):
        return Accept() if queue.fits(changes, size) else Park(float("inf"))


class Counts:
    """Every third batch is refused."""

    LAW = "pure"

    def __init__(self):
        self.asked = 0

    def admit(self, queue, changes, size, now):
        self.asked += 1
        return Accept() if queue.depth == 0 or (self.asked % 3 and queue.fits(changes, size)) else Refuse(1.0)


class SaysYes:
    """Yes and no are no answers."""

    LAW = "answers"

    def admit(self, queue, changes, size, now):
        return queue.fits(changes, size) or Park()


class OldestIsThere:
    """A queue whose room is spoken for has no oldest batch."""

    LAW = "raises nothing"

    def admit(self, queue, changes, size, now):
        return Accept() if queue.fits(changes, size) else Park(now - queue.oldest)


class ReadsTheClock:
    """`now` is taken for the time since the start."""

    LAW = "time is relative"

    def admit(self, queue, changes, size, now):
        return Accept() if queue.fits(changes, size) else Park(1.0 if now < 500 else 5.0)


class SeeYou:
    """Come back in a year."""

    LAW = "no starvation"

    def admit(self, queue, changes, size, now):
        return Accept() if queue.fits(changes, size) else Refuse(365.0 * 86_400)


class NoSmallOnes:
    """Sound: batches of one change are refused always, which is for their producers to know."""

    def admit(self, queue, changes, size, now):
        return Accept() if changes > 1 and queue.fits(changes, size) else Refuse(1.0)


class Mute:
    """Has no admit."""

    LAW = "complete"


FAULTS = [one for _, one in inspect.getmembers(sys.modules[__name__], inspect.isclass) if hasattr(one, "LAW")]
SOUND = {
    "block": Block,
    "block with a deadline": PolicySpec("block", Block, BlockOptions),
    "no small ones": NoSmallOnes,
    "drop with error": PolicySpec("drop_with_error", DropWithError, DropWithErrorOptions),
}


@pytest.mark.parametrize("maker", SOUND.values(), ids=SOUND)
def test_what_keeps_the_contract_passes(maker):
    told = []
    asked = check_policy(maker, report=told.append)

    assert asked.questions == 1_000 and asked.accepted > 100 and asked.parked + asked.refused > 200
    assert asked.batches > 500
    assert "keeps the contract of policies" in told[0]


def test_options_of_a_spec_are_passed_on():
    spec = PolicySpec("block", Block, BlockOptions)

    assert check_policy(spec, options=BlockOptions(deadline=2.0)).parked > 200
    with pytest.raises(UsageError, match="options of 'block' are a BlockOptions, not 7"):
        check_policy(spec, options=7)


@pytest.mark.parametrize("policy", FAULTS)
def test_a_fault_is_found_and_its_law_is_named(policy):
    with pytest.raises(ContractBroken) as caught:
        check_policy(policy)

    assert (policy.LAW, policy.__name__) == (caught.value.law, caught.value.plugin), str(caught.value)
    assert len(caught.value.history) < 7, str(caught.value)


def test_the_verdict_is_a_question_in_words():
    with pytest.raises(ContractBroken) as caught:
        check_policy(NoRoomForTheLarge)

    assert str(caught.value).startswith("law 'empty accepts' is broken by NoRoomForTheLarge, method admit (")
    assert (
        "a queue of 0 of 1 changes (0 of 1000000 bytes); a batch of 2 (0 bytes) at 100 s: Park(patience=None)"
        in str(caught.value)
    )
