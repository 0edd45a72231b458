"""Every page is true: its code runs, its output is what it prints, its links lead somewhere, its lists are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sspcore import errors
from sspcore.cli import arguments
from tests.architecture.rings import ROOT
from tests.docs.blocks import FENCE, Page, blocks


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("plugins/*/README.md"))]
ELSEWHERE = {"docs/tutorials/first-routing-strategy.md"}
"""Run in an environment of its own: tests/plugins/test_packages_tutorial.py."""
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")


def anchors(page: Path) -> set[str]:
    """The anchors GitHub gives the headings of a page."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+?) *$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [page for page in PAGES if name(page) not in ELSEWHERE], ids=name)
def test_the_code_of_a_page_does_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    running = Page(name(page), tmp_path)
    for block in blocks(page.read_text(encoding="utf-8")):
        running.run(block)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_links_of_a_page_lead_somewhere(page):
    for groups in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        link = groups[0] or groups[1]
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name(page)}: {link} does not exist"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{name(page)}: {name(target)} has no heading #{anchor}"


@pytest.mark.parametrize("page", PAGES[1:], ids=name)
def test_a_page_is_reachable_from_the_front_page(page):
    reachable, todo = set(), [ROOT / "README.md"]
    while todo:
        current = todo.pop()
        if current in reachable or current.suffix != ".md" or not current.exists():
            continue
        reachable.add(current)
        for link, _ in LINK.findall(current.read_text(encoding="utf-8")):
            todo.append((current.parent / link.partition("#")[0]).resolve())
    assert page in reachable, f"{name(page)} is linked from nowhere"


@pytest.mark.parametrize("page", ["api.md", "errors.md"])
def test_a_generated_page_says_what_the_code_says(page):
    from tests.docs.reference import GENERATED

    expected = GENERATED[page]()
    actual = (ROOT / "docs/reference" / page).read_text(encoding="utf-8")
    assert expected == actual, f"docs/reference/{page} is out of date: python -m tests.docs.reference"


def test_the_page_of_commands_names_every_command_and_option():
    page = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    (commands,) = [action.choices for action in arguments.parser()._actions if isinstance(action.choices, dict)]
    for command, parser in commands.items():
        assert f"## {command}" in page
        options = {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}
        section = page.partition(f"## {command}")[2].partition("\n## ")[0]
        missing = sorted(option for option in options if option not in section)
        assert not missing, f"docs/reference/cli.md: {command} lacks {', '.join(missing)}"


def test_the_page_of_errors_names_every_code():
    page = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.SspError):
            assert f"`{error.code}`" in page and f"`{error.__name__}`" in page
