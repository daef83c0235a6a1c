"""How quick the studio is in a browser: painting, panning, marking, and looking at a million rows.

Run as `python bench/canvas.py [--json] [--only home|pan|edit|look]`.  Needs chromium and the built studio.

Every figure is taken inside the page, from the event of the user to the frame that shows its effect, in
headless Chromium without a graphics card, 1440 by 900.  Panning: the pointer drags the canvas with the middle
button; frames are counted in windows of half a second, and the median of the windows over five seconds is
told.  First JavaScript: all scripts that the Designer home loads, as they travel.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

Figures = dict[str, float]

ROWS = 1_000_000
ADDED = ["Train Model", "Score Model", "Evaluate Model", "Cross Validate Model", "Join Data"]
TARGETS: dict[str, tuple[str, float]] = {
    "home_first_paint_ms": ("<", 1000),
    "home_first_javascript_kb": ("<", 400),
    "pan_300_frames_per_s": (">=", 55),
    "pan_1000_frames_per_s": (">=", 30),
    "add_node_to_problems_ms": ("<", 100),
    "add_node_to_problems_300_ms": ("<", 100),
    "edit_to_stale_ms": ("<", 50),
    "edit_to_stale_300_ms": ("<", 50),
    "click_to_table_1m_ms": ("<", 300),
}
CHROMIUM = next(
    (p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None
)
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Calls `until` before each frame, and tells the time from an event of the user to the frame that shows it.
CLOCK = """
window.clock = (event, until) => {
  window.clocked = null;
  const begin = () => {
    const from = performance.now();
    const look = () => {
      if (until()) window.clocked = performance.now() - from;
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  };
  window.addEventListener(event, begin, { capture: true, once: true });
};
window.counted = () => {
  window.frames_at = [];
  const tick = (now) => {
    window.frames_at.push(now);
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
};
"""


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
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://\S+/login#token=\S+", line):
                yield found.group()
                return
        raise SystemExit("The server ended before it printed a login address.")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def post(page: Page, path: str, body: dict[str, Any]) -> Any:
    """What the API answers to the page."""
    return page.evaluate(
        """async ([path, body]) => {
          const reply = await fetch(path, {
            method: "POST", body: JSON.stringify(body),
            headers: { "Content-Type": "application/json" },
          });
          if (!reply.ok) throw new Error(await reply.text());
          return reply.json();
        }""",
        [path, body],
    )


def lanes(count: int, name: str) -> dict[str, Any]:
    """A draft of `count` nodes in twenty lanes: each a data set, then rows clipped and split in turn."""
    across = 20
    kinds = ["clip-values", "split-data"]
    outs = {
        "dataset": "dataset",
        "clip-values": "results_dataset",
        "split-data": "results_dataset1",
    }
    nodes: list[dict[str, Any]] = []
    wires, positions = [], {}
    for place in range(count):
        lane, step = place % across, place // across
        kind = "dataset" if step == 0 else kinds[step % 2]
        given = {"name": name} if step == 0 else {"fraction": 0.9} if kind == "split-data" else {}
        words = {"title": "", "comment": "", "version": 1}
        nodes.append({"id": f"n{place}", "component": kind, "parameters": given, **words})
        positions[f"n{place}"] = [lane * 260, step * 120]
        if step > 0:
            before = nodes[place - across]
            source = f"{before['id']}.{outs[before['component']]}"
            wires.append({"source": source, "target": f"n{place}.dataset"})
    graph = {"name": f"{count} nodes", "description": "", "nodes": nodes, "wires": wires}
    return {
        "graph": {**graph, "parameters": []},
        "layout": {"positions": positions, "notes": [], "groups": []},
    }


def open_draft(page: Page, body: dict[str, Any]) -> None:
    """Make a draft, open it, and wait until its nodes are drawn."""
    made = post(page, "/api/drafts", {"kind": "training", **body})
    page.goto(
        page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + f"/drafts/{made['id']}"
    )
    page.locator(".react-flow__node").first.wait_for()
    page.get_by_text("Saved", exact=True).wait_for()
    page.wait_for_timeout(1500)


def run_all(page: Page) -> None:
    """Submit the draft and wait until nothing is left to do."""
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Stop").wait_for()
    page.get_by_role("button", name="Stop").wait_for(state="detached", timeout=240_000)
    page.wait_for_timeout(500)


def waited(page: Page, expression: str) -> Any:
    """What an expression gives once it gives something; the page's policy forbids its own polling."""
    until = time.monotonic() + 30
    while not (found := page.evaluate(expression)):
        if time.monotonic() > until:
            raise SystemExit(f"Nothing came of: {expression}")
        time.sleep(0.02)
    return found


def clocked(page: Page, event: str, until: str, act: Callable[[], object]) -> float:
    """Milliseconds from an event of the user to the first frame in which `until` holds."""
    page.evaluate(f"clock({event!r}, () => {until})")
    act()
    return float(waited(page, "window.clocked"))


def home(context: BrowserContext, address: str, rounds: int) -> Figures:
    """First paint of the home page, and the scripts it loads, each time with an empty cache."""
    paints, sizes = [], []
    for _ in range(rounds):
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        scripts: set[str] = set()
        size = [0.0]

        def told(
            event: dict[str, Any], scripts: set[str] = scripts, size: list[float] = size
        ) -> None:
            if event.get("type") == "Script":
                scripts.add(event["requestId"])
            elif "encodedDataLength" in event and event["requestId"] in scripts:
                size[0] += event["encodedDataLength"]

        session.on("Network.responseReceived", told)
        session.on("Network.loadingFinished", told)
        page.goto(address)
        page.get_by_role("heading", name="Sample pipelines").wait_for()
        page.wait_for_load_state("networkidle")
        paints.append(
            page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        )
        sizes.append(size[0] / 1000)
        page.close()
    return {
        "home_first_paint_ms": statistics.median(paints),
        "home_first_javascript_kb": max(sizes),
    }


def pan(page: Page, seconds: float = 5.0) -> float:
    """Frames a second while the canvas is dragged, the median of windows of half a second."""
    page.evaluate("counted()")
    box = page.locator(".react-flow__pane").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down(button="middle")
    page.evaluate("window.frames_at = []")
    until, step = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        step += 1
        page.mouse.move(x + 160 * np.sin(step / 25), y + 120 * np.cos(step / 31))
    frames: list[float] = page.evaluate("window.frames_at")
    page.mouse.up(button="middle")
    first = frames[0]
    windows: dict[int, int] = {}
    for frame in frames:
        windows[int((frame - first) // 500)] = windows.get(int((frame - first) // 500), 0) + 1
    whole = [windows.get(w, 0) * 2.0 for w in range(max(windows))]
    return statistics.median(whole)


def panned(page: Page, count: int) -> Figures:
    """How fluently a draft of so many nodes is dragged, as it opens: all of it in view."""
    open_draft(page, lanes(count, "Automobile price data (Raw)"))
    return {f"pan_{count}_frames_per_s": pan(page)}


def add_node(page: Page, rounds: int) -> float:
    """From Enter in the search box to the new node with its problems.

    Another component each time: what was seen once need not be asked for again.
    """
    taken = []
    for title in ADDED[:rounds]:
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.get_by_role("combobox", name="Search components and data").fill(title)
        page.get_by_role("option", name=title).first.wait_for()
        until = "document.querySelector('[role=toolbar] [class*=problemCount]') !== null"
        taken.append(clocked(page, "keydown", until, lambda: page.keyboard.press("Enter")))
        page.keyboard.press("Control+z")
        page.wait_for_timeout(700)
    return statistics.median(taken)


def stale(page: Page, node: str, rounds: int) -> float:
    """From a key in a number field to the mark on all nodes that the edited one feeds."""
    taken = []
    page.locator(f'.react-flow__node[data-id="{node}"]').click()
    field = page.get_by_role("textbox", name="Fraction of rows in the first output dataset")
    for _ in range(rounds):
        field.focus()
        page.keyboard.press("End")
        until = "document.querySelector('.react-flow__node [data-status=stale]') !== null"
        taken.append(clocked(page, "keydown", until, lambda: page.keyboard.press("1")))
        page.keyboard.press("Backspace")
        waited(page, "document.querySelector('.react-flow__node [data-status=stale]') === null")
        page.wait_for_timeout(300)
    return statistics.median(taken)


def edited(page: Page, rounds: int) -> Figures:
    """Adding and editing, in the tutorial and among 300 nodes."""
    figures: Figures = {}
    samples = page.evaluate("fetch('/api/samples/pipelines').then((r) => r.json())")
    for suffix, body in (
        ("", {"sample": samples["items"][0]["id"]}),
        ("_300", lanes(300, "Automobile price data (Raw)")),
    ):
        open_draft(page, body)
        figures[f"add_node_to_problems{suffix}_ms"] = add_node(page, rounds)
        run_all(page)
        # Everything is in view again, as at the beginning.
        page.reload()
        page.locator(".react-flow__node").first.wait_for()
        page.wait_for_timeout(1500)
        node = page.evaluate(
            """() => [...document.querySelectorAll('.react-flow__node')]
                .filter((n) => n.textContent.includes('Split Data'))
                .find((n) => document.elementFromPoint(
                  n.getBoundingClientRect().x + 8, n.getBoundingClientRect().y + 8)?.closest(
                    '.react-flow__node') === n).dataset.id"""
        )
        figures[f"edit_to_stale{suffix}_ms"] = stale(page, node, rounds)
    return figures


def looked(page: Page, rounds: int) -> Figures:
    """From a click on a port that gave a million rows to its first rows."""
    taken = []
    for _ in range(rounds):
        body = lanes(21, "A million rows")
        body["graph"]["nodes"] = [n for n in body["graph"]["nodes"] if n["id"] in ("n0", "n20")]
        body["graph"]["wires"] = [
            w for w in body["graph"]["wires"] if w["target"].startswith("n20.")
        ]
        open_draft(page, body)
        run_all(page)
        port = page.locator('.react-flow__node[data-id="n20"] .react-flow__handle.source').first
        until = (
            "[...document.querySelectorAll('[role=table] [role=cell]')]"
            ".some((c) => c.textContent !== '' && c.textContent !== '…')"
        )
        taken.append(clocked(page, "pointerdown", until, port.click))
    return {"click_to_table_1m_ms": statistics.median(taken)}


def million(folder: Path) -> Path:
    """A file of a million rows and twenty columns."""
    chance = np.random.default_rng(0)
    numbers = {f"number_{n:02d}": chance.normal(size=ROWS) for n in range(12)}
    texts = {
        f"text_{n}": np.array([f"level {i}" for i in range(20)])[chance.integers(0, 20, ROWS)]
        for n in range(8)
    }
    file = folder / "million.parquet"
    pl.DataFrame({**numbers, **texts}).write_parquet(file)
    return file


def add_dataset(home: Path, file: Path, name: str) -> None:
    """Register a file before the server starts."""
    command = Path(sys.executable).with_name("modelwright")
    subprocess.run(
        [str(command), "--home", str(home), "dataset", "add", str(file), "--name", name],
        check=True,
        capture_output=True,
    )


def measure(only: str | None, rounds: int) -> Figures:
    """All figures, or those of one part."""
    from playwright.sync_api import sync_playwright

    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="bench-canvas-") as scratch, sync_playwright() as made:
        folder = Path(scratch)
        if only in (None, "look"):
            add_dataset(folder / "home", million(folder), "A million rows")
        browser: Browser = made.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        with served(folder / "home") as address:
            context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
            context.add_init_script(CLOCK)
            page = context.new_page()
            page.set_default_timeout(30_000)
            page.goto(address)
            page.get_by_role("heading", name="Sample pipelines").wait_for()
            start = address.partition("/login")[0]
            if only in (None, "home"):
                figures |= home(context, start, rounds)
            if only in (None, "pan"):
                figures |= panned(page, 300)
                figures |= panned(page, 1000)
            if only in (None, "edit"):
                figures |= edited(page, rounds)
            if only in (None, "look"):
                figures |= looked(page, min(rounds, 3))
        browser.close()
    return figures


def reached(name: str, value: float) -> bool:
    """Whether a figure is as good as it must be."""
    sign, target = TARGETS[name]
    return value < target if sign == "<" else value >= target


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=["home", "pan", "edit", "look"])
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, len(ADDED) + 1))
    asked = parser.parse_args()
    if CHROMIUM is None:
        raise SystemExit("No chromium on this machine: install it, then measure again.")
    figures = measure(asked.only, asked.rounds)
    if asked.json:
        print(json.dumps({name: round(value, 1) for name, value in figures.items()}, indent=2))
        return
    print(f"{'figure':34} {'measured':>10}  {'must be':>9}")
    for name, value in figures.items():
        sign, target = TARGETS[name]
        verdict = "" if reached(name, value) else "  not reached"
        print(f"{name:34} {value:10.1f}  {sign + ' ' + format(target, 'g'):>9}{verdict}")


if __name__ == "__main__":
    main()
