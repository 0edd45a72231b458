"""The kit's door: each name once, imported when it is first touched, so that what needs hypothesis is not in the way."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module

import pytest

import sspcore.testing
from tests.architecture.rings import modules, tree


@pytest.mark.parametrize("name", sspcore.testing.__all__)
def test_a_name_is_found_where_the_table_says(name):
    value = getattr(sspcore.testing, name)

    assert value is getattr(import_module(f"sspcore.testing.{sspcore.testing._HOME[name]}"), name)
    assert value.__module__ == f"sspcore.testing.{sspcore.testing._HOME[name]}"
    assert value.__doc__


def test_type_checkers_see_the_same_names():
    (block,) = [node for node in tree(modules()["testing"]).body if isinstance(node, ast.If)]
    seen = {alias.asname: node.module for node in block.body for alias in node.names}

    assert {name: f"sspcore.testing.{home}" for name, home in sspcore.testing._HOME.items()} == seen


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'sspcore\.testing' has no attribute 'check_everything'"):
        sspcore.testing.check_everything


def test_a_plugin_is_checked_without_pytest_and_hypothesis():
    code = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"pytest", "hypothesis", "trio"}:
            raise ImportError(f"{name} is not to be had here")
sys.meta_path.insert(0, Refuse())
from sspcore.backpressure.block import Block
from sspcore.routing.dependency import Dependency
from sspcore.testing import check_policy, check_strategy
print(check_strategy(Dependency, examples=2).examples, check_policy(Block, examples=20).flows)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    assert (done.stderr, done.stdout.split()) == ("", ["2", "1"])
