"""The designer in a real browser: part 1 of the tutorial drawn by hand, and what must not be lost."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.journeys.studio import needs_browser, opened, served

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [needs_browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

STEPS = {
    "Automobile price data (Raw)": (40, 70),
    "Select Columns in Dataset": (310, 70),
    "Clean Missing Data": (580, 70),
    "Linear Regression": (40, 190),
    "Split Data": (580, 190),
    "Train Model": (40, 310),
    "Score Model": (310, 310),
    "Evaluate Model": (310, 425),
}
WIRES = [
    ("Automobile price data (Raw)", "Dataset", "Select Columns in Dataset", "Dataset"),
    ("Select Columns in Dataset", "Results dataset", "Clean Missing Data", "Dataset"),
    ("Clean Missing Data", "Cleaned dataset", "Split Data", "Dataset"),
    ("Linear Regression", "Untrained model", "Train Model", "Untrained model"),
    ("Split Data", "Results dataset1", "Train Model", "Dataset"),
    ("Train Model", "Trained model", "Score Model", "Trained model"),
    ("Split Data", "Results dataset2", "Score Model", "Dataset"),
    ("Score Model", "Scored dataset", "Evaluate Model", "Scored dataset"),
]


def node(page: Page, title: str) -> str:
    return f'.react-flow__node:has-text("{title}")'


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def draw(page: Page, title: str, at: tuple[int, int]) -> None:
    """Drag an entry of the palette onto the canvas."""
    entry = page.get_by_role("button", name=title, exact=True).first
    canvas = page.locator(".react-flow__pane")
    entry.drag_to(canvas, target_position={"x": at[0], "y": at[1]})


def wire(page: Page, source: str, out: str, target: str, into: str) -> None:
    """Drag from an output to an input, and drop when the input says that it takes the wire."""
    x, y = middle(page, f'{node(page, source)} .react-flow__handle.source[aria-label="{out}"]')
    end = f'{node(page, target)} .react-flow__handle.target[aria-label="{into}"]'
    to_x, to_y = middle(page, end)
    page.mouse.move(x, y)
    # The canvas takes a press on a port for a wire once it has seen the pointer there.
    page.wait_for_timeout(150)
    page.mouse.down()
    page.mouse.move((x + to_x) / 2, (y + to_y) / 2, steps=4)
    page.mouse.move(to_x, to_y, steps=6)
    page.locator(f"{end}.valid").wait_for()
    page.mouse.up()


def fraction(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Fraction of rows in the first output dataset")


def comment(page: Page, words: str) -> None:
    """Write a comment and wait until the draft is saved with it."""
    with page.expect_response(lambda r: r.request.method == "PUT" and r.ok):
        page.get_by_label("Comment").fill(words)


def test_part_one_of_the_tutorial_is_drawn_run_and_looked_at_by_mouse(tmp_path: Path) -> None:
    with served(tmp_path) as address, opened(address) as page:
        page.get_by_role("button", name="New pipeline").click()
        page.locator(".react-flow__pane").wait_for()
        for title, at in STEPS.items():
            draw(page, title, at)
        page.locator(".react-flow__pane").click(position={"x": 200, "y": 20})
        page.get_by_label("Properties").get_by_text("Select a node").wait_for()
        for count, ends in enumerate(WIRES, start=1):
            wire(page, *ends)
            page.locator(".react-flow__edge").nth(count - 1).wait_for(state="attached")

        page.locator(node(page, "Select Columns in Dataset")).click()
        page.get_by_role("button", name=re.compile("columns are selected|Edit columns")).click()
        page.get_by_text("With rules").click()
        page.get_by_role("combobox", name="Begin with").click()
        page.get_by_role("option", name="All columns").click()
        page.get_by_role("button", name="Add a rule").click()
        page.get_by_label("Exclude names").first.fill("normalized-losses")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.get_by_text("25 columns are selected").wait_for()
        page.get_by_role("button", name="Save").click()

        page.locator(node(page, "Clean Missing Data")).click()
        page.get_by_role("button", name=re.compile("columns are selected|Edit columns")).click()
        page.get_by_text("By name", exact=True).click()
        page.get_by_role("button", name="Add all").click()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("combobox", name="Cleaning mode").click()
        page.get_by_role("option", name="Remove entire row").click()

        page.locator(node(page, "Split Data")).click()
        fraction(page).fill("0.7")
        page.locator(node(page, "Train Model")).click()
        page.get_by_role("combobox", name="Label column").fill("price")
        page.get_by_role("tab", name="Problems").click()
        page.get_by_text("No problems").wait_for()

        page.get_by_role("button", name="Run", exact=True).click()
        done = page.locator('.react-flow__node:has-text("Evaluate Model") :text("Done")')
        done.wait_for(timeout=60_000)
        page.locator(node(page, "Score Model")).click()
        page.get_by_role("tab", name="Results").click()
        page.get_by_text(re.compile("58 rows . 26 columns")).wait_for()
        page.get_by_role("columnheader", name=re.compile("symboling")).wait_for()
        page.get_by_role("tab", name="Figures").click()
        page.get_by_text("Coefficient of Determination").wait_for()


def test_what_was_drawn_survives_a_reload_and_deleting_can_be_undone(tmp_path: Path) -> None:
    with served(tmp_path) as address, opened(address) as page:
        page.get_by_role("button", name=re.compile("Price Prediction .Basic.")).click()
        page.locator(".react-flow__node").nth(7).wait_for()
        page.locator(node(page, "Split Data")).click()
        page.keyboard.press("Delete")
        page.get_by_text("2 problems").wait_for()
        page.keyboard.press("Control+z")
        page.locator(node(page, "Split Data")).wait_for()
        page.locator(node(page, "Clean Missing Data")).click()
        comment(page, "No gaps")
        page.reload()
        page.locator(node(page, "No gaps")).wait_for()
        assert page.locator(".react-flow__node").count() == 8
        assert page.locator(".react-flow__edge").count() == 8
        # What was done before the reload is undone after it, and done again.
        page.locator(".react-flow__pane").click(position={"x": 20, "y": 20})
        page.keyboard.press("Control+z")
        page.locator(node(page, "No gaps")).wait_for(state="detached")
        page.keyboard.press("Control+Shift+z")
        page.locator(node(page, "No gaps")).wait_for()


def test_a_failing_setting_is_shown_on_its_node_and_mended_by_its_button(tmp_path: Path) -> None:
    with served(tmp_path) as address, opened(address) as page:
        page.get_by_role("button", name=re.compile("Price Prediction .Basic.")).click()
        page.locator(node(page, "Split Data")).click()
        fraction(page).fill("3")
        page.get_by_role("tab", name="Problems").click()
        page.get_by_role("button", name="Reset to the default").click()
        page.get_by_text("No problems").wait_for()


def test_two_windows_on_one_draft_lose_nothing_silently(tmp_path: Path) -> None:
    with served(tmp_path) as address, opened(address) as page:
        page.get_by_role("button", name=re.compile("Price Prediction .Basic.")).click()
        page.locator(node(page, "Split Data")).wait_for()
        other = page.context.new_page()
        other.goto(page.url)
        other.locator(node(other, "Split Data")).click()
        comment(other, "theirs")
        page.locator(node(page, "Score Model")).click()
        page.get_by_label("Comment").fill("mine")
        page.get_by_role("dialog", name="Someone else changed this pipeline").wait_for()
        with page.expect_response(lambda r: r.request.method == "PUT" and r.ok):
            page.get_by_role("button", name="Keep mine").click()
        page.reload()
        page.locator(node(page, "mine")).wait_for()


def test_the_whole_studio_speaks_french(tmp_path: Path) -> None:
    with served(tmp_path) as address, opened(address, locale="fr-FR") as page:
        page.get_by_role("button", name="Nouveau pipeline").wait_for()
        page.get_by_role("button", name=re.compile("Price Prediction .Basic.")).click()
        page.locator(node(page, "Split Data")).click()
        page.get_by_text("Propriétés").or_(page.get_by_text("Commentaire")).first.wait_for()
        page.get_by_role("button", name="Exécuter", exact=True).wait_for()
