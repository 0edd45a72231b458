"""check_policy: does a backpressure policy keep the contract?

Owns the questions a policy is asked, one by one and by producers and a consumer in a small simulation; what is reported
is the plainest question, or the plainest run, that shows the fault. Time is a number here; nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite
from random import Random
from typing import Any, Final

import attrs

from sspcore.abc import Accept, BackpressurePolicy, Park, QueueStatistics, Refuse, Spec
from sspcore.errors import shown
from sspcore.testing.check.laws import POLICY_LAWS, ContractBroken
from sspcore.testing.check.queues import Flow, Question, lesser, question
from sspcore.testing.check.strategy import made_by
from sspcore.testing.generate.choices import Choices

OVERFULL: Final = 10
"""A queue that nobody empties must have stopped growing at so many times its capacity."""
DAY: Final = 86_400.0
"""A producer that is still waiting after a day of a consumer that takes all, every second, waits for ever."""
MOST: Final = 500
"""Plainer questions tried at most."""


@attrs.define
class Asked:
    """What a check has looked at.

    Attributes: `questions`, each a queue, a batch and a time; the answers, `accepted`, `parked` and `refused`; `flows`
    simulated, and the `batches` sent in them.
    """

    questions: int = 0
    accepted: int = 0
    parked: int = 0
    refused: int = 0
    flows: int = 0
    batches: int = 0

    def __str__(self) -> str:
        return "\n".join([f"{name:>12} {value:>9,}" for name, value in attrs.asdict(self).items()])


def check_policy(
    maker: Callable[[], BackpressurePolicy] | Spec[BackpressurePolicy], *,
    options: object = None, examples: int = 1_000, seed: int = 0, report: Callable[[str], object] | None = None,
) -> Asked:  # fmt: skip
    """Ask a backpressure policy about random queues and batches; raise ContractBroken where it breaks a law.

    Args:
        maker: makes a fresh policy each time it is called; or the Spec a plugin offers.
        options: for a Spec with a config class, an instance of that.
        examples: how many questions; a twentieth as many simulations of producers and a consumer.
        seed: the same seed asks the same questions.
        report: called with a table of what was looked at, such as `print`.

    Returns what was looked at, as numbers.

    >>> from sspcore.backpressure.block import Block
    >>> check_policy(Block, examples=100).questions >= 100
    True
    """
    make, asked, c = made_by(maker, options), Asked(), Choices(Random(f"{seed}"))
    policy = make()
    if not callable(getattr(policy, "admit", None)):
        raise ContractBroken(POLICY_LAWS["complete"], "it lacks admit", policy, "__init__")
    questions = [question(c) for _ in range(examples)]
    for one in questions:
        found = _fault(make, one, asked)
        if found is not None:
            raise _plainest(make, lambda q: _fault(make, q, Asked()), one, found)
    _check_memory(make, questions)
    for _ in range(max(1, examples // 20)):
        flow = Flow.drawn(c)
        for judge in (_overfull, _starved):
            found = judge(make, flow, asked)
            if found is not None:
                raise _plainest(make, partial(judge, make, asked=Asked()), flow, found)
    if report is not None:
        report(f"{type(policy).__qualname__} keeps the contract of policies\n{asked}")
    return asked


Found = tuple[str, str, list[str]]
"""A law, what breaks it, and what led there."""


def _fault(make: Callable[[], Any], one: Question, asked: Asked) -> Found | None:
    """What is wrong with the answer to one question."""
    asked.questions += 1
    try:
        answer = one.ask(make())
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the policy's
        return "raises nothing", f"{one}: admit raises {type(error).__name__}: {error}", []
    said = f"{one}: {shown(answer)}"
    if not isinstance(answer, Accept | Park | Refuse):
        return "answers", said, []
    asked.accepted += isinstance(answer, Accept)
    asked.parked += isinstance(answer, Park)
    asked.refused += isinstance(answer, Refuse)
    if not _finite(answer):
        return "finite times", said, []
    if one.queue.depth == 0 and not isinstance(answer, Accept):
        if isinstance(answer, Park):
            return "empty accepts", f"{said}; nothing is in its way, so nothing will ever wake it", []
        if not any(isinstance(other.ask(make()), Accept) for other in one.others()):
            return "empty accepts", f"{said}; no other batch gets in, either", []
    later = one.shifted(1024.0)
    if later.ask(make()) != answer:
        return "time is relative", f"{said}; {later}: {shown(later.ask(make()))}", []
    return None


def _finite(answer: Accept | Park | Refuse) -> bool:
    if isinstance(answer, Accept):
        return True
    seconds = answer.retry_after if isinstance(answer, Refuse) else answer.patience
    if seconds is None:
        return isinstance(answer, Park)
    return isinstance(seconds, int | float) and isfinite(seconds) and seconds >= 0


def _check_memory(make: Callable[[], Any], questions: list[Question]) -> None:
    """One policy asked everything, twice and backwards, answers as fresh ones do."""
    policy = make()
    fresh = [one.ask(make()) for one in questions]
    for order in (range(len(questions)), range(len(questions) - 1, -1, -1)):
        for at in order:
            answer = questions[at].ask(policy)
            if answer != fresh[at]:
                before, one = _grudge(make, questions, at)
                again = make()
                history = [f"{q}: {shown(q.ask(again))}" for q in before]
                text = f"{one}: {shown(one.ask(again))}, a fresh one answers {shown(one.ask(make()))}"
                raise ContractBroken(POLICY_LAWS["pure"], text, policy, "admit", history=history)


def _grudge(make: Callable[[], Any], questions: list[Question], at: int) -> tuple[list[Question], Question]:
    """The fewest questions found after which one is answered otherwise than by a fresh policy."""
    one = questions[at]

    def differs(before: list[Question]) -> bool:
        policy = make()
        for q in before:
            q.ask(policy)
        return bool(one.ask(policy) != one.ask(make()))

    before = [*questions, *questions[::-1]]
    size = len(before)
    while size:
        start = 0
        while start < len(before):
            less = before[:start] + before[start + size :]
            if differs(less):
                before = less
            else:
                start += size
        size //= 2
    return before, one


def _overfull(make: Callable[[], Any], flow: Flow, asked: Asked) -> Found | None:
    """A queue that nobody empties must stop growing."""
    asked.flows += 1
    policy, now, history = make(), 0.0, list[str]()
    depth = size = batches = 0
    for changes in flow.endless():
        queue = QueueStatistics(depth, size, batches, flow.capacity, flow.max_bytes, 0.0 if batches else None)
        asked.batches += 1
        found = _fault(lambda: policy, Question(queue, changes, changes, now), Asked())
        if found is not None:
            return found
        answer = policy.admit(queue, changes, changes, now)
        if not isinstance(answer, Accept):
            if now > OVERFULL * 100:
                return None
            now += 100.0  # it may yet change its mind
            continue
        depth, size, batches = depth + changes, size + changes, batches + 1
        if len(history) < 3:
            history.append(f"at {now:g} s a batch of {changes} is accepted: the queue holds {depth} of {flow.capacity}")
        if depth > OVERFULL * flow.capacity + changes:
            history.append(f"at {now:g} s a batch of {changes} is accepted: the queue holds {depth} of {flow.capacity}")
            return (
                "bounded",
                f"nobody takes anything from the queue, and after {batches} batches it still grows",
                history,
            )
        now += flow.interval
    return None


def _starved(make: Callable[[], Any], flow: Flow, asked: Asked) -> Found | None:
    """Every batch that an empty queue would take gets in, where a consumer takes all there is, every second."""
    policy, now, history = make(), 0.0, list[str]()
    depth = size = batches = 0
    oldest: float | None = None
    empty = QueueStatistics(0, 0, 0, flow.capacity, flow.max_bytes, None)
    welcome = [changes for changes in flow.batches if isinstance(policy.admit(empty, changes, changes, now), Accept)]
    waiting = [(changes, now) for changes in welcome]  # (changes, when to ask again)
    for _ in range(2_000):
        if not waiting or now > DAY:
            break
        for place, (changes, due) in enumerate(list(waiting)):
            if due > now:
                continue
            queue = QueueStatistics(depth, size, batches, flow.capacity, flow.max_bytes, oldest)
            asked.batches += 1
            found = _fault(lambda: policy, Question(queue, changes, changes, now), Asked())
            if found is not None:
                return found
            answer = policy.admit(queue, changes, changes, now)
            if isinstance(answer, Accept):
                waiting[place] = (0, due)
                depth, size, batches = depth + changes, size + changes, batches + 1
                oldest = now if oldest is None else oldest
                continue
            if len(history) < 5:
                history.append(
                    f"at {now:g} s a batch of {changes}, where the queue holds {depth} of {flow.capacity}: {answer}"
                )
            if isinstance(answer, Park):
                break  # those behind wait their turn
            waiting[place] = (changes, now + max(answer.retry_after, 0.125))
        waiting = [one for one in waiting if one[0]]
        depth = size = batches = 0
        oldest = None
        now = max(now + 1.0, min([due for _, due in waiting], default=0.0))
    if not waiting:
        return None
    left = ", ".join([str(changes) for changes, _ in waiting])
    return (
        "no starvation",
        f"the queue is emptied every second; after {now:,.0f} s batches of {left} still wait",
        history,
    )


def _plainest(make: Callable[[], Any], judge: Callable[[Any], Found | None], one: Any, found: Found) -> ContractBroken:
    """The error for the plainest question or flow that breaks the same law."""
    budget, again = MOST, True
    while again and budget > 0:
        again = False
        for less in lesser(one):
            budget -= 1
            other = judge(less)
            if other is not None and other[0] == found[0]:
                one, found, again = less, other, True
                break
    law, text, history = found
    return ContractBroken(POLICY_LAWS[law], text, make(), "admit", history=history)
