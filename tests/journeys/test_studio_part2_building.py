"""Inference pipelines built by hand in a real browser: more inputs, stored values dragged in, batch."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.part2 import Studio, studio
from tests.journeys.studio import needs_browser
from tests.journeys.test_studio_designer import draw, node, wire

pytestmark = [needs_browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

MODEL = re.compile("^MD - .* - Train Model")
CLEANING = re.compile("^TD - .* - Clean Missing Data")


def saved(page: Page) -> None:
    """Wait until the draft is stored as it stands."""
    page.get_by_role("status").filter(has_text=re.compile("^Saved$")).first.wait_for()


def graph_of(here: Studio, draft: str) -> Any:
    """The graph of a draft as it is stored."""
    return here.ask(f"/api/drafts/{draft}")["graph"]


def test_several_inputs_and_outputs_have_names_of_their_own_and_all_answer(tmp_path: Path) -> None:
    with studio(tmp_path) as here:
        page = here.page
        _, run = here.trained()
        inference = here.converted(run)
        here.go(f"/drafts/{inference}")
        page.locator(".react-flow__node").first.wait_for()
        # A second way in, after the cleaning, and a second way out, before the scores.
        draw(page, "Web Service Input", (120, 330))
        page.locator(node(page, "Web Service Input")).nth(1).wait_for()
        draw(page, "Web Service Output", (120, 430))
        page.locator(node(page, "Web Service Output")).nth(1).wait_for()
        inputs = page.locator(node(page, "Web Service Input"))
        outputs = page.locator(node(page, "Web Service Output"))
        expect(inputs).to_have_count(2)
        expect(outputs).to_have_count(2)
        saved(page)
        names = {n["id"]: n["parameters"].get("name") for n in graph_of(here, inference)["nodes"]}
        assert names["web-service-input-2"] == "WebServiceInput1"
        assert names["web-service-output-2"] == "WebServiceOutput1"

        new_in = '.react-flow__node[data-id="web-service-input-2"]'
        new_out = '.react-flow__node[data-id="web-service-output-2"]'
        score = '.react-flow__node:has-text("Score Model")'
        clean = '.react-flow__node:has-text("Clean Missing Data"):has-text("Apply")'
        drag(page, f"{new_in} .source", f'{score} .target[aria-label="Dataset"]')
        drag(page, f"{clean} .source", f"{new_out} .target")
        expect(page.locator(".react-flow__edge")).to_have_count(8 + 1)
        saved(page)

        # The request has two tables, and so has the reply.
        made = here.ask("/api/endpoints", {"name": "two", "draft_id": inference})
        assert made["endpoint"]["state"] == "healthy"
        schema = here.ask("/api/endpoints/two/schema")
        assert {i["name"] for i in schema["inputs"]} == {"WebServiceInput0", "WebServiceInput1"}
        assert {o["name"] for o in schema["outputs"]} == {"WebServiceOutput0", "WebServiceOutput1"}
        here.go("/endpoints/two?tab=test")
        for name in ("WebServiceInput0", "WebServiceInput1"):
            page.get_by_role("region", name=name).or_(page.get_by_text(name)).first.wait_for()
        page.get_by_role("button", name="Send").click()
        for name in ("WebServiceOutput0", "WebServiceOutput1"):
            page.get_by_role("table", name=name).wait_for()

        # Two of one name are told, with the node.
        here.go(f"/drafts/{inference}")
        page.locator(new_in).click()
        page.get_by_label("Properties").get_by_label("Name", exact=True).fill("WebServiceInput0")
        page.get_by_role("tab", name=re.compile("Problems")).click()
        page.get_by_text('2 nodes of this kind have the name "WebServiceInput0".').first.wait_for()


def drag(page: Page, source: str, target: str) -> None:
    """Draw a wire from port to port, and drop it when the input says that it takes it."""
    start, end = (page.locator(one).first.bounding_box() for one in (source, target))
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.locator(f"{source}:hover").first.wait_for()
    page.mouse.down()
    x, y = end["x"] + end["width"] / 2, end["y"] + end["height"] / 2
    page.mouse.move(x + 25, y - 25, steps=5)
    page.mouse.move(x, y, steps=5)
    page.locator(f"{target}.valid").first.wait_for()
    page.mouse.up()


def test_a_model_and_a_transformation_dragged_from_the_palette_score_in_a_pipeline_drawn_by_hand(
    tmp_path: Path,
) -> None:
    with studio(tmp_path) as here:
        page = here.page
        training, run = here.trained()
        here.converted(run)
        # A fresh pipeline of only what is in the palette.
        draft = here.ask("/api/drafts", {"name": "By hand"})["id"]
        here.go(f"/drafts/{draft}")
        page.locator(".react-flow__pane").wait_for()
        for title, at in {
            "Automobile price data (Raw)": (40, 40),
            "Web Service Input": (300, 40),
            "Select Columns in Dataset": (560, 40),
            "Apply Transformation": (300, 170),
            "Score Model": (300, 300),
            "Web Service Output": (560, 300),
        }.items():
            draw(page, title, at)
        canvas = page.locator(".react-flow__pane")
        palette = page.get_by_role("complementary", name="Components")
        for name, place in ((CLEANING, (40, 170)), (MODEL, (40, 300))):
            entry = palette.get_by_role("button", name=name)
            entry.drag_to(canvas, target_position={"x": place[0], "y": place[1]})
        page.locator(node(page, "Saved Model")).wait_for()
        page.locator(node(page, "Saved Transformation")).wait_for()
        for ends in (
            ("Automobile price data (Raw)", "Dataset", "Select Columns", "Dataset"),
            ("Web Service Input", "Web service input", "Select Columns", "Dataset"),
            ("Select Columns", "Results dataset", "Apply Transformation", "Dataset"),
            ("Saved Transformation", "Transformation", "Apply Transformation", "Transformation"),
            ("Apply Transformation", "Transformed dataset", "Score Model", "Dataset"),
            ("Saved Model", "Trained model", "Score Model", "Trained model"),
            ("Score Model", "Scored dataset", "Web Service Output", "Web service output"),
        ):
            wire(page, *ends)
        expect(page.locator(".react-flow__edge")).to_have_count(7)
        page.locator(node(page, "Select Columns")).click()
        page.get_by_role("button", name=re.compile("columns are selected|Edit columns")).click()
        page.get_by_text("With rules").click()
        page.get_by_role("combobox", name="Begin with").click()
        page.get_by_role("option", name="All columns").click()
        page.get_by_role("button", name="Add a rule").click()
        page.get_by_label("Exclude names").first.fill("normalized-losses")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("tab", name=re.compile("Problems")).click()
        page.get_by_text("No problems").wait_for()
        saved(page)

        # It answers as the pipeline that the conversion made.
        here.ask("/api/endpoints", {"name": "cars", "draft_id": draft})
        by_hand = score(here, "cars")
        here.ask("/api/endpoints", {"name": "made", "draft_id": here.converted(run)})
        assert by_hand == pytest.approx(score(here, "made"), rel=1e-12)
        # The pages of both name the draft as one that uses them.
        here.go("/models")
        page.get_by_role("link", name=MODEL).click()
        page.get_by_role("tab", name=re.compile("Used in")).click()
        page.get_by_role("link", name="By hand").wait_for()
        assert training


def score(here: Studio, endpoint: str, changed: Mapping[str, Any] | None = None) -> float:
    """What an endpoint answers to the first row of the cars, asked as a client does."""
    key = here.ask(f"/api/endpoints/{endpoint}/keys")["primary"]
    name, row = here.sample(endpoint)
    request = urllib.request.Request(
        here.ask(f"/api/endpoints/{endpoint}")["scoring_url"],
        json.dumps({"Inputs": {name: [{"price": None, **row, **(changed or {})}]}}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        (scored,) = json.loads(reply.read())["Results"]["WebServiceOutput0"]
    return float(scored["Scored Labels"])


def test_a_batch_inference_pipeline_scores_a_whole_data_set_when_it_is_run(tmp_path: Path) -> None:
    with studio(tmp_path) as here:
        page = here.page
        draft, _ = here.trained()
        here.go(f"/drafts/{draft}")
        page.get_by_role("button", name="Create inference pipeline").click()
        page.get_by_role("menuitem", name="Batch inference pipeline").click()
        page.locator(node(page, "MD - Train Model")).wait_for()
        expect(page.locator(node(page, "Web Service"))).to_have_count(0)
        expect(page.locator(node(page, "Linear Regression"))).to_have_count(0)
        # It is not for an endpoint.
        expect(page.get_by_role("button", name="Deploy", exact=True)).to_have_count(0)
        page.get_by_role("button", name="Run", exact=True).click()
        page.locator(node(page, "Score Model")).click()
        page.get_by_role("tab", name="Results").click()
        results = page.get_by_role("tabpanel", name="Results")
        # Every row that lacks nothing but its price, not only those that were held out.
        expect(results).to_contain_text("197 rows \u00d7 26 columns")
        batch = re.search(r"/drafts/([^/?]+)", page.url)
        assert batch is not None
        (run,) = here.ask(f"/api/runs?draft_id={batch[1]}")["items"]
        steps = {s["node"]: s for s in here.ask(f"/api/runs/{run['id']}")["steps"]}
        scored = steps["score-model"]["outputs"]["scored_dataset"]
        rows = here.ask(
            f"/api/artifacts/{scored['digest']}/rows",
            {"offset": 0, "limit": 197, "columns": ["Scored Labels"], "sort": [], "filters": []},
        )["rows"]
        assert len(rows) == 197
        assert all(3_000 < price < 50_000 for (price,) in rows)


def test_a_transformation_registered_by_hand_takes_the_place_of_the_one_that_was_converted(
    tmp_path: Path,
) -> None:
    with studio(tmp_path) as here:
        page = here.page
        training, run = here.trained()
        inference = here.converted(run)
        later = here.retrained(training, run)
        here.go(f"/runs/{later['id']}")
        steps = page.get_by_role("tabpanel", name="Steps")
        steps.get_by_role("button", name="Clean Missing Data").click()
        page.get_by_role("button", name="Cleaning transformation").click()
        page.get_by_role("button", name="Register", exact=True).click()
        page.get_by_label("Name", exact=True).fill("Gaps filled")
        # A request does not bring what is predicted, which this was fitted on as well.
        page.get_by_role("combobox", name="Columns that requests lack").fill("price")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Register", exact=True).last.click()
        page.get_by_text(re.compile("Gaps filled.*version 1")).wait_for()

        here.go(f"/drafts/{inference}")
        page.locator(node(page, "TD - Clean Missing Data")).click()
        page.keyboard.press("Delete")
        expect(page.locator(node(page, "TD - Clean Missing Data"))).to_have_count(0)
        draw(page, "Gaps filled", (120, 120))
        new = '.react-flow__node:has-text("Gaps filled")'
        drag(
            page,
            f"{new} .source",
            '.react-flow__node:has-text("Apply Transformation") .target[aria-label="Transformation"]',
        )
        expect(page.locator(".react-flow__edge")).to_have_count(7)
        saved(page)
        here.ask("/api/endpoints", {"name": "cars", "draft_id": inference})
        # The converted one removes a row that lacks a number of doors; this one fills the gap.
        assert 3_000 < score(here, "cars", {"num-of-doors": None}) < 50_000
