"""How hard the property tests try, and from which seed: one place for all of them.

`HYPOTHESIS_PROFILE` chooses dev (the default: quick, a new seed each run), ci (the default where CI is set: more
examples, a fixed seed, so that a verdict can be had again) or nightly (long, a new seed each run).
`SSPCORE_SEED` sets the seed; the header of a run prints it.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, settings

# Time per example says more of the machine than of the code; a generator that filters too much is still told.
COMMON = {"deadline": None, "print_blob": True, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("dev", max_examples=30, **COMMON)
settings.register_profile("ci", max_examples=100, database=None, **COMMON)
settings.register_profile("nightly", max_examples=2000, **COMMON)

PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
settings.load_profile(PROFILE)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed before hypothesis reads its option; worker processes inherit the option."""
    if config.getoption("--hypothesis-seed", None) is None:
        config.option.hypothesis_seed = os.environ.get("SSPCORE_SEED") or (
            "0" if PROFILE == "ci" else str(random.randrange(2**32))
        )


def pytest_report_header(config: pytest.Config) -> str:
    seed = config.getoption("--hypothesis-seed")
    return f"property tests: profile {PROFILE}, seed {seed} (again: HYPOTHESIS_PROFILE={PROFILE} SSPCORE_SEED={seed})"
