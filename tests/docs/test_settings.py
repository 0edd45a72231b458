"""The pages of settings and hooks list exactly what the code has."""

from __future__ import annotations

import inspect
import re

import attrs
import pytest

from sspcore import hookspecs
from sspcore.backpressure.block import BlockOptions
from sspcore.backpressure.drop_with_error import DropWithErrorOptions
from sspcore.config import (
    BackpressureConfig,
    CircuitConfig,
    ClockConfig,
    Config,
    IngressConfig,
    PluginsConfig,
    RoutingConfig,
    SidecarConfig,
    ViewConfig,
)
from sspcore.routing.hybrid import HybridOptions
from sspcore.routing.meta.options import MetaOptions, RouteOptions
from sspcore.routing.routed import RoutedOptions
from sspcore.routing.shadow import ShadowOptions
from sspcore.routing.sharded import ShardedOptions
from tests.architecture.rings import ROOT

SETTINGS = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
HOOKS = (ROOT / "docs/reference/hooks.md").read_text(encoding="utf-8")

TABLES = {
    "## [routing]": RoutingConfig,
    "Options of `hybrid`": HybridOptions,
    "Options of `meta`": MetaOptions,
    "Each of its `routes`": RouteOptions,
    "Options of `routed`": RoutedOptions,
    "Options of `sharded`": ShardedOptions,
    "Options of `shadow`": ShadowOptions,
    "## [backpressure]": BackpressureConfig,
    "Options of `block`": BlockOptions,
    "Options of `drop_with_error`": DropWithErrorOptions,
    "## [ingress]": IngressConfig,
    "## [clock]": ClockConfig,
    "## [[circuit]]": CircuitConfig,
    "Each of its `views`": ViewConfig,
    "## [sidecar]": SidecarConfig,
    "## [plugins]": PluginsConfig,
}


def rows_after(heading):
    """The first table after a line: key → default, as written."""
    table = re.search(r"\|---\|---\|---\|\n((?:\|.*\n)+)", SETTINGS.partition(f"\n{heading}")[2])
    cells = [[cell.strip() for cell in row.split("|")[1:3]] for row in table[1].splitlines()]
    return {key.strip("`"): default.strip("`") for key, default in cells}


def written(field):
    default = field.default.factory() if isinstance(field.default, attrs.Factory) else field.default
    if default is attrs.NOTHING:
        return {"required"}
    if default is None:
        return {"none", "as `[backpressure]", "as [backpressure]"}
    if isinstance(default, bool):
        return {str(default).lower()}
    if isinstance(default, str):
        return {f'"{default}"'}
    return {"{}"} if default == {} else {"[]"} if default == () else {str(default)}


@pytest.mark.parametrize(("heading", "form"), TABLES.items())
def test_every_setting_is_listed_with_its_default(heading, form):
    beside = form in (RoutingConfig, BackpressureConfig)  # their `options` are what stands beside the others
    fields = {f.name: f for f in attrs.fields(form) if not (beside and f.name == "options")}
    listed = rows_after(heading)

    assert list(fields) == list(listed)
    for name, default in listed.items():
        assert default in written(fields[name]), f"{heading} {name}: the code says {written(fields[name])}"


def test_every_section_has_a_heading():
    spelled = {"circuits": "[[circuit]]", "tables": "[[table]]"}
    sections = {spelled.get(f.name, f"[{f.name}]") for f in attrs.fields(Config)}

    assert sections == set(re.findall(r"^## (.+)$", SETTINGS, re.MULTILINE))


def test_every_hook_is_listed_with_its_signature():
    specs = {name: value for name, value in vars(hookspecs).items() if name.startswith("sspcore_")}
    assert set(specs) == set(re.findall(r"^## (\w+)$", HOOKS, re.MULTILINE))
    for name, hook in specs.items():
        assert f"```text\n{name}{inspect.signature(hook)}\n```".replace("'", "") in HOOKS
        assert inspect.getdoc(hook).rstrip(".") in HOOKS.replace("\n", " ")
