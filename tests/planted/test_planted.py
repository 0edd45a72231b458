"""Every trap is caught: its fault is planted in the real code, and the test that names it must fail.

One module per trap, `tNN_what_is_wrong.py`: its docstring tells the fault, `plant(patch)` makes the real code have it,
`TEST` is the test, "module:function", that names the trap. It takes no arguments (but trio's clock) and draws nothing at
random, so that the verdict is the same every time; that it passes without the fault, the suite itself proves. With
`REAL_TIME` it runs by the clock on the wall: where the kernel's sockets set the pace.
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
    *range(1, 10), *range(11, 26), 29, 30, 37, 39, 41, 43, 44, 47, 48, 49, 50, *range(53, 64),
)  # fmt: skip
"""The others are of parts that do not exist: files that are saved, sinks, replicas, jobs, sources of databases."""
FAULTS = sorted(path.stem for path in Path(__file__).parent.glob("t[0-9]*.py"))


def number(name):
    return int(name[1:3])


def test_every_trap_has_its_fault():
    assert sorted({number(name) for name in FAULTS}) == list(TRAPS)


def named_test(fault):
    module, _, function = fault.TEST.partition(":")
    return getattr(import_module(module), function)


def run(test, real_time):
    """Run a test as pytest and its trio plugin would; one that a fault makes hang ends, too."""
    if not inspect.iscoroutinefunction(test):
        test()
        return
    clock = None if real_time else MockClock(autojump_threshold=0)
    given = {"autojump_clock": clock} if "autojump_clock" in inspect.signature(test).parameters else {}

    async def bounded():
        with trio.fail_after(3 if real_time else 3600):
            await test(**given)

    trio.run(bounded, clock=clock)


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
            run(test, getattr(fault, "REAL_TIME", False))
    assert not isinstance(caught.value, pytest.skip.Exception | KeyboardInterrupt | SystemExit)
