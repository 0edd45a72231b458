"""Lists and JSON: the library against the specification, and against what PostgreSQL 15 said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore.algebra.values import MAX_NESTING, FrozenObject, canonical, same
from sspcore.engine.interpret_expressions import evaluate
from sspcore.plan.expressions import Call, Constant
from sspcore.plan.functions import FUNCTIONS
from sspcore.plan.functions_json import read_json
from sspcore.plan.total import NULL_BY_ERROR
from tests.profiles import scaled

ERROR = NULL_BY_ERROR
NAMES = ("->", "->>", "#>", "#>>", "@>", "<@", "&&", "?", "?|", "?&", "[]", "cardinality", "jsonb_array_length",
         "array_position", *[n for n in FUNCTIONS if n.endswith((" any", " all"))])  # fmt: skip

leaves = st.sampled_from([None, True, False, 0, 1, 2, 1.0, -1, "a", "b", "0", "-1", "x", b"a", 1.5])
values = st.recursive(
    leaves, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "0"]), v, max_size=2), max_leaves=6
).map(canonical)  # fmt: skip


def apply(name: str, *arguments: object) -> object:
    return FUNCTIONS[name].apply(*map(canonical, arguments))


@scaled(20)
@given(st.data())
def test_lists_and_json_are_what_the_specification_says(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    arguments = [data.draw(values) for _ in range(FUNCTIONS[name].min_args)]
    if name in ("@>", "<@", "&&") and data.draw(st.booleans()):  # parts of the same, so that many answers are TRUE
        whole = arguments[0]
        arguments[1] = (
            data.draw(st.lists(st.sampled_from(whole), max_size=3)) if whole and type(whole) is tuple else whole
        )

    actual = apply(name, *arguments)

    assert same(evaluate(Call(name, tuple(map(Constant, arguments))), ()), None if actual is ERROR else actual)


def parsed(text: str) -> Any:
    value = read_json(text)
    assert value is not ERROR
    return value


@pytest.mark.parametrize(
    ("whole", "part", "expected"),
    [("[1, 2]", "1", True), ("[[1, 2]]", "[1]", False), ("[[1, 2]]", "[[1]]", True), ('{"a": [1, 2]}', '{"a": [1]}', True),
     ('{"a": [1, 2]}', '{"a": 1}', False), ("1", "1", True), ("1", "[1]", False), ("[]", "[]", True), ('{"a": {}}', "{}", True),
     ('{"a": []}', '{"a": {}}', False), ("[1, [2]]", "2", False), ("[null]", "[null]", True), ("[1, 2, 2]", "[2, 2, 1.0]", True),
     ('{"a": 1}', '{"a": null}', False), ('{"a": null}', '{"a": null}', True), ('[{"a": 1, "b": 2}]', '[{"a": 1}]', True),
     ("[true]", "[1]", False), ('"a"', '"a"', True), ("[1]", "{}", False)],
)  # fmt: skip
def test_containment_is_jsonb_s(whole: str, part: str, expected: bool) -> None:
    assert apply("@>", parsed(whole), parsed(part)) is expected
    assert apply("<@", parsed(part), parsed(whole)) is expected


DOCUMENT = {"a": {"b": [1, {"c": "x"}]}, "n": None, "0": "zero", "t": "text", "f": 1.5, "l": ["x", True]}


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [("->", "t", "text"), ("->>", "t", "text"), ("->", "missing", None), ("->>", "n", None), ("->", 0, None), ("->", "0", "zero"),
     ("->>", "a", '{"b": [1, {"c": "x"}]}'), ("->>", "f", "1.5"), ("->>", "l", '["x", true]'), ("#>", ["a", "b", "1", "c"], "x"),
     ("#>", ["a", "b", "-1"], FrozenObject({"c": "x"})), ("#>", ["a", "b", "x"], None), ("#>", ["a", "b", "7"], None),
     ("#>", ["0"], "zero"), ("#>", ["t", "0"], None), ("#>>", ["a", "b", "0"], "1"), ("#>>", ["a", None], None),
     ("#>", [1], ERROR), ("->", True, ERROR), ("?", "a", True), ("?", "b", False), ("?|", ["z", "a"], True),
     ("?&", ["z", "a"], False), ("?&", [], True), ("?|", [], False), ("?|", [1], ERROR), ("?", 1, ERROR)],
)  # fmt: skip
def test_members_are_found_as_in_jsonb(name: str, at: object, expected: object) -> None:
    result = apply(name, DOCUMENT, at)

    assert result is expected or same(expected, result)


def test_the_whole_document_is_at_the_empty_path() -> None:
    assert apply("#>", [1], []) == (1,)
    assert apply("#>>", [1, "a"], []) == '[1, "a"]'


def test_positions_count_from_0_in_json_and_from_the_end() -> None:
    assert [apply("->", ["x", "y"], i) for i in (0, 1, 2, -1, -2, -3)] == ["x", "y", None, "y", "x", None]
    assert [apply("->>", x, 0) for x in ("x", 1, True, b"x")] == [ERROR] * 4


def test_texts_of_a_list_are_keys_too() -> None:
    assert [apply("?", x, "a") for x in (["a"], "a", ["b"], [1], 1)] == [True, True, False, False, False]


def test_json_types_have_names() -> None:
    values = [{}, [], "x", 1.5, True, None, b"x"]

    assert [apply("jsonb_typeof", v) for v in values] == ["object", "array", "string", "number", "boolean", None, ERROR]
    assert [apply("jsonb_array_length", v) for v in ([1, 2], {}, None)] == [2, ERROR, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[1, 1.0, true, null]", (1, 1.0, True, None)), ('"x"', "x"), (" 1 ", 1), ("{1}", ERROR), ("NaN", ERROR), ("1e999", ERROR),
     ("", ERROR), ('"\\ud800"', ERROR), ("[" * 70 + "]" * 70, ERROR), ("9" * 5000, ERROR), ("'x'", ERROR)],
)  # fmt: skip
def test_json_is_read_from_text(text: str, expected: object) -> None:
    result = apply("read json", text)

    assert result is expected or same(expected, result)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [("= any", (1, [2, 1]), True), ("= any", (1, [2, None]), None), ("= any", (1, [2]), False), ("= any", (None, []), False),
     ("= any", (None, [1]), None), ("= any", (1, None), None), ("= any", (1, 1), ERROR), ("<> all", (1, [2, None]), None),
     ("<> all", (1, [1, None]), False), ("<> all", (1, []), True), ("> any", (3, [5, 2]), True), ("< all", (1, [5, 2]), True),
     ("<= all", (1, [5, "2"]), None), ("= any", ("1", [1]), False), ("[]", (["x", "y"], 1), "x"), ("[]", (["x"], 0), None),
     ("[]", (["x"], -1), None), ("[]", (["x"], 2), None), ("[]", ("x", 1), ERROR), ("[]", (["x"], "1"), ERROR),
     ("array_position", ([1, None, 3], None), 2), ("array_position", ([1], 2), None), ("array_append", (None, 1), (1,)),
     ("array_append", ([1], None), (1, None)), ("array_prepend", (1, [2]), (1, 2)), ("array_cat", (None, [1]), (1,)),
     ("array_cat", ([1], [2]), (1, 2)), ("array_cat", ([1], 2), ERROR), ("array_remove", ([1, 2, 1.0], 1), (2,)),
     ("array_remove", ([1, None], None), (1,)), ("array_remove", (None, 1), None), ("||", ([1, 2], 3), (1, 2, 3)),
     ("||", (3, [1]), (3, 1)), ("||", ({"a": 1, "b": 1}, {"a": 2}), FrozenObject({"a": 2, "b": 1})), ("||", ({}, 1), ERROR),
     ("||", ([1], {}), (1, FrozenObject({}))), ("&&", ([1, None], [None, 2]), False), ("&&", ([1, 2], [2.0]), True),
     ("&&", ([1], 1), ERROR), ("cardinality", ([],), 0), ("cardinality", ({},), ERROR), ("array[]", (1, None), (1, None))],
)  # fmt: skip
def test_lists_are_postgres_s_arrays(name: str, arguments: tuple[object, ...], expected: object) -> None:
    result = apply(name, *arguments)

    assert result is expected or same(expected, result)


def test_lists_nest_no_deeper_than_a_cell_may() -> None:
    deepest: object = 1
    for _ in range(MAX_NESTING):
        deepest = canonical((deepest,))

    for name, arguments in (
        ("array[]", (deepest,)),
        ("array_append", (None, deepest)),
        ("array_prepend", (deepest, None)),
    ):
        assert FUNCTIONS[name].apply(*arguments) is ERROR
    assert FUNCTIONS["||"].apply(deepest, 1) == (*deepest, 1)  # type: ignore[misc]
