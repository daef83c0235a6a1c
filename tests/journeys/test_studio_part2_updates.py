"""After a later training run, in a real browser: update, canary, rollback; and every page is fit for all."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.part2 import Studio, load_on, studio
from tests.journeys.studio import needs_browser

pytestmark = [needs_browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

AXE = Path(__file__).parents[2] / "studio" / "node_modules" / "axe-core" / "axe.min.js"


def answer(here: Studio, row: dict[str, Any]) -> Any:
    """What the endpoint answers to a row, asked as a client does."""
    key = here.ask("/api/endpoints/cars/keys")["primary"]
    url = here.ask("/api/endpoints/cars")["scoring_url"]
    name, _ = here.sample("cars")
    request = urllib.request.Request(
        url,
        json.dumps({"Inputs": {name: [row]}}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.loads(reply.read())


def test_an_update_brings_the_changed_transformation_to_the_endpoint_and_a_rollback_the_former(
    tmp_path: Path,
) -> None:
    with studio(tmp_path) as here:
        page = here.page
        training, run = here.trained()
        inference = here.converted(run)
        here.ask("/api/endpoints", {"name": "cars", "draft_id": inference})
        _, row = here.sample("cars")
        # The first pipeline removes rows with a gap, so there is no score for this one.
        gap = {**row, "num-of-doors": None}
        assert answer(here, gap)["Results"]["WebServiceOutput0"] == []

        here.retrained(training, run)
        here.go("/endpoints/cars")
        moved = page.get_by_role("status").filter(has_text="Its training pipeline has moved on")
        moved.get_by_role("link", name="Update").click()
        # Parameters and figures, old and new, before it is taken.
        page.get_by_role(
            "row", name="Clean Missing Data mode Remove entire row Replace with mode"
        ).wait_for()
        page.get_by_role(
            "row", name=re.compile("^Mean Absolute Error [0-9.,]+ [0-9.,]+")
        ).wait_for()
        page.get_by_role("row", name="MD - Train Model Model New").wait_for()
        page.get_by_role("row", name="TD - Clean Missing Data Transformation New").wait_for()
        page.get_by_role("button", name="Take the update").click()
        page.get_by_text("The inference pipeline is up to date.").wait_for()

        here.go("/endpoints/cars")
        ahead = page.get_by_role("status").filter(
            has_text="Its inference pipeline has been updated"
        )
        ahead.get_by_role("link", name="Deploy").click()
        dialog = page.get_by_role("dialog", name="Deploy to a real-time endpoint")
        expect(dialog.get_by_role("combobox", name="Endpoint")).to_have_value("cars")
        key = here.ask("/api/endpoints/cars/keys")["primary"]
        url = here.ask("/api/endpoints/cars")["scoring_url"]
        name, _ = here.sample("cars")
        with load_on(url, key, {name: [row]}) as load:
            # First as a canary, beside what is served.
            dialog.get_by_role("combobox", name="Part in its traffic").click()
            page.get_by_role("option", name=re.compile("^Beside it")).click()
            dialog.get_by_label("Percent of the requests").fill("30")
            dialog.get_by_role("button", name="Deploy", exact=True).click()
            above = page.get_by_role("status").filter(has_text="cars is deployed and answers.")
            above.get_by_role("link", name="Open the endpoint").click()
            second = page.get_by_role("textbox", name="Traffic of deployment 2")
            expect(second).to_have_value("30 %")
            seen = [bool(answer(here, gap)["Results"]["WebServiceOutput0"]) for _ in range(60)]
            assert set(seen) == {True, False}

            # All requests to it: the new transformation fills the gap.
            page.get_by_role("button", name="Actions for deployment 2").click()
            page.get_by_role("menuitem", name="Give it all requests").click()
            expect(second).to_have_value("100 %")
            (scored,) = answer(here, gap)["Results"]["WebServiceOutput0"]
            assert scored["num-of-doors"] == "four"
            assert scored["Scored Labels"] > 0

            page.get_by_role("button", name="Roll back").click()
            first = page.get_by_role("textbox", name="Traffic of deployment 1")
            expect(first).to_have_value("100 %")
            assert answer(here, gap)["Results"]["WebServiceOutput0"] == []
        assert load.failures == []
        assert load.answered > 50


def test_edits_by_hand_are_kept_by_an_update_and_clashes_are_decided(tmp_path: Path) -> None:
    with studio(tmp_path) as here:
        page = here.page
        training, run = here.trained()
        inference = here.converted(run)
        # By hand: another comment, and replies with fewer columns.
        commented(here, inference, "mine")
        here.go(f"/drafts/{inference}")
        page.get_by_role("button", name="Inference pipeline").click()
        page.get_by_role("menuitem", name="Request and reply").click()
        dialog = page.get_by_role("dialog", name="Request and reply")
        with page.expect_response(lambda r: r.request.method == "PUT" and r.ok):
            dialog.get_by_text("Predictions only").click()
        # The training pipeline gets another comment at the same place, and learns otherwise.
        graph = commented(here, training, "theirs")
        here.retrained(training, {"graph": graph})

        here.go(f"/drafts/{inference}/update")
        kept = page.get_by_role("region", name="Edited by hand, and kept")
        expect(kept).to_contain_text("columns")
        clashes = page.get_by_role("region", name="Edited by hand, and changed by the new run")
        row = clashes.get_by_role("row")
        expect(row).to_have_count(1)
        expect(row).to_contain_text(re.compile("mine.*theirs"))
        row.get_by_text(re.compile("^The new run")).click()
        page.get_by_role("button", name="Take the update").click()
        page.get_by_text("The inference pipeline is up to date.").wait_for()
        nodes = {n["id"]: n for n in here.ask(f"/api/drafts/{inference}")["graph"]["nodes"]}
        assert nodes[SELECT]["comment"] == "theirs"
        assert nodes["web-service-output"]["parameters"]["columns"] == {
            "begin": "none",
            "rules": [{"rule": "include", "roles": ["Scores"]}],
        }


SELECT = "select-columns"


def commented(here: Studio, draft_id: str, comment: str) -> Any:
    """The graph of a draft after another comment was written at the chosen columns."""
    draft = here.ask(f"/api/drafts/{draft_id}")
    (node,) = (one for one in draft["graph"]["nodes"] if one["id"] == SELECT)
    node["comment"] = comment
    body = {name: draft[name] for name in ("revision", "graph", "layout")}
    return here.ask(f"/api/drafts/{draft_id}", body, method="PUT")["graph"]


def loaded(page: Page) -> None:
    """Wait until nothing on the page is waited for, and nothing on it moves any more.

    Live pages never fall silent, so that the network's silence cannot be waited for.
    """
    page.wait_for_function(
        """() => document.querySelector("main h1, main .react-flow__node, [role=dialog]")
            && !document.querySelector(".mantine-Loader-root")
            && document.getAnimations().every((one) => one.playState !== "running")"""
    )


def faults(page: Page) -> list[str]:
    """What a checker of accessibility finds that keeps someone from using the page."""
    # A colour half-way from one state to another is nobody's choice.
    page.add_style_tag(content="*, *::before, *::after { transition: none !important }")
    page.evaluate(
        "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
    )
    # Not as a script of the page, which its policy forbids.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
            .filter((one) => ["critical", "serious"].includes(one.impact))
            .map((one) => `${one.id}: ${one.nodes.map((n) => n.html.slice(0, 160)).join(" | ")}`)"""
    )
    return [str(one) for one in found]


@pytest.mark.skipif(not AXE.exists(), reason="the studio's packages are not installed")
@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_every_page_of_part_two_can_be_used_by_all(tmp_path: Path, locale: str) -> None:
    with studio(tmp_path, locale=locale) as here:
        page = here.page
        training, run = here.trained()
        inference = here.converted(run)
        here.ask("/api/endpoints", {"name": "cars", "draft_id": inference})
        here.retrained(training, run)
        model = here.ask("/api/models")["items"][0]["name"]
        found: dict[str, list[str]] = {}
        for path in (
            f"/drafts/{inference}",
            f"/drafts/{inference}?deploy",
            f"/drafts/{inference}/conversion",
            f"/drafts/{inference}/update",
            "/endpoints",
            "/endpoints/cars",
            "/endpoints/cars?tab=test",
            "/endpoints/cars?tab=consume",
            "/endpoints/cars?tab=log",
            "/endpoints/cars?tab=monitoring",
            "/models",
            f"/models/{model}",
            "/transformations",
            "/compute",
            "/compute?tab=inference",
            "/clean-up",
        ):
            here.go(path)
            page.get_by_role("main").wait_for()
            loaded(page)
            if problems := faults(page):
                found[path] = problems
        assert found == {}
