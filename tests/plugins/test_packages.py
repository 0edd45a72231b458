"""The packages in plugins/ are what a third party could have built: complete, public names only, found when installed."""

from __future__ import annotations

import ast
import re
import tomllib
import zipfile
from importlib.metadata import entry_points

import pytest

import sspcore
from sspcore.plugins import Plugins
from tests.architecture.rings import ROOT

PACKAGES = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))
NAMES = [package.name for package in PACKAGES]
PUBLIC = {"sspcore", *[f"sspcore.{module}" for module in sspcore._MODULES]}
MAIN = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def project(package):
    return tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def imported(file):
    """Every module a file imports, and the names it takes from sspcore."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            yield from [(node.module, alias.name) for alias in node.names]


def test_there_are_some():
    assert len(PACKAGES) >= 2


@pytest.mark.parametrize("package", PACKAGES, ids=NAMES)
def test_a_package_is_complete(package):
    told, module = project(package), package.name.replace("-", "_")
    assert package.name == told["name"]
    assert (MAIN["license"], MAIN["requires-python"]) == (told["license"], told["requires-python"])
    assert any(re.match(r"sspcore>=[\d.]+,<[\d.]+$", needed) for needed in told["dependencies"]), "bounds on sspcore"
    assert {module} == set(told["entry-points"]["sspcore"].values())
    assert (package / "src" / module / "py.typed").exists()
    assert (package / "tests" / "test_conformance.py").exists()
    readme = (package / "README.md").read_text(encoding="utf-8")
    for heading in ("## Options", "## What it costs", "## Tests"):
        assert heading in readme


@pytest.mark.parametrize("package", PACKAGES, ids=NAMES)
def test_a_package_uses_public_names_only(package):
    files = sorted(package.rglob("*.py"))
    taken = {
        (file.name, module, name) for file in files for module, name in imported(file) if module.startswith("sspcore")
    }
    ours = package.name.replace("-", "_")
    foreign = {(f, m, n) for f, m, n in taken if m.partition(".")[0] not in ("sspcore", ours)}
    assert not foreign, "one package does not lean on another"
    private = {(f, m, n) for f, m, n in taken if m.partition(".")[0] == "sspcore" and m not in PUBLIC}
    assert not private, f"not for others to import: {private}"
    for file, module, name in taken:
        if name is not None and module in PUBLIC:
            owner = sspcore if module == "sspcore" else getattr(sspcore, module.removeprefix("sspcore."))
            assert hasattr(owner, name) and not name.startswith("_"), f"{file}: {module} has no public {name}"


@pytest.mark.parametrize("package", PACKAGES, ids=NAMES)
def test_a_package_is_found_by_its_entry_point(package):
    """As `make` installs it: what it offers is there once it is loaded, and not before."""
    told = project(package)
    assert [told["version"]] == [
        point.dist.version for point in entry_points(group="sspcore") if point.dist and point.dist.name == told["name"]
    ], "make test installs it"
    (name,) = told["entry-points"]["sspcore"]
    without, loaded = Plugins(), Plugins(load=[name])
    offered = (loaded.strategies.keys() | loaded.policies.keys()) - without.strategies.keys() - without.policies.keys()
    assert {name} == offered


@pytest.mark.parametrize("package", PACKAGES, ids=NAMES)
def test_a_wheel_holds_the_module_its_types_and_its_entry_point(package, tmp_path, monkeypatch):
    from hatchling import build

    monkeypatch.chdir(package)
    wheel = zipfile.ZipFile(tmp_path / build.build_wheel(str(tmp_path)))
    module = package.name.replace("-", "_")
    assert {f"{module}/{file.name}" for file in (package / "src" / module).iterdir() if file.is_file()} <= set(
        wheel.namelist()
    )
    (points,) = [wheel.read(name).decode() for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "[sspcore]" in points
