"""A studio in a real browser: the server started as a user starts it, and the page it opens."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = next(
    (p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None
)
BUILT = Path(__file__).parents[2] / "src" / "modelwright" / "studio_dist" / "index.html"

needs_browser = pytest.mark.skipif(
    CHROMIUM is None or not BUILT.exists(),
    reason="BROWSER JOURNEYS SKIPPED: install chromium, and build the studio with scripts/studio",
)


@contextmanager
def served(home: Path, *, port: int = 0) -> Iterator[str]:
    """A server on a home of its own; gives the login address it prints."""
    command = Path(sys.executable).with_name("modelwright")
    process = subprocess.Popen(
        [str(command), "--home", str(home), "up", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "300", "NO_COLOR": "1"},
    )
    try:
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line)
            if found := re.search(r"http://\S+/login#token=\S+", line):
                yield found.group()
                return
        pytest.fail("the server ended before it printed a login address:\n" + "".join(printed))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@contextmanager
def opened(address: str, *, locale: str = "en-GB") -> Iterator[Page]:
    """A page of a fresh browser at an address; any error of a script fails the test."""
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale=locale)
        page = context.new_page()
        # Pages wait for what the server does, which bench/studio.py measures; here other tests are at work.
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address)
        yield page
        browser.close()
        assert faults == []
