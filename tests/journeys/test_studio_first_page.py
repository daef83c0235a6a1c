"""The first page as a browser meets it: what it weighs, what it waits for, and what moves while it comes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.studio import needs_browser, opened, served

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

pytestmark = [needs_browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

MOST_SCRIPT = 400_000
"""Bytes of JavaScript, packed, that the first page may load."""

SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def visited(page: Page) -> tuple[list[Response], list[str], dict[str, int]]:
    """Load the home page with an empty cache: its responses, what the console told, sizes of scripts."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    responses: list[Response] = []
    told: list[str] = []
    scripts: set[str] = set()
    sizes: dict[str, int] = {}

    def answered(event: dict[str, Any]) -> None:
        if event["type"] == "Script":
            scripts.add(event["requestId"])

    def loaded(event: dict[str, Any]) -> None:
        if event["requestId"] in scripts:
            sizes[event["requestId"]] = event["encodedDataLength"]

    session.on("Network.responseReceived", answered)
    session.on("Network.loadingFinished", loaded)
    page.on("response", lambda response: responses.append(response))
    page.on("console", lambda m: told.append(m.text) if m.type in ("error", "warning") else None)
    page.add_init_script(SHIFTS)
    page.goto("/".join(page.url.split("/")[:3]) + "/")
    page.get_by_role("heading", name="Sample pipelines").wait_for()
    page.wait_for_load_state("networkidle")
    return responses, told, sizes


def test_the_first_page_is_light_comes_from_here_alone_and_stands_still(tmp_path: Path) -> None:
    with served(tmp_path) as address, opened(address) as page:
        page.get_by_role("heading", name="Sample pipelines").wait_for()
        responses, told, sizes = visited(page)
        here = "/".join(page.url.split("/")[:3])

        assert told == []
        assert [r.url for r in responses if not r.url.startswith((here, "data:"))] == []
        assert [r.url for r in responses if r.status >= 400] == []
        assert sizes, "no script was seen"
        assert 0 < sum(sizes.values()) < MOST_SCRIPT
        # A tenth is what is commonly held to be good.
        assert page.evaluate("window.shifted") < 0.1

        assets = [r for r in responses if "/assets/" in r.url]
        unkept = [r.url for r in assets if "immutable" not in r.headers.get("cache-control", "")]
        assert unkept == []
        unpacked = [
            r.url
            for r in assets
            if r.url.endswith((".js", ".css"))
            and r.headers.get("content-encoding") not in ("br", "gzip")
        ]
        assert unpacked == []
        start = next(r for r in responses if r.url == here + "/")
        assert start.headers["cache-control"] == "no-cache"


def test_the_first_page_says_what_it_is_and_waits_for_nothing_but_its_own_bundle(
    tmp_path: Path,
) -> None:
    with served(tmp_path) as address, opened(address) as page:
        page.get_by_role("heading", name="Sample pipelines").wait_for()
        assert "Modelwright" in page.title()
        assert page.locator("html").get_attribute("lang") == "en"
        viewport = page.locator("meta[name=viewport]").get_attribute("content") or ""
        assert "width=device-width" in viewport
        assert "user-scalable=no" not in viewport
        assert page.locator("meta[name=description]").get_attribute("content")
        blocking = page.evaluate(
            """performance.getEntriesByType("resource")
                 .filter((e) => e.renderBlockingStatus === "blocking")
                 .map((e) => new URL(e.name).pathname)"""
        )
        assert [path for path in blocking if not path.startswith("/assets/")] == []
        assert len(blocking) <= 2
        page.get_by_role("button", name="Language").click()
        page.get_by_role("menuitem", name="Français").click()
        page.get_by_role("button", name="Nouveau pipeline").wait_for()
        assert page.locator("html").get_attribute("lang") == "fr"
