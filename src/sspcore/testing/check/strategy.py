"""check_strategy: does a routing strategy keep the contract?

Owns which histories are tried, and that what is reported is the shortest found. Refuses to know pytest and hypothesis:
an author needs neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any

from sspcore.abc import RoutingStrategy, Spec
from sspcore.algebra.values import Value
from sspcore.engine.schema import Schema
from sspcore.errors import UsageError
from sspcore.testing.check.examine import Checked, Examiner
from sspcore.testing.check.laws import STRATEGY_LAWS, ContractBroken
from sspcore.testing.check.model import Model
from sspcore.testing.check.shorten import shortest
from sspcore.testing.check.worlds import CIRCUITS, WORLDS, Step, Vocabulary, World, script, world
from sspcore.testing.generate.choices import Choices


def check_strategy(
    maker: Callable[[], RoutingStrategy] | Spec[RoutingStrategy], *,
    options: object = None, examples: int = 100, seed: int = 0, circuits: Sequence[str] = CIRCUITS,
    schemas: Sequence[Schema] | None = None, values: Mapping[str, Sequence[Value]] | None = None,
    report: Callable[[str], object] | None = None,
) -> Checked:  # fmt: skip
    """Try a routing strategy in random histories; raise ContractBroken with the shortest that breaks a law.

    The strategy is driven by a runtime in small: circuits come, go and fail, views are added, changed and removed, rows
    filled in and given up in slices, while rows change and tables get columns. After every event it is asked about
    every way a row could change. What is exact is judged exactly (`selects`, `holds`), what may be too much is only
    counted.

    Args:
        maker: makes a fresh strategy each time it is called; or the Spec a plugin offers.
        options: for a Spec with a config class, an instance of that.
        examples: how many histories.
        seed: the same seed tries the same histories.
        circuits: the names of the circuits.
        schemas: the tables; None: drawn, `orders` and `people`, each with columns `id` and `home` and some more.
        values: column → the values its cells are drawn from. `home` holds names of circuits and NULL.
        report: called with a table of what was looked at, such as `print`.

    Returns what was looked at, as numbers.

    >>> from sspcore.routing.dependency import Dependency
    >>> check_strategy(Dependency, examples=5).examples
    5
    """
    make = made_by(maker, options)
    vocabulary = Vocabulary(tuple(circuits), None if schemas is None else tuple(schemas), dict(values or {}))
    worlds = lru_cache(WORLDS)(lambda number: world(number, vocabulary))
    checked = Checked()
    for number in range(examples):
        c = Choices(Random(f"{seed}/{number}"))
        where, steps = seed * WORLDS + c.below(WORLDS), script(c)
        checked.examples += 1
        try:
            Model(Examiner(make, worlds(where), checked), vocabulary.circuits).run(steps)
        except ContractBroken as error:
            raise shortest(error, lambda n, s: tried(make, worlds(n), vocabulary, s), where, steps) from error.__cause__
    if not checked.pairs:
        raise ContractBroken(
            STRATEGY_LAWS["says something"], f"{checked.rows} rows were asked about, none had to go anywhere; "
            f"{checked.refused} of {checked.batches} batches were refused", make(), "route",
        )  # fmt: skip
    if report is not None:
        report(f"{type(make()).__qualname__} keeps the contract of strategies\n{checked}")
    return checked


def made_by(maker: Any, options: object) -> Callable[[], Any]:
    """A function that makes a fresh plugin. Raises UsageError where it cannot be told how."""
    if isinstance(maker, Spec):
        spec = maker
        if spec.composed:
            raise UsageError(f"{spec.name!r} is made of others", hint="pass a function that makes it of some")
        if spec.config is None:
            if options is not None:
                raise UsageError(f"{spec.name!r} has no options")
            return spec.factory
        given = spec.config() if options is None else options
        if not isinstance(given, spec.config):
            raise UsageError(f"options of {spec.name!r} are a {spec.config.__name__}, not {options!r}")
        return lambda: spec.factory(given)
    if options is not None:
        raise UsageError("options are for a Spec", hint="let the maker pass them")
    if not callable(maker):
        raise UsageError(
            f"a maker is called without arguments, {maker!r} cannot be", hint="pass the class, or a lambda"
        )
    return maker  # type: ignore[no-any-return]


def tried(
    make: Callable[[], Any], in_world: World, vocabulary: Vocabulary, steps: Sequence[Step]
) -> ContractBroken | None:
    """What a history breaks."""
    try:
        Model(Examiner(make, in_world, Checked()), vocabulary.circuits).run(steps)
    except ContractBroken as error:
        return error
    return None
