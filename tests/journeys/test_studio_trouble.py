"""What goes wrong around the studio, in a real browser: every message says what to do, no work is lost."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.journeys.studio import needs_browser, opened, served

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = [needs_browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

SAMPLE = re.compile("Price Prediction .Basic.")

UNKNOWN = """modelwright: 1
name: From elsewhere
nodes:
  data:
    component: dataset
    parameters: {name: Automobile price data (Raw)}
  weigh:
    component: weigh-on-mars
    version: 3
    parameters: {gravity: 3.71}
    inputs: {rows: data.dataset}
"""

BROKEN = """modelwright: 1
name: Broken
nodes:
  split:
    component: split-data
    parametres: {fraction: 0.7}
"""


def import_file(page: Page, file: Path, content: str) -> None:
    """Import a pipeline file on the Designer home."""
    file.write_text(content, encoding="utf-8")
    page.get_by_role("button", name="New pipeline").wait_for()
    page.locator("input[type=file]").set_input_files(file)


def test_a_file_with_errors_says_line_and_field_and_a_component_not_installed_is_kept(
    tmp_path: Path,
) -> None:
    with served(tmp_path / "home") as address, opened(address) as page:
        import_file(page, tmp_path / "broken.yaml", BROKEN)
        alert = page.get_by_role("alert")
        alert.get_by_text(re.compile("parametres")).wait_for()
        assert re.search(r"Line \d+", alert.inner_text())

        import_file(page, tmp_path / "elsewhere.yaml", UNKNOWN)
        page.locator(".react-flow__node", has_text="weigh-on-mars").click()
        settings = page.get_by_label("Properties").first
        settings.get_by_text(re.compile("is not installed here")).wait_for()
        settings.get_by_role("row", name=re.compile("gravity 3.71")).wait_for()
        assert page.locator(".react-flow__edge").count() == 1
        with page.expect_response(lambda r: r.request.method == "PUT" and r.ok):
            page.get_by_label("Comment").fill("kept")
        page.reload()
        page.locator(".react-flow__node", has_text="kept").click()
        settings.get_by_role("row", name=re.compile("gravity 3.71")).wait_for()


def test_a_file_of_five_gigabytes_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(5 * 1024**3)
    with served(tmp_path / "home") as address, opened(address) as page:
        page.get_by_role("link", name="Data", exact=True).click()
        page.get_by_text("Automobile price data (Raw)").wait_for()
        sent: list[str] = []
        page.on("request", lambda r: sent.append(r.method))
        page.locator("input[aria-label='Choose a file']").set_input_files(large)
        page.get_by_role("alert").get_by_text(re.compile("large")).wait_for()
        assert "PUT" not in sent


def test_an_ended_session_asks_for_a_login_and_leads_back_to_the_draft(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with served(home) as address, opened(address) as page:
        page.get_by_role("button", name=SAMPLE).click()
        page.locator(".react-flow__node").first.wait_for()
        draft = page.url
        page.context.clear_cookies()
        page.get_by_role("link", name="Data", exact=True).click()
        page.get_by_text("Your session has ended").wait_for()
        command = Path(sys.executable).with_name("modelwright")
        printed = subprocess.run(
            [str(command), "--home", str(home), "login"], capture_output=True, text=True, check=True
        ).stdout
        assert printed.startswith(address[: address.index("/login")])
        token = re.search(r"token=(\S+)", printed)
        assert token is not None
        page.get_by_label("Token").fill(token[1])
        page.get_by_role("button", name="Log in").click()
        page.get_by_text("Automobile price data (Raw)").first.wait_for()
        page.goto(draft)
        page.locator(".react-flow__node").nth(7).wait_for()


def test_what_is_drawn_while_the_server_is_down_is_saved_when_it_is_back(tmp_path: Path) -> None:
    with ExitStack() as first:
        address = first.enter_context(served(tmp_path))
        with opened(address) as page:
            page.get_by_role("button", name=SAMPLE).click()
            page.locator('.react-flow__node:has-text("Split Data")').click()
            first.close()
            page.get_by_label("Comment").fill("drawn in the dark")
            page.get_by_text("The server does not answer").first.wait_for(timeout=30_000)
            found = re.search(r":(\d+)/", address)
            assert found is not None
            with served(tmp_path, port=int(found[1])):
                page.get_by_text("Saved", exact=True).wait_for(timeout=60_000)
                page.reload()
                page.locator(".react-flow__node", has_text="drawn in the dark").wait_for()


def test_what_is_drawn_while_a_slow_server_saves_is_saved_after_it(tmp_path: Path) -> None:
    with served(tmp_path) as address, opened(address) as page:
        page.get_by_role("button", name=SAMPLE).click()
        page.locator('.react-flow__node:has-text("Split Data")').click()
        held: list[Route] = []

        def hold(route: Route) -> None:
            if route.request.method == "PUT" and not held:
                held.append(route)
            else:
                route.continue_()

        page.route(re.compile(r"/api/drafts/[^/]+$"), hold)
        page.get_by_label("Comment").fill("sent first")
        page.get_by_text("Saving…", exact=True).wait_for()
        page.get_by_label("Comment").fill("drawn meanwhile")
        page.get_by_label("Title").fill("Slowly")
        page.locator(".react-flow__node", has_text="drawn meanwhile").wait_for()
        held[0].continue_()
        page.get_by_text("Saved", exact=True).wait_for(timeout=60_000)
        page.reload()
        page.locator(".react-flow__node", has_text="drawn meanwhile").wait_for()
        page.locator(".react-flow__node", has_text="Slowly").wait_for()
