"""Configuration: every fault with its place, all of them at once; nothing is guessed."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspcore import Config, Schema
from sspcore.config import load_config, structure
from sspcore.errors import ConfigError


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"ruting": {}}, "unknown key 'ruting' (did you mean 'routing'?) @ $"),
        ({"circuits": []}, "unknown key 'circuits' (did you mean 'circuit'?) @ $"),
        ({"routing": {"strategy": 5}}, "5 is no text @ $.routing.strategy"),
        ({"routing": 3}, "a table of settings is expected, not 3 @ $.routing"),
        ({"circuit": {"name": "x"}}, "@ $.circuit"),
        ({"circuit": [{"name": "x"}, {}]}, "the key 'name' is missing @ $.circuit[1].name"),
        ({"circuit": [{"name": "x", "views": [{"id": "a"}]}]}, "the key 'sql' is missing @ $.circuit[0].views[0].sql"),
        ({"circuit": [{"name": "x", "polcy": 1}]}, "unknown key 'polcy' (did you mean 'policy'?) @ $.circuit[0]"),
        ({"table": [{"columns": {}}]}, "the key 'name' is missing @ $.table[0]"),
        ({"table": [{"name": "t", "colums": {}}]}, "unknown key 'colums' of a table (did you mean 'columns'?)"),
        ({"table": [{"name": "t", "columns": {"a": "txt"}}]}, "unknown type 'txt'; did you mean 'text'?"),
        ({"table": [7]}, "a table is {name, columns, key, open}, not 7 @ $.table[0]"),
        ({"ingress": {"strict": "yes"}}, "'yes' is no boolean (true or false) @ $.ingress.strict"),
        ({"ingress": {"stale": "keep"}}, "stale is 'ignore' or 'refuse', not 'keep' @ $.ingress"),
        ({"backpressure": {"capacity": 0}}, "'capacity' must be >= 1: 0 @ $.backpressure"),
        ({"backpressure": {"capacity": True}}, "True is no integer @ $.backpressure.capacity"),
        ({"sidecar": {"port": 70_000}}, "'port' must be < 65536: 70000 @ $.sidecar"),
        ({"backpressure": {"options": {}, "deadline": 1}}, "not both: deadline @ $.backpressure"),
    ],
)  # fmt: skip
def test_a_fault_names_its_place_and_the_remedy(data, message):
    with pytest.raises(ConfigError) as caught:
        load_config(data)
    assert message in str(caught.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        load_config({"sidecar": {"port": "x", "host": 1}, "ruting": {}})
    assert 3 == str(caught.value).count(" @ $")


def test_what_stands_beside_the_name_are_its_options():
    config = load_config({"routing": {"strategy": "hybrid", "fallback": "broadcast"}, "backpressure": {"deadline": 5}})

    assert {"fallback": "broadcast"} == config.routing.options
    assert {"deadline": 5} == config.backpressure.options
    assert 10_000 == config.backpressure.capacity


def test_a_config_and_nothing_pass_through():
    config = Config()

    assert config is load_config(config)
    assert config == load_config(None) == load_config({})


def test_tables_are_schemas():
    config = load_config(
        {
            "table": [
                {"name": "a", "columns": {"x": "text"}, "key": ["x"]},
                {"name": "b", "open": True},
                Schema("c", {"y": "date"}),
            ]
        }
    )

    assert (Schema("a", {"x": "text"}, ("x",)), Schema("b", open=True), Schema("c", {"y": "date"})) == config.tables


@pytest.mark.parametrize(("text", "message"), [("a = = 1", "is not TOML"), ("[ruting]", "did you mean 'routing'")])
def test_a_file_s_faults_name_the_file(tmp_path, text, message):
    path = tmp_path / "my.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder_are_config_errors(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match="pass the path of a TOML file"):
            load_config(str(path))


words = st.sampled_from([
    "routing", "strategy", "backpressure", "policy", "capacity", "circuit", "name", "views", "id", "sql", "table",
    "columns", "key", "open", "sidecar", "port", "ingress", "strict", "plugins", "load", "options", "schemas", "x",
]) | st.text(max_size=4)  # fmt: skip
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@given(data=st.dictionaries(words, plain, max_size=6))
def test_whatever_is_given_is_a_config_or_a_config_error(data):
    fault = ""
    try:
        assert isinstance(load_config(data), Config)
    except ConfigError as error:
        fault = str(error)
    assert not fault or " @ $" in fault


def test_a_plugin_s_options_follow_the_same_rules():
    @attrs.frozen
    class Options:
        fallback: str
        tables: tuple[str, ...] = ()

    assert Options("x", ("a",)) == structure(Options, {"fallback": "x", "tables": ["a"]}, "$.routing")
    with pytest.raises(ConfigError, match=r"unknown key 'tabels' \(did you mean 'tables'\?\) @ \$.routing"):
        structure(Options, {"fallback": "x", "tabels": []}, "$.routing")
