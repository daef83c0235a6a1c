"""Every page of the studio for those who use no mouse or no eyes: checked by rules, and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.studio import needs_browser, opened, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

RULES = Path(__file__).parents[2] / "studio" / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = [needs_browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

SAMPLE = re.compile("Price Prediction .Basic.")


def violations(page: Page) -> list[str]:
    """What is critical or serious by axe's rules, with the elements it is about."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(RULES.read_text(encoding="utf-8") + "; undefined")
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations)"
    )
    return [
        f"{fault['id']}: {node['html'][:140]}"
        for fault in found
        if fault["impact"] in ("critical", "serious")
        for node in fault["nodes"]
    ]


def go(path: str, sign: str) -> Callable[[Page], None]:
    """A page by its address, and what is there once it is drawn."""

    def act(page: Page) -> None:
        page.goto(f"{re.match('https?://[^/]+', page.url)[0]}{path}")  # type: ignore[index]
        page.get_by_role("main").get_by_text(sign).first.wait_for()

    return act


def run_sample(page: Page) -> str:
    """Open the tutorial, run it, and tell the address of its draft."""
    page.get_by_role("button", name=SAMPLE).click()
    page.locator(".react-flow__node").first.wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator('.react-flow__node:has-text("Evaluate Model") :text("Done")').wait_for(
        timeout=60_000
    )
    # The last step is done a moment before the run is over.
    page.get_by_role("button", name="Stop").wait_for(state="detached")
    return page.url


def select(title: str, sign: str) -> Callable[[Page], None]:
    """Choose a node, and wait for what its results show."""

    def act(page: Page) -> None:
        page.locator(f'.react-flow__node:has-text("{title}")').click()
        page.get_by_label("Results", exact=True).get_by_text(sign).first.wait_for()

    return act


def press(keys: str, sign: str) -> Callable[[Page], None]:
    """Press keys, and wait for the dialog they open."""

    def act(page: Page) -> None:
        page.keyboard.press(keys)
        page.get_by_role("dialog", name=sign).wait_for()
        page.wait_for_timeout(300)

    return act


def columns_dialog(page: Page) -> None:
    """Open the selector of columns."""
    page.locator('.react-flow__node:has-text("Select Columns")').click()
    page.get_by_role("button", name="columns are selected").click()
    page.get_by_role("dialog", name="Select columns").get_by_text("Begin with").wait_for()


def closed(page: Page) -> None:
    """Leave the dialog that is open."""
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")


@pytest.mark.skipif(not RULES.exists(), reason="AXE SKIPPED: run scripts/studio, which installs it")
def test_no_page_has_a_serious_violation_in_light_or_dark(tmp_path: Path) -> None:
    with served(tmp_path) as address, opened(address) as page:
        page.get_by_role("button", name=SAMPLE).wait_for()
        steps: dict[str, Callable[[Page], object]] = {
            "home": lambda _: None,
            "draft": run_sample,
            "table": select("Score Model", "rows"),
            "figures": select("Evaluate Model", "Coefficient of Determination"),
            "shortcuts": press("?", "Keyboard shortcuts"),
            "no shortcuts": closed,
            "run dialog": press("Control+Shift+Enter", "Run the pipeline"),
            "no run dialog": closed,
            "columns dialog": columns_dialog,
            "no columns dialog": closed,
            "go to": press("Control+k", "Go to anything"),
            "no go to": closed,
            "data": go("/data", "Automobile price data (Raw)"),
            "data set": go("/data/sets/Automobile%20price%20data%20(Raw)", "symboling"),
            "runs": go("/runs", "run-"),
            "endpoints": go("/endpoints", "Endpoints"),
            "models": go("/models", "Models"),
            "compute": go("/compute", "Compute"),
            "settings": go("/settings", "Tokens for programs"),
        }
        found = {}
        for name, act in steps.items():
            act(page)
            if name.startswith("no "):
                continue
            # A colour half-way from one scheme to the other is nobody's choice.
            page.add_style_tag(content="*, *::before, *::after { transition: none !important }")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.wait_for_timeout(400)
                if faults := violations(page):
                    found[f"{name}, {scheme}"] = faults
            page.emulate_media(color_scheme="light")
        page.goto(page.url)
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Token").wait_for()
        if faults := violations(page):
            found["login"] = faults
        assert found == {}


FOCUSED = """() => {
  const at = document.activeElement;
  return at.getAttribute("aria-label") || at.labels?.[0]?.innerText || at.innerText
    || at.placeholder || at.tagName;
}"""


def tab_to(page: Page, name: str, *, key: str = "Tab") -> None:
    """Press Tab until something of that name has the focus."""
    seen = []
    for _ in range(120):
        seen.append(str(page.evaluate(FOCUSED)).strip())
        if re.search(name, seen[-1]):
            return
        page.keyboard.press(key)
    pytest.fail(f"no {name!r} on the way of the {key} key: {seen}")


def said(page: Page, words: str) -> None:
    """Wait until the live region has told it."""
    page.locator("[aria-live=polite]", has_text=words).wait_for(state="attached")


def add(page: Page, title: str) -> None:
    """Search for a component and put it onto the canvas."""
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Search components and data").wait_for()
    page.keyboard.type(title)
    page.get_by_role("option", name=re.compile(f"^{re.escape(title)}")).first.wait_for()
    page.keyboard.press("Enter")
    said(page, f"{title} added.")


def outlined(page: Page, title: str) -> None:
    """Go to a node in the outline with the arrow keys."""
    step = page.locator("[data-step]:focus")
    # Out of the settings, past a list that is open there.
    for _ in range(3):
        if step.count() == 1:
            break
        page.keyboard.press("Escape")
    page.keyboard.press("Home")
    for _ in range(12):
        if title in step.inner_text():
            return
        page.keyboard.press("ArrowDown")
    pytest.fail(f"{title} is not in the outline")


def choose(page: Page, name: str) -> None:
    """Take an option of the list whose field has the focus."""
    page.keyboard.press("ArrowDown")
    option = page.get_by_role("option", name=name)
    option.wait_for()
    for _ in range(12):
        if option.get_attribute("data-combobox-selected"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def test_part_one_of_the_tutorial_is_done_by_keyboard_alone(tmp_path: Path) -> None:
    with served(tmp_path) as address, opened(address) as page:
        page.get_by_role("button", name="New pipeline").wait_for()
        tab_to(page, "^New pipeline")
        page.keyboard.press("Enter")
        page.locator(".react-flow__pane").wait_for()
        page.get_by_role("button", name="Evaluate Model").wait_for()

        # What is added behind a selected node is fed by it.
        add(page, "Automobile price data (Raw)")
        add(page, "Select Columns in Dataset")
        add(page, "Clean Missing Data")
        add(page, "Split Data")
        add(page, "Train Model")
        add(page, "Score Model")
        add(page, "Evaluate Model")
        page.keyboard.press("Escape")
        add(page, "Linear Regression")
        assert page.locator(".react-flow__edge").count() == 6

        page.keyboard.press("Control+Shift+O")
        outline = page.get_by_role("complementary", name="Outline")
        outline.locator("[data-step]:focus").wait_for()
        outlined(page, "Linear Regression")
        tab_to(page, "^Connect Untrained model to")
        page.keyboard.type("Train")
        said(page, "Linear Regression connected to Train Model.")
        outlined(page, "Split Data")
        tab_to(page, "^Connect Results dataset2 to")
        page.keyboard.type("Score")
        said(page, "Split Data connected to Score Model.")
        assert page.locator(".react-flow__edge").count() == 8

        outlined(page, "Select Columns in Dataset")
        page.keyboard.press("Enter")
        tab_to(page, "Edit columns|columns are selected")
        page.keyboard.press("Enter")
        page.get_by_role("dialog", name="Select columns").wait_for()
        tab_to(page, "^By name|^With rules")
        page.keyboard.press("ArrowRight")
        tab_to(page, "^Begin with")
        choose(page, "All columns")
        page.get_by_text("26 columns are selected").wait_for()
        tab_to(page, "^Add a rule")
        page.keyboard.press("Enter")
        tab_to(page, "^Exclude names", key="Shift+Tab")
        page.keyboard.type("normalized-losses")
        page.keyboard.press("Enter")
        page.get_by_text("25 columns are selected").wait_for()
        tab_to(page, "^Save$")
        page.keyboard.press("Enter")
        page.get_by_role("dialog", name="Select columns").wait_for(state="hidden")

        outlined(page, "Clean Missing Data")
        page.keyboard.press("Enter")
        tab_to(page, "^Cleaning mode")
        choose(page, "Remove entire row")
        assert page.get_by_label("Cleaning mode").first.input_value() == "Remove entire row"

        outlined(page, "Split Data")
        page.keyboard.press("Enter")
        tab_to(page, "^Fraction of rows in the first output dataset")
        page.keyboard.press("Control+a")
        page.keyboard.type("0.7")
        outlined(page, "Train Model")
        page.keyboard.press("Enter")
        tab_to(page, "^Label column")
        page.keyboard.type("price")
        outlined(page, "Train Model")

        page.keyboard.press("Control+Enter")
        said(page, "The run is over: Done.")
        outlined(page, "Evaluate Model")
        outline.locator("[data-step]:focus", has_text=re.compile("Done|Reused")).wait_for()
        outlined(page, "Score Model")
        tab_to(page, "^Results$")
        results = page.get_by_role("region", name="Results", exact=True).first
        results.get_by_text(re.compile("rows . 26 columns")).first.wait_for()
        tab_to(page, "^Download")
