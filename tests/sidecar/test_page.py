"""The live page in a real Chromium: what a person sees, and that it needs nothing from elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from sspcore.engine.change import Change, delete, upsert
from sspcore.engine.schema import Schema
from sspcore.runtime.opening import open_runtime
from sspcore.runtime.runtime import Runtime
from sspcore.sidecar.server import serve
from tests.sidecar.net import serving

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
FLIGHTS = Schema("flights", {"id": "text", "carrier": "text", "delay": "integer"})

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]


class Visitor:
    """A person at the page: `page` is playwright's, `ingest` reaches the runtime from the browser's thread."""

    def __init__(self, page: Any, runtime: Runtime) -> None:
        self.page, self.runtime = page, runtime

    def ingest(self, *changes: Change) -> None:
        trio.from_thread.run(partial(self.runtime.ingest, changes))

    def rows(self) -> list[list[str]]:
        """The table as shown, without rows on their way out."""
        rows: list[list[str]] = self.page.evaluate(
            "[...document.querySelectorAll('#table tbody tr:not(.removed)')]"
            ".map(row => [...row.cells].map(cell => cell.textContent))"
        )
        return rows

    def sees(self, expression: str) -> None:
        """Wait until a JavaScript expression holds (as a function: the page's policy forbids evaluating text)."""
        self.page.wait_for_function(f"() => {expression}", timeout=15_000)

    def sees_rows(self, expected: list[list[str]]) -> None:
        self.page.wait_for_function(
            "expected => JSON.stringify([...document.querySelectorAll('#table tbody tr:not(.removed)')]"
            ".map(row => [...row.cells].map(cell => cell.textContent))) === JSON.stringify(expected)",
            arg=expected, timeout=15_000,
        )  # fmt: skip

    def picture(self, path: Path) -> None:
        self.page.screenshot(path=path)


def browse(url: str, runtime: Runtime, visit: Callable[[Visitor], None]) -> None:
    """Open the page and do as `visit` says; nothing may leave our origin, nothing may be logged as an error."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            asked: list[str] = []
            errors: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(url)
            visit(Visitor(page, runtime))
            assert errors == []
            assert [each for each in asked if not each.startswith(url.partition("#")[0])] == []
        finally:
            browser.close()


async def visited(url: str, runtime: Runtime, visit: Callable[[Visitor], None]) -> None:
    await trio.to_thread.run_sync(browse, url, runtime, visit)


def flight(id: str, carrier: str, delay: int) -> Change:
    return upsert("flights", id, {"carrier": carrier, "delay": delay})


async def test_rows_live_flash_and_leave_before_ones_eyes() -> None:
    def visit(visitor: Visitor) -> None:
        page = visitor.page
        visitor.sees("document.title.includes('live') && document.querySelector('#status').dataset.state === 'live'")
        visitor.sees("document.querySelector('h1').textContent === 'Late by carrier'")
        visitor.sees_rows([["AA", "1"]])
        visitor.ingest(flight("2", "AA", 70), flight("3", "UA", 90))
        page.wait_for_selector("td.updated >> text=2", timeout=5_000)
        page.wait_for_selector("tr.added >> text=UA", timeout=5_000)
        visitor.sees_rows([["AA", "2"], ["UA", "1"]])
        visitor.ingest(delete("flights", "3"))
        page.wait_for_selector("tr.removed >> text=UA", timeout=5_000)
        visitor.sees("!document.querySelector('tr.removed')")
        visitor.sees_rows([["AA", "2"]])
        visitor.sees("document.querySelector('#circuits .circuit p').textContent.startsWith('main')")
        visitor.sees("document.querySelector('#tables').textContent.includes('flights2')")

    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime) as address:
        await runtime.register(
            "late_by_carrier", "SELECT carrier, count(*) AS n FROM flights WHERE delay > 60 GROUP BY carrier"
        )
        await runtime.ingest(flight("1", "AA", 75))
        await visited(address.url, runtime, visit)


async def test_an_ordered_view_is_shown_in_its_order() -> None:
    def visit(visitor: Visitor) -> None:
        visitor.sees_rows([["1", "50"], ["2", "40"], ["3", "30"]])
        visitor.ingest(flight("4", "AA", 45))
        visitor.sees_rows([["1", "50"], ["4", "45"], ["2", "40"]])
        visitor.ingest(flight("1", "AA", 41), flight("3", "AA", 99))
        visitor.sees_rows([["3", "99"], ["4", "45"], ["1", "41"]])
        visitor.ingest(delete("flights", "3"))
        visitor.sees_rows([["4", "45"], ["1", "41"], ["2", "40"]])

    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime) as address:
        await runtime.register("board", "SELECT id, delay FROM flights ORDER BY delay DESC LIMIT 3")
        await runtime.ingest([flight("1", "AA", 50), flight("2", "AA", 40), flight("3", "AA", 30)])
        await visited(f"{address.url}#main/board", runtime, visit)


async def test_the_sql_box_answers_live_and_shows_faults_with_a_caret(tmp_path: Path) -> None:
    def visit(visitor: Visitor) -> None:
        page = visitor.page
        page.click("#ask")
        page.fill("#sql", "SELECT carrier,\n       delai FROM flights")
        page.wait_for_selector("#error:not([hidden])", timeout=5_000)
        shown = page.inner_text("#error")
        assert "delai" in shown
        assert "did you mean 'delay'?" in shown.lower()
        line, caret = page.text_content("#error pre").split("\n")[:2]
        assert line[caret.index("^") :].startswith("delai")
        page.fill("#sql", "SELECT carrier, delay FROM flights WHERE delay > 60")
        visitor.sees("document.querySelector('#error').hidden")
        visitor.sees_rows([["AA", "75"]])
        visitor.ingest(flight("2", "UA", 80))
        visitor.sees_rows([["AA", "75"], ["UA", "80"]])
        page.fill("#sql", "SELECT max(delay) AS worst FROM flights")
        page.press("#sql", "Control+Enter")
        visitor.sees_rows([["80"]])

    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime) as address:
        await runtime.ingest(flight("1", "AA", 75))
        await visited(address.url, runtime, visit)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert runtime.circuits["main"].views == {}, "queries of a page that left are given up"


async def test_a_long_view_shows_its_first_rows_and_says_so() -> None:
    def visit(visitor: Visitor) -> None:
        visitor.sees("document.querySelector('#foot').textContent.includes('Showing 500 of 2,000 rows.')")
        assert len(visitor.rows()) == 500

    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime) as address:
        await runtime.register("all", "SELECT * FROM flights")
        await runtime.ingest([flight(f"{n:05}", "AA", n) for n in range(2_000)])
        await visited(f"{address.url}#main/all", runtime, visit)


async def test_the_page_comes_back_when_the_server_does() -> None:
    async with open_runtime(schemas=[FLIGHTS]) as runtime, trio.open_nursery() as nursery:
        await runtime.register("board", "SELECT id, delay FROM flights ORDER BY delay DESC LIMIT 3")
        first = trio.CancelScope()

        async def served(port: int, scope: trio.CancelScope, task_status: trio.TaskStatus[Any]) -> None:
            with scope:
                await serve(runtime, port=port, task_status=task_status)

        address = await nursery.start(served, 0, first)

        def visit(visitor: Visitor) -> None:
            visitor.sees("document.querySelector('#status').dataset.state === 'live'")
            visitor.ingest(flight("1", "AA", 5))
            visitor.sees_rows([["1", "5"]])
            trio.from_thread.run_sync(first.cancel)
            visitor.sees("document.querySelector('#status').dataset.state === 'lost'")
            visitor.ingest(flight("2", "AA", 6))
            trio.from_thread.run(nursery.start, served, address.port, trio.CancelScope())
            visitor.sees_rows([["2", "6"], ["1", "5"]])

        await visited(f"{address.url}#main/board", runtime, visit)
        nursery.cancel_scope.cancel()


async def test_a_locked_server_asks_for_its_token() -> None:
    def visit(visitor: Visitor) -> None:
        page = visitor.page
        page.wait_for_selector("#locked[open]", timeout=5_000)
        page.fill("#token", "secret")
        page.click("#locked button")
        visitor.sees_rows([["1", "5"]])
        visitor.sees("document.querySelector('#tables').textContent.includes('flights')")

    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime, token="secret") as address:
        await runtime.register("board", "SELECT id, delay FROM flights ORDER BY delay DESC LIMIT 3")
        await runtime.ingest(flight("1", "AA", 5))
        await visited(f"{address.url}#main/board", runtime, visit)


async def test_rows_are_text_never_markup() -> None:
    def visit(visitor: Visitor) -> None:
        visitor.sees_rows([["<img src=x onerror=boom()>", "5"]])
        assert visitor.page.query_selector("#table img") is None

    async with open_runtime(schemas=[FLIGHTS]) as runtime, serving(runtime) as address:
        await runtime.register("all", "SELECT carrier, delay FROM flights")
        await runtime.ingest(flight("1", "<img src=x onerror=boom()>", 5))
        await visited(f"{address.url}#main/all", runtime, visit)
