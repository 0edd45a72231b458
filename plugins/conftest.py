"""The packages' tests try as hard, and from the same seed, as those of the library."""

from tests.conftest import pytest_configure as pytest_configure
