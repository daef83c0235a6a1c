"""How fast part 2 feels in a browser, and whether the Monitoring page keeps its memory.

    python bench/studio.py                     conversion to draft, Deploy to notice, Test there and back
    python bench/studio.py --soak 60           the Monitoring page for so many minutes, a request a second

Prints one JSON document.  Needs chromium and a built studio (scripts/studio).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.journeys.part2 import Studio, load_on, round_trip, studio

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession

REPEATS = 5

FULL_AFTER_MIN = 5
TOLD_MIN = (1, 5, 15, 30, 60)


def speed(here: Studio) -> dict[str, Any]:
    """Milliseconds from a click to what it was for; medians."""
    page = here.page
    draft, _ = here.trained()
    conversions, deployments = [], []
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
    tests = [round_trip(page) / 1000 for _ in range(20)]
    return {
        "conversion_to_draft_ms": _median(conversions),
        "deploy_to_notice_ms": _median(deployments),
        "test_round_trip_ms": _median(tests),
    }


def soak(here: Studio, minutes: float) -> dict[str, Any]:
    """The heap and the DOM of the Monitoring page after each minute, at one request a second.

    What its charts keep fills up in the first five minutes, so memory is flat from there on or it leaks.
    """
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
    looks: list[Look] = []
    with load_on(url, key, {name: [row]}, pause_s=1.0, threads=1) as load:
        begun = time.monotonic()
        for minute in range(1, max(1, round(minutes)) + 1):
            page.wait_for_timeout(max(0.0, begun + minute * 60 - time.monotonic()) * 1000)
            looks.append(_look(session, minute))
            print(json.dumps(asdict(looks[-1])), file=sys.stderr, flush=True)  # it takes an hour
    full = [look for look in looks if look.minute >= FULL_AFTER_MIN] or looks
    return {
        "minutes": len(looks),
        "answered": load.answered,
        "failures": len(load.failures),
        "after": [asdict(look) for look in looks if look.minute in TOLD_MIN or look is looks[-1]],
        "heap_mb_most": max(look.heap_mb for look in full),
        "flat": full[-1].heap_mb <= full[0].heap_mb * 1.1 + 1
        and full[-1].dom_nodes <= full[0].dom_nodes * 1.1 + 50,
    }


@dataclass(frozen=True, slots=True)
class Look:
    """The memory of a page.  heap_mb: of JavaScript, after what is garbage was collected."""

    minute: int
    heap_mb: float
    dom_nodes: int
    listeners: int


def _look(session: CDPSession, minute: int) -> Look:
    # Twice, since what has a finaliser goes in the second round.
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return Look(
        minute,
        round(found["JSHeapUsedSize"] / 1e6, 2),
        int(found["Nodes"]),
        int(found["JSEventListeners"]),
    )


def _median(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1000, 1)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--soak", type=float, metavar="MINUTES")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder)) as here:
        found = soak(here, asked.soak) if asked.soak else speed(here)
    print(json.dumps(found, indent=2))  # the result


if __name__ == "__main__":
    main()
