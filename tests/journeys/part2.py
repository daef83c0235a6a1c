"""Part 2 of the tutorial for the browser: a trained pipeline, an endpoint, and load on it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.journeys.studio import opened, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

COMMAND = str(Path(sys.executable).with_name("modelwright"))


@dataclass
class Studio:
    """A studio in a browser, and its API as the page calls it."""

    page: Page
    base: str
    home: Path

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """The JSON of a call to the API with the browser's session; fails on a refusal."""
        found = self.page.evaluate(
            """async ([path, body, method]) => {
                const answer = await fetch(path, {
                    method: method ?? (body === null ? "GET" : "POST"),
                    headers: { "Content-Type": "application/json" },
                    body: body === null ? undefined : JSON.stringify(body),
                });
                return { ok: answer.ok, body: await answer.json() };
            }""",
            [path, body, method],
        )
        assert found["ok"], found["body"]
        return found["body"]

    def go(self, path: str) -> None:
        """Open a page."""
        self.page.goto(self.base + path)

    def trained(self) -> tuple[str, Any]:
        """The tutorial's pipeline, run: the id of its draft, and its run."""
        draft = self.ask("/api/drafts", {"sample": "automobile-price"})
        return draft["id"], self.run(draft["id"])

    def run(self, draft_id: str, graph: Any = None) -> Any:
        """A run of a draft, completed."""
        body = {"draft_id": draft_id, **({"graph": graph} if graph else {})}
        run = self.ask("/api/runs", body)
        for _ in range(300):
            run = self.ask(f"/api/runs/{run['id']}")
            if run["status"] in ("completed", "failed", "cancelled"):
                break
            time.sleep(0.1)
        assert run["status"] == "completed", run["error"]
        return run

    def retrained(self, draft_id: str, run: Any) -> Any:
        """The pipeline run again with gaps filled instead of rows removed."""
        nodes = [dict(node) for node in run["graph"]["nodes"]]
        cleaning = next(node for node in nodes if node["id"] == "clean-missing-data")
        cleaning["parameters"] = {**cleaning["parameters"], "mode": "Replace with mode"}
        return self.run(draft_id, {**run["graph"], "nodes": nodes})

    def converted(self, run: Any) -> str:
        """The id of an inference draft of a run."""
        made = self.ask(f"/api/runs/{run['id']}/inference", {})
        found: str = made["draft"]["id"]
        return found

    def sample(self, endpoint: str) -> tuple[str, dict[str, Any]]:
        """The name of the input of an endpoint, and a row it is known to answer."""
        request = self.ask(f"/api/endpoints/{endpoint}/schema")["inputs"][0]
        return request["name"], request["samples"][0]


def round_trip(page: Page) -> float:
    """Milliseconds from Send to the reply on the tab Test, as the page tells them."""
    told = page.locator("[data-round-trip]")
    before = told.get_attribute("data-round-trip") if told.count() else None
    page.get_by_role("button", name="Send").click()
    page.wait_for_function(
        """(before) => {
            const told = document.querySelector("[data-round-trip]");
            return told !== null && told.getAttribute("data-round-trip") !== before;
        }""",
        arg=before,
    )
    return float(told.get_attribute("data-round-trip") or "inf")


@contextmanager
def studio(home: Path, **options: Any) -> Iterator[Studio]:
    """A studio in a browser; the endpoints it started are deleted at the end."""
    try:
        with served(home) as address, opened(address, **options) as page:
            page.get_by_role("navigation").wait_for()
            yield Studio(page, address.split("/login")[0], home)
    finally:
        listed = subprocess.run(
            [COMMAND, "--home", str(home), "endpoint", "list", "--json"],
            capture_output=True,
            text=True,
            check=True,
        )
        for endpoint in json.loads(listed.stdout):
            subprocess.run(
                [COMMAND, "--home", str(home), "endpoint", "delete", endpoint["name"]], check=True
            )


@dataclass
class Load:
    """What became of requests that were sent one after the other."""

    answered: int = 0
    failures: list[str] = field(default_factory=list)


@contextmanager
def load_on(
    url: str,
    key: str,
    inputs: Mapping[str, Any],
    *,
    pause_s: float = 0.002,
    threads: int = 2,
) -> Iterator[Load]:
    """Requests one after the other while the block runs, with this pause after each."""
    load, over = Load(), threading.Event()
    body = json.dumps({"Inputs": inputs}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}

    def work() -> None:
        while not over.is_set():
            try:
                request = urllib.request.Request(url, body, headers)
                with urllib.request.urlopen(request, timeout=60) as reply:
                    reply.read()
                load.answered += 1
            except (OSError, urllib.error.URLError) as error:
                load.failures.append(repr(error))
            over.wait(pause_s)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for thread in workers:
        thread.start()
    try:
        yield load
    finally:
        over.set()
        for thread in workers:
            thread.join()
