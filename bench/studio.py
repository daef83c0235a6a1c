"""How fast part 2 feels in a browser, and whether the Monitoring page keeps its memory.

    python bench/studio.py                     conversion to draft, Deploy to notice, Test there and back
    python bench/studio.py --soak 3600         the Monitoring page under load for so many seconds

Prints one JSON document.  Needs chromium and a built studio (scripts/studio).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.journeys.part2 import Studio, load_on, studio

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession

REPEATS = 5


def speed(here: Studio) -> dict[str, Any]:
    """Milliseconds from a click to what it was for; medians."""
    page = here.page
    draft, _ = here.trained()
    conversions, deployments, tests = [], [], []
    for number in range(REPEATS):
        here.go(f"/drafts/{draft}")
        page.get_by_role("button", name="inference pipeline").click()
        entry = page.get_by_role("menuitem", name="Real-time inference pipeline")
        entry.wait_for()
        begun = time.perf_counter()
        entry.click()
        page.locator('.react-flow__node:has-text("Web Service Input")').wait_for()
        conversions.append(time.perf_counter() - begun)
        page.get_by_role("button", name="Deploy", exact=True).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Endpoint name").fill(f"cars-{number}")
        dialog.get_by_text("What will happen").wait_for()
        begun = time.perf_counter()
        dialog.get_by_role("button", name="Deploy", exact=True).click()
        page.get_by_role("status").filter(has_text="is deployed and answers").wait_for()
        deployments.append(time.perf_counter() - begun)
    here.go("/endpoints/cars-0?tab=test")
    for _ in range(20):
        page.get_by_role("button", name="Send").click()
        page.wait_for_timeout(150)
        took = page.locator("[data-round-trip]").get_attribute("data-round-trip")
        tests.append(float(took or "inf") / 1000)
    return {
        "conversion_to_draft_ms": _median(conversions),
        "deploy_to_notice_ms": _median(deployments),
        "test_round_trip_ms": _median(tests),
    }


def soak(here: Studio, seconds: float) -> dict[str, Any]:
    """The heap and the DOM of the Monitoring page at the beginning and at the end, under load."""
    page = here.page
    _, run = here.trained()
    here.ask("/api/endpoints", {"name": "cars", "draft_id": here.converted(run)})
    name, row = here.sample("cars")
    key = here.ask("/api/endpoints/cars/keys")["primary"]
    url = here.ask("/api/endpoints/cars")["scoring_url"]
    here.go("/endpoints/cars?tab=monitoring")
    page.get_by_text("Live, every second").wait_for()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    looks: list[dict[str, float]] = []
    with load_on(url, key, {name: [row]}) as load:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            page.wait_for_timeout(min(10_000, 1000 * max(seconds / 12, 1)))
            looks.append(_memory(session))
    # What the chart keeps fills up in the first five minutes, so later thirds are compared.
    third = max(len(looks) // 3, 1)
    early, late = looks[third : 2 * third] or looks[:third], looks[-third:]
    heap = [statistics.median(look["heap_mb"] for look in part) for part in (early, late)]
    nodes = [statistics.median(look["nodes"] for look in part) for part in (early, late)]
    return {
        "seconds": seconds,
        "answered": load.answered,
        "failures": len(load.failures),
        "heap_mb_middle_third": round(heap[0], 2),
        "heap_mb_last_third": round(heap[1], 2),
        "dom_nodes_middle_third": nodes[0],
        "dom_nodes_last_third": nodes[1],
        "flat": heap[1] <= heap[0] * 1.15 + 1 and nodes[1] <= nodes[0] * 1.1 + 50,
    }


def _memory(session: CDPSession) -> dict[str, float]:
    session.send("HeapProfiler.collectGarbage")
    found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return {"heap_mb": found["JSHeapUsedSize"] / 1e6, "nodes": found["Nodes"]}


def _median(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1000, 1)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--soak", type=float, metavar="SECONDS")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder)) as here:
        found = soak(here, asked.soak) if asked.soak else speed(here)
    print(json.dumps(found, indent=2))  # the result


if __name__ == "__main__":
    main()
