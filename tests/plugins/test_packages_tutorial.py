"""The tutorial of a first routing strategy is run as its reader would: in an environment of its own, file by file."""

from __future__ import annotations

import importlib.util
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.architecture.rings import ROOT
from tests.docs.blocks import Page, blocks, environment

PAGE = ROOT / "docs/tutorials/first-routing-strategy.md"
PLUGIN = "sspcore-tiers/sspcore_tiers.py"


class Reader(Page):
    """Runs Python as another interpreter would: a titled block is a file, any other is a program."""

    def run(self, block):
        if block.language != "python" or block.excuse:
            super().run(block)
            return
        compile(block.body, block.title or self.name, "exec", dont_inherit=True)
        if block.title:
            file = self.folder / block.title
            file.write_text(block.body, encoding="utf-8")
            return
        done = subprocess.run(
            [self.scripts / "python", "-c", block.body], cwd=self.folder, env=environment(self.scripts), check=False,
            timeout=60, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise self.untrue(block, done.stderr)
        self.printed = done.stdout


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The commands of a fresh environment that sees what is installed here, and this checkout; pip needs no network."""
    folder = tmp_path_factory.mktemp("reader") / "env"
    venv.create(folder, with_pip=importlib.util.find_spec("pip") is None)
    python = folder / "bin/python"
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)}, scheme="venv")
    here = sysconfig.get_paths()["purelib"]
    Path(paths["purelib"], "here.pth").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r})\nimport site; site.addsitedir({here!r})\n"
    )
    commands = {
        "pip": f'exec {python} -m pip --disable-pip-version-check --no-color "$@" --no-index --no-build-isolation',
        "pytest": f'exec {python} -m pytest -p no:cacheprovider "$@"',
        "sspcore": f'exec {python} -c "from sspcore.cli.main import main; import sys; sys.exit(main())" "$@"',
    }
    for name, command in commands.items():
        script = folder / "bin" / name
        script.write_text(f"#!/bin/sh\n{command}\n")
        script.chmod(0o755)
    return folder / "bin"


def test_a_reader_of_the_tutorial_gets_what_it_says(scripts, tmp_path):
    page = Reader("first-routing-strategy.md", tmp_path, scripts)
    for block in blocks(PAGE.read_text(encoding="utf-8")):
        page.run(block)
    (tmp_path / PLUGIN).unlink()
    where = subprocess.run(
        [scripts / "python", "-c", "import sspcore, sspcore_tiers; print(sspcore.__file__, sspcore_tiers.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert [True, True] == [where[0].startswith(str(ROOT / "src")), where[1].startswith(str(scripts.parent))]
    assert importlib.util.find_spec("sspcore_tiers") is None, "nothing of it is left in this environment"


def test_the_plugin_is_short():
    (plugin,) = [block for block in blocks(PAGE.read_text(encoding="utf-8")) if block.title == PLUGIN]
    assert len([line for line in plugin.body.splitlines() if line.strip()]) < 60
