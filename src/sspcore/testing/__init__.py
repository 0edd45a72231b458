"""The public kit for tests of programs and plugins: generators of plans and histories, and the oracle to judge by.

`check_strategy` and `check_policy` try a plugin in random histories, judge it by the laws of its contract, and raise
`ContractBroken` with the shortest that breaks one. It refuses to be imported by the library itself; hypothesis is
needed only for `strategies`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "check_strategy": "check.strategy",
    "check_policy": "check.policy",
    "ContractBroken": "check.laws",
    "LawBroken": "oracle",
}
"""Public name → the module that defines it. The imports below say the same to type checkers; a test compares."""

__all__ = [*_HOME]

if TYPE_CHECKING:
    from sspcore.testing.check.laws import ContractBroken as ContractBroken
    from sspcore.testing.check.policy import check_policy as check_policy
    from sspcore.testing.check.strategy import check_strategy as check_strategy
    from sspcore.testing.oracle import LawBroken as LawBroken


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'sspcore.testing' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"sspcore.testing.{_HOME[name]}"), name)
    return value
