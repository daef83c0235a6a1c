"""Settings in a real browser: asked for at each run, carried to a newer component, and searched for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.studio import needs_browser, opened, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [needs_browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

CARS = "Automobile price data (Raw)"


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with served(tmp_path_factory.mktemp("home")) as address, opened(address) as page:
        yield page


@pytest.fixture
def page(visit: Page) -> Page:
    """The studio's home page."""
    visit.get_by_role("link", name="Designer").first.click()
    visit.get_by_role("button", name="New pipeline").wait_for()
    return visit


def node(title: str) -> str:
    return f'.react-flow__node:has-text("{title}")'


def draft(page: Page, nodes: dict[str, dict[str, Any]], wires: list[str]) -> None:
    """Make a draft by the API, and open it."""
    graph = {
        "nodes": [{"id": id_, "parameters": {}, **given} for id_, given in nodes.items()],
        "wires": [dict(zip(("source", "target"), w.split(" > "), strict=True)) for w in wires],
    }
    layout = {"positions": {id_: [60, 100 * at] for at, id_ in enumerate(nodes)}}
    made = page.evaluate(
        """async (body) => {
          const reply = await fetch("/api/drafts", {
            method: "POST", body: JSON.stringify(body),
            headers: { "Content-Type": "application/json" },
          });
          if (!reply.ok) throw new Error(await reply.text());
          return (await reply.json()).id;
        }""",
        {"kind": "training", "graph": graph, "layout": layout},
    )
    page.goto("/".join(page.url.split("/")[:3]) + f"/drafts/{made}")
    page.locator(".react-flow__node").nth(len(nodes) - 1).wait_for()


def test_a_setting_of_a_node_is_asked_for_at_each_run(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Price Prediction .Basic.")).click()
    page.locator(node("Split Data")).click()
    page.get_by_role("button", name="Set at each run: Fraction of rows").click()
    page.get_by_label("Name of the pipeline parameter").fill("share")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Set at each run as “share”").wait_for()

    page.keyboard.press("Escape")
    page.keyboard.press("Control+Shift+Enter")
    dialog = page.get_by_role("dialog", name="Run the pipeline")
    dialog.get_by_label("share").fill("0.5")
    dialog.get_by_role("button", name="Run", exact=True).click()
    page.locator(f'{node("Evaluate Model")} :text("Done")').wait_for(timeout=60_000)
    page.locator(node("Score Model")).click()
    # Half of the 193 rows without gaps; seven tenths go to training by the draft itself.
    page.get_by_text(re.compile(r"9[67] rows . 26 columns")).wait_for()

    page.locator(node("Split Data")).click()
    page.get_by_role("button", name="No longer set at each run: Fraction of rows").click()
    page.get_by_text("Set at each run as “share”").wait_for(state="detached")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    page.locator(node("Split Data")).click()
    page.get_by_text("Set at each run as “share”").wait_for()


def test_another_data_set_is_chosen_at_a_run(page: Page) -> None:
    # A sample brings its data set with it.
    page.get_by_role("button", name=re.compile("Credit Risk Prediction")).click()
    page.locator(".react-flow__node").first.wait_for()
    draft(
        page,
        {
            "cars": {"component": "dataset", "parameters": {"name": CARS}},
            "head": {"component": "convert-to-dataset"},
        },
        ["cars.dataset > head.dataset"],
    )
    page.locator(node(CARS)).click()
    page.get_by_role("button", name="Set at each run: Name").click()
    page.get_by_label("Name of the pipeline parameter").fill("cars")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Set at each run as “cars”").wait_for()

    page.keyboard.press("Escape")
    page.keyboard.press("Control+Shift+Enter")
    dialog = page.get_by_role("dialog", name="Run the pipeline")
    chosen = dialog.get_by_role("combobox", name="cars")
    assert chosen.input_value() == CARS
    chosen.fill("German")
    page.get_by_role("option", name="German Credit Card UCI dataset").click()
    dialog.get_by_role("button", name="Run", exact=True).click()
    page.locator(f'{node("Convert to Dataset")} :text("Done")').wait_for(timeout=60_000)
    page.locator(node("Convert to Dataset")).click()
    page.get_by_text(re.compile(r"1,000 rows . 21 columns")).wait_for()


def test_a_node_of_an_older_version_is_upgraded_and_the_upgrade_undone(page: Page) -> None:
    script = "def azureml_main(a=None, b=None):\n    return a,\n"
    draft(
        page,
        {"py": {"component": "execute-python-script", "parameters": {"script": script}}},
        [],
    )
    page.locator(node("Execute Python Script")).click()
    settings = page.get_by_label("Properties")
    settings.get_by_text("Version 1", exact=True).wait_for()
    settings.get_by_role("button", name="Upgrade to version 2").click()
    settings.get_by_text("Version 2", exact=True).wait_for()
    page.get_by_role("button", name="Undo").click()
    settings.get_by_role("button", name="Upgrade to version 2").wait_for()


def test_a_sweep_and_an_explanation_are_looked_at(page: Page) -> None:
    explained = {"label_column": "price", "model_explanation": True}
    cleaned = {
        "columns": {"begin": "all"},
        "mode": "Remove entire row",
    }
    draft(
        page,
        {
            "cars": {"component": "dataset", "parameters": {"name": CARS}},
            "clean": {"component": "clean-missing-data", "parameters": cleaned},
            "line": {"component": "linear-regression"},
            "tune": {
                "component": "tune-model-hyperparameters",
                "parameters": {"runs": 3, "label_column": "price"},
            },
            "train": {"component": "train-model", "parameters": explained},
        },
        [
            "cars.dataset > clean.dataset",
            "clean.cleaned_dataset > tune.training_dataset",
            "clean.cleaned_dataset > train.dataset",
            "line.untrained_model > tune.untrained_model",
            "line.untrained_model > train.untrained_model",
        ],
    )
    page.locator(node("Tune Model")).click()
    page.keyboard.press("Escape")
    page.locator(node("Tune Model")).click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("tab", name="Sweep").click(timeout=60_000)
    page.get_by_text("3 of 3 settings tried").wait_for(timeout=60_000)
    assert page.get_by_role("table", name="Sweep").locator("tbody tr").count() == 3
    page.get_by_role("img", name=re.compile("the best so far")).wait_for()
    page.locator(f'{node("Train Model")} :text("Done")').wait_for(timeout=60_000)
    page.locator(node("Train Model")).click()
    page.get_by_role("tab", name="Results").click()
    shapley = page.get_by_role("region", name="What moves the scores")
    shapley.get_by_text("Shapley values of 100 rows of training").wait_for()
    shapley.get_by_text("average score").wait_for()
    # What was told while it ran is there when it is over, on a page that was opened anew.
    page.reload()
    page.locator(node("Tune Model")).click()
    page.get_by_role("tab", name="Sweep").click()
    assert page.get_by_role("table", name="Sweep").locator("tbody tr").count() == 3
    runs = page.evaluate("fetch('/api/runs').then((answer) => answer.json())")
    page.goto(f"{page.url.partition('/drafts')[0]}/runs/{runs['items'][0]['id']}")
    page.get_by_role("tab", name="Sweep").click()
    page.get_by_text("3 of 3 settings tried").wait_for()
    assert page.get_by_role("table", name="Sweep").locator("tbody tr").count() == 3
