"""Every trap is caught: its fault is planted in the real code, and the test that names it must fail.

One module per trap, `tNN_what_is_wrong.py`: its docstring tells the fault, `plant(patch)` makes the real code have it,
`TEST` is the test, "module:function", that names the trap. It takes no arguments and draws nothing at random, so that
the verdict is the same every time; that it passes without the fault, the suite itself proves.
"""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from sspcore.engine.options import CircuitOptions

TRAPS = (
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
    23,
    41,
    43,
    44,
    48,
    49,
    50,
    53,
    54,
    57,
    58,
    59,
    60,
    61,
    62,
)
FAULTS = sorted(path.stem for path in Path(__file__).parent.glob("t[0-9]*.py"))


def number(name):
    return int(name[1:3])


def test_every_trap_has_its_fault():
    assert sorted({number(name) for name in FAULTS}) == list(TRAPS)


def named_test(fault):
    module, _, function = fault.TEST.partition(":")
    return getattr(import_module(module), function)


def run(test):
    """Run a test as pytest and its trio plugin would."""
    if inspect.iscoroutinefunction(test):
        trio.run(test, clock=MockClock(autojump_threshold=0))
    else:
        test()


def operators_by_default():
    """The defaults of the options, but that views run by operators: where the fault is planted in one of them."""
    return tuple(["operators" if value == "compiled" else value for value in CircuitOptions.__init__.__defaults__])


@pytest.mark.parametrize("name", FAULTS)
def test_the_test_that_names_the_trap_catches_its_fault(name):
    fault = import_module(f"tests.planted.{name}")
    test = named_test(fault)
    trap = f"T{number(name)}"
    assert fault.__doc__.startswith(f"{trap}: ")
    assert re.search(rf"\b{trap}[:,]", test.__doc__)

    with pytest.MonkeyPatch.context() as patch:
        if "sspcore.engine.operators" in inspect.getsource(fault):
            patch.setattr(CircuitOptions.__init__, "__defaults__", operators_by_default())
        fault.plant(patch)
        with pytest.raises(BaseException) as caught:
            run(test)
    assert not isinstance(caught.value, pytest.skip.Exception | KeyboardInterrupt | SystemExit)
