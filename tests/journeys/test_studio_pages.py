"""The pages beside the designer in a real browser: data sets, and runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.journeys.studio import needs_browser, opened, served

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [needs_browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

RAGGED = """make;price;doors
audi;12500,50;4
bmw;18200,00
volvo;unknown;4
saab;9800,25;4;left over
audi;14100,75;2
"""


def cells(page: Page, column: str) -> list[str]:
    """What the profile says of a column: type, spread, missing, different, least, mean, most."""
    row = page.get_by_role("row", name=re.compile(f"^{column} "))
    row.wait_for()
    return row.get_by_role("cell").all_inner_texts()


def preview(page: Page) -> Locator:
    return page.get_by_role("table", name="First rows")


def test_a_ragged_file_is_uploaded_its_reading_mended_and_registered(tmp_path: Path) -> None:
    file = tmp_path / "used_cars.csv"
    file.write_text(RAGGED, encoding="utf-8")
    with served(tmp_path / "home") as address, opened(address) as page:
        page.get_by_role("link", name="Data", exact=True).click()
        page.get_by_text("Automobile price data (Raw)").wait_for()
        page.locator("input[aria-label='Choose a file']").set_input_files(file)

        page.get_by_text(re.compile("line 3 has 2, line 5 has 4")).wait_for()
        register = page.get_by_role("button", name="Register")
        assert register.is_disabled()
        page.get_by_role("button", name="Fill up short rows").click()
        price = page.get_by_role("combobox", name="Type of price")
        assert price.input_value() == "String"

        page.get_by_role("combobox", name="Read as missing").fill("unknown")
        page.keyboard.press("Enter")
        page.get_by_role("group", name="Decimal mark").get_by_text("Comma").click()
        preview(page).get_by_role("cell", name="12500.5").wait_for()
        assert price.input_value() == "Double"

        page.get_by_label("Name of the data set").fill("Used cars")
        register.click()
        page.get_by_role("heading", name="Used cars").wait_for()
        page.get_by_text(re.compile("5 rows . 3 columns")).wait_for()
        assert cells(page, "price")[0] == "Double"
        assert cells(page, "price")[2:4] == ["1", "4"]
        assert cells(page, "doors")[2] == "1"

        page.get_by_role("tab", name="Rows").click()
        page.get_by_role("button", name="Show what is in make").click()
        about = page.get_by_role("complementary", name="About make")
        about.get_by_role("listitem").filter(has_text="audi").get_by_text("2").wait_for()


def test_a_deleted_data_set_is_brought_back_with_one_click(tmp_path: Path) -> None:
    file = tmp_path / "cars.csv"
    file.write_text("make,doors\naudi,4\nbmw,2\n", encoding="utf-8")
    with served(tmp_path / "home") as address, opened(address) as page:
        page.get_by_role("link", name="Data", exact=True).click()
        page.locator("input[aria-label='Choose a file']").set_input_files(file)
        preview(page).get_by_role("cell", name="audi").wait_for()
        page.get_by_role("button", name="Register").click()
        page.get_by_role("heading", name="cars").wait_for()
        page.get_by_role("button", name="Delete").click()
        link = page.get_by_role("link", name="cars", exact=True)
        link.wait_for(state="detached")
        page.get_by_role("button", name="Undo").click()
        link.wait_for()


def test_a_data_set_that_a_pipeline_uses_is_deleted_only_anyway(tmp_path: Path) -> None:
    with served(tmp_path) as address, opened(address) as page:
        page.get_by_role("button", name=re.compile("Price Prediction .Basic.")).click()
        page.locator(".react-flow__node").first.wait_for()
        page.get_by_role("link", name="Data", exact=True).click()
        link = page.get_by_role("link", name="Automobile price data (Raw)", exact=True)
        link.click()
        page.get_by_role("button", name="Delete", exact=True).click()
        refused = page.get_by_role("alert").filter(has_text="It is in use")
        refused.wait_for()
        page.get_by_role("tab", name="Used in (1)").click()
        page.get_by_role("tabpanel").get_by_role("link").wait_for()
        refused.get_by_role("button", name="Delete anyway").click()
        page.get_by_role("heading", name="Data", exact=True).wait_for()
        link.wait_for(state="detached")


def test_a_run_shows_its_steps_what_was_learnt_and_how_well(tmp_path: Path) -> None:
    with served(tmp_path) as address, opened(address) as page:
        page.get_by_role("button", name=re.compile("Price Prediction .Basic.")).click()
        page.locator('.react-flow__node:has-text("Evaluate Model")').click()
        page.get_by_role("combobox", name="Group by column").fill("fuel-type")
        page.get_by_role("combobox", name="Group by column").blur()
        page.get_by_role("button", name="Run", exact=True).click()
        page.locator('.react-flow__node:has-text("Evaluate Model") :text("Done")').wait_for(
            timeout=60_000
        )
        page.get_by_role("link", name="Runs", exact=True).click()
        page.get_by_role("link", name=re.compile("^run-")).click()
        page.get_by_role("button", name="Train Model", exact=True).click()
        page.get_by_role("row", name=re.compile("num-of-cylinders")).first.wait_for()

        page.get_by_role("tab", name="Steps").click()
        page.get_by_role("button", name="Evaluate Model", exact=True).click()
        page.get_by_role("row", name=re.compile("^Coefficient of Determination")).wait_for()
        page.locator("figure:has-text('Predicted against actual') svg").wait_for()
        groups = page.get_by_role("table", name="By the value of fuel-type")
        first = groups.get_by_role("rowheader")
        assert first.all_text_contents() == ["All rows", "diesel", "gas"]
        groups.get_by_role("button", name="Rows", exact=True).click()
        assert first.all_text_contents() == ["All rows", "gas", "diesel"]
        page.locator("figure:has-text('Mean Absolute Error by fuel-type') svg").wait_for()

        page.get_by_role("button", name="Clone into a pipeline").click()
        page.wait_for_url("**/drafts/*")
        page.locator('.react-flow__node:has-text("Evaluate Model")').wait_for()

        page.get_by_role("link", name="Runs", exact=True).click()
        page.get_by_role("link", name=re.compile("^run-")).click()
        page.get_by_role("button", name="Delete", exact=True).click()
        asked = page.get_by_role("dialog")
        asked.get_by_role("button", name="Cancel").click()
        asked.wait_for(state="detached")
        page.get_by_role("button", name="Delete", exact=True).click()
        asked.get_by_role("button", name="Delete", exact=True).click()
        asked.get_by_role("alert").filter(has_text="It is in use").wait_for()
        asked.get_by_role("button", name="Delete anyway").click()
        page.wait_for_url("**/runs")
        page.get_by_role("link", name=re.compile("^run-")).wait_for(state="detached")
