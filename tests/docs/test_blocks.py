"""The harness that proves the documentation can itself find an untrue page."""

from __future__ import annotations

import pytest

from tests.docs.blocks import Page, Untrue, blocks


def run(text: str, folder) -> Page:
    page = Page("page.md", folder)
    for block in blocks(text):
        page.run(block)
    return page


def test_blocks_share_their_names_and_their_output_is_compared(tmp_path):
    run(
        "```python\nn = 1\n```\n\n```python\nprint(n + 1)\n```\n\n```output\n2\n```\n\n```pycon\n>>> n\n1\n```\n",
        tmp_path,
    )


def test_a_titled_block_is_a_file_for_the_blocks_after_it(tmp_path):
    run('```jsonl title="a.jsonl"\n{"a": 1}\n```\n```console\n$ cat a.jsonl\n{"a": 1}\n```\n', tmp_path)


def test_an_excused_block_is_not_run(tmp_path):
    run("<!-- not run: needs a network -->\n```python\n1 / 0\n```\n", tmp_path)


def test_a_command_may_say_that_it_fails(tmp_path):
    run("```console\n$ echo no; false  # exits 1\nno\n```\n", tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("```python\n1 / 0\n```\n", r"page.md:1: ZeroDivisionError"),
        ("\n```python\nprint(1)\n```\n```output\n2\n```\n", r"page.md:5: the page shows\n2\nbut it prints\n1"),
        ("```pycon\n>>> 1\n2\n```\n", "Expected"),
        ("```console\n$ false\n```\n", "exits 1"),
        ("```console\n$ echo yes\nno\n```\n", "the page shows"),
        ("```json\n{,}\n```\n", "JSONDecodeError"),
        ("```toml\n= 1\n```\n", "TOMLDecodeError"),
        ("```sql\nSELEC 1\n```\n", "Sql"),
        ("```cobol\n```\n", "no way to check 'cobol'"),
        ("```\nanything\n```\n", "no way to check"),
    ],
)
def test_an_untrue_block_is_found_with_its_place(tmp_path, text, why):
    with pytest.raises(Untrue, match=why):
        run(text, tmp_path)
