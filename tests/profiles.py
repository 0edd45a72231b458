"""Examples per property, by profile: what a test asks for when the profile's own number is not what it needs."""

from __future__ import annotations

from hypothesis import settings

FUZZ_EXAMPLES = {"dev": 200, "ci": 5_000, "nightly": 50_000}
"""Garbage is cheap to judge and rarely interesting: a door deserves thousands."""


def profile() -> str:
    """The profile in force: dev, ci or nightly (chosen in tests/conftest.py)."""
    return settings.get_current_profile_name()


def fuzz(**more: object) -> settings:
    """Settings for a fuzz test: `@fuzz()` above `@given(...)`."""
    return settings(max_examples=FUZZ_EXAMPLES[profile()], **more)  # type: ignore[arg-type]


def scaled(factor: float, **more: object) -> settings:
    """Settings with the profile's examples times a factor: dear laws ask for less, cheap ones for more."""
    return settings(max_examples=max(1, int(settings().max_examples * factor)), **more)  # type: ignore[arg-type]
