"""Generated source: names and cells in, functions out, and no way for a user's text to become code."""

import traceback

import pytest

from sspcore.codegen.source import Source, build, compiled, compiles
from sspcore.errors import InternalError


def adder(constant, note="adds"):
    source = Source()
    cell = source.cell(constant)
    with source.block("def add(x):"):
        source.note(note)
        source.line(f"return x + {cell}")
    return source


def test_a_cell_brings_a_value_and_the_text_does_not():
    source = adder("'; import os #")

    assert source.build("add")("a") == "a'; import os #"
    assert "import" not in source.text("add")


def test_equal_texts_share_one_code_object_whatever_the_cells():
    one = adder(1).build("add")
    before = compiles()
    two = adder(2.5, note="another note").build("add")

    assert (one(1), two(1)) == (2, 3.5)
    assert one.__code__ is two.__code__
    assert compiles() == before


def test_cells_may_be_given_other_values():
    source = adder(1)

    assert build(source, "add", {"c0": 10})(1) == 11
    assert build(source, "add")(1) == 2


def test_an_empty_block_is_legal():
    source = Source()
    with source.block("def nothing():"), source.block("if None:"):
        source.note("nothing to do")

    assert source.build("nothing")() is None


def test_names_are_fresh():
    source = Source()

    assert [source.fresh("a"), source.fresh("a"), source.fresh("b"), source.cell(1, "a")] == ["a0", "a1", "b0", "a2"]


def test_a_traceback_shows_the_generated_line_and_its_note():
    source = adder(None, note="a note in the traceback's file")
    add = source.build("add")

    with pytest.raises(TypeError) as caught:
        add(1)

    assert "return x + c0" in "".join(traceback.format_exception(caught.value))
    assert source.listing("add").count("\n") == source.text("add").count("\n")


@pytest.mark.parametrize("note", ["a\nimport os", "\r\n\x00 quote ' \" \\", "''' \u2028 x = 1", "é #"])
def test_a_note_stays_one_line_of_comment(note):
    source = adder(1, note)

    assert source.build("add")(1) == 2
    assert len(source.listing("add").splitlines()) == len(source.text("add").splitlines()) == 5
    assert source.listing("add").splitlines()[2].strip().startswith("#")


@pytest.mark.parametrize(
    "line", ["return 'x'", 'return "x"', "return x.__class__", "x = 1; y = 2", "return é", "return '\\n'"]
)
def test_text_in_which_something_could_hide_is_refused(line):
    source = Source()
    with source.block("def f(x):"):
        source.line(line)

    with pytest.raises(InternalError, match="generated code"):
        source.build("f")


@pytest.mark.parametrize("line", ["return open(x)", "return x.mro()", "import os", "return eval(x)"])
def test_names_that_are_not_on_the_list_are_refused(line):
    source = Source()
    with source.block("def f(x):"):
        source.line(line)

    with pytest.raises(InternalError, match="names"):
        source.build("f")


def test_the_factory_is_what_is_cached():
    text = "def make():\n    return 1"

    assert compiled(text, lambda: text)() == 1
    assert compiled(text, lambda: text) is compiled(text, lambda: text)
