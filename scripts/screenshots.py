"""Pictures of the main pages of the studio, for README and docs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

OUT = Path(__file__).parents[1] / "docs" / "screenshots"
SAMPLE = re.compile("Price Prediction .Basic.")
SIZE = {"width": 1440, "height": 900}


@contextmanager
def served(home: Path) -> Iterator[str]:
    """A server on a home of its own; gives the login address it prints."""
    command = Path(sys.executable).with_name("modelwright")
    process = subprocess.Popen(
        [str(command), "--home", str(home), "up", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "300", "NO_COLOR": "1"},
    )
    try:
        for line in process.stdout or ():
            if found := re.search(r"http://\S+/login#token=\S+", line):
                yield found.group()
                return
        raise SystemExit("The server ended before it printed a login address.")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def picture(page: Page, name: str) -> None:
    """Take a picture once nothing moves any more."""
    page.mouse.move(700, 70)
    page.wait_for_timeout(900)
    OUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUT / f"{name}.png")


def take(page: Page, start: str) -> None:
    """Every picture, one after another."""
    page.get_by_role("button", name=SAMPLE).wait_for()
    picture(page, "home")
    page.get_by_role("button", name=SAMPLE).click()
    page.locator(".react-flow__node").first.wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    done = page.locator('.react-flow__node:has-text("Evaluate Model") :text("Done")')
    done.wait_for(timeout=120_000)
    page.locator('.react-flow__node:has-text("Score Model")').click()
    page.get_by_role("columnheader").first.wait_for()
    picture(page, "designer")
    page.locator('.react-flow__node:has-text("Evaluate Model")').click()
    page.locator("figure svg").first.wait_for()
    page.emulate_media(color_scheme="dark")
    picture(page, "designer-dark")
    page.emulate_media(color_scheme="light")
    page.keyboard.press("Control+Shift+Enter")
    page.get_by_role("dialog", name="Run the pipeline").get_by_role("row").first.wait_for()
    picture(page, "run-dialog")
    page.goto(f"{start}/runs")
    page.get_by_role("link", name=re.compile("^run-")).click()
    page.get_by_role("button", name="Train Model", exact=True).click()
    page.get_by_role("row").nth(3).wait_for()
    picture(page, "run")
    page.goto(f"{start}/data/sets/Automobile%20price%20data%20(Raw)")
    page.get_by_role("row", name=re.compile("^symboling")).wait_for()
    picture(page, "data-set")


def main() -> None:
    """Start a server and a browser, and take the pictures."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("No chromium on this machine: install it, then try again.")
    with (
        tempfile.TemporaryDirectory() as home,
        served(Path(home)) as address,
        sync_playwright() as made,
    ):
        browser = made.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = browser.new_context(
            viewport=SIZE,  # type: ignore[arg-type]
            locale="en-GB",
            color_scheme="light",
        ).new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        take(page, address.partition("/login")[0])
        browser.close()


if __name__ == "__main__":
    main()
