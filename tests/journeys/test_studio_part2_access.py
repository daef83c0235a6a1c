"""Who may call an endpoint, and what leaves it, in a real browser: tokens, keys, origins, exports."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from modelwright.inference.package import Package
from tests.journeys.part2 import Studio, studio
from tests.journeys.studio import needs_browser

pytestmark = [needs_browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]


def asked(here: Studio, secret: str, **headers: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body of an answer of the endpoint "cars" to a client."""
    name, row = here.sample("cars")
    request = urllib.request.Request(
        here.ask("/api/endpoints/cars")["scoring_url"],
        json.dumps({"Inputs": {name: [row]}}).encode(),
        {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {secret}",
            **{key.replace("_", "-"): value for key, value in headers.items()},
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, dict(reply.headers), json.loads(reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), json.loads(error.read())


def choose(page: Page, value: str) -> None:
    """Choose what opens the endpoint, while it serves."""
    page.get_by_role("combobox", name="Authentication").click()
    page.get_by_role("option", name=value, exact=True).click()
    with page.expect_response(lambda r: r.request.method == "PATCH" and r.ok):
        page.get_by_role("button", name="Apply while it serves").click()


def test_what_opens_an_endpoint_is_chosen_and_tokens_are_issued_and_revoked(tmp_path: Path) -> None:
    with studio(tmp_path) as here:
        page = here.page
        _, run = here.trained()
        here.go(f"/drafts/{here.converted(run)}?deploy")
        dialog = page.get_by_role("dialog", name="Deploy to a real-time endpoint")
        dialog.get_by_label("Endpoint name").fill("cars")
        dialog.get_by_role("button", name="Access").click()
        dialog.get_by_label("Allowed web origins").fill("https://shop.example")
        page.keyboard.press("Enter")
        dialog.get_by_label("TLS certificate").wait_for()
        dialog.get_by_role("button", name="Deploy", exact=True).click()
        page.get_by_role("status").filter(has_text="cars is deployed and answers.").wait_for()

        here.go("/endpoints/cars?tab=consume")
        page.get_by_text("A request needs one of the two keys, or a short-lived token.").wait_for()
        page.get_by_role("button", name="Issue a token").click()
        token = page.locator("[data-token]").inner_text()
        page.get_by_text("It opens the endpoint until").wait_for()
        # Programs are filled with it.
        expect(page.get_by_role("region", name="curl")).to_contain_text(token)
        status, headers, _ = asked(here, token, Origin="https://shop.example")
        assert (status, headers["access-control-allow-origin"]) == (200, "https://shop.example")
        assert (
            "access-control-allow-origin" not in asked(here, token, Origin="https://x.example")[1]
        )

        page.get_by_role("button", name="Revoke all").click()
        page.get_by_text("No token that was issued opens it any more.").wait_for()
        assert asked(here, token)[0] == 401
        key = here.ask("/api/endpoints/cars/keys")["primary"]
        assert asked(here, key)[0] == 200

        page.get_by_role("link", name="Change it in the settings.").click()
        choose(page, "Short-lived tokens")
        assert asked(here, key)[0] == 401
        page.get_by_role("tab", name="Consume").click()
        page.get_by_text("A request needs a short-lived token; keys open nothing.").wait_for()
        expect(page.get_by_role("heading", name="Keys")).to_have_count(0)
        page.get_by_role("button", name="Issue a token").click()
        assert asked(here, page.locator("[data-token]").inner_text())[0] == 200

        page.get_by_role("tab", name="Details").click()
        choose(page, "None: open to all")
        assert asked(here, "nothing")[0] == 200
        page.get_by_role("tab", name="Consume").click()
        page.get_by_text("Everybody who reaches the address may call it.").wait_for()
        expect(page.get_by_role("heading", name="Tokens")).to_have_count(0)


def test_an_endpoint_with_a_certificate_answers_over_https_and_a_wrong_one_is_told(
    tmp_path: Path,
) -> None:
    with studio(tmp_path / "home") as here:
        page = here.page
        certificate, key = certified(tmp_path)
        _, run = here.trained()
        here.go(f"/drafts/{here.converted(run)}?deploy")
        dialog = page.get_by_role("dialog", name="Deploy to a real-time endpoint")
        dialog.get_by_label("Endpoint name").fill("cars")
        dialog.get_by_role("button", name="Access").click()
        dialog.get_by_label("TLS certificate").fill(str(certificate))
        dialog.get_by_label("TLS private key").fill("/no/such/file.pem")
        dialog.get_by_role("button", name="Deploy", exact=True).click()
        failed = dialog.get_by_role("alert").filter(has_text="It was not deployed.")
        expect(failed).to_contain_text("tls_")
        dialog.get_by_label("TLS private key").fill(str(key))
        dialog.get_by_role("button", name="Deploy", exact=True).click()
        above = page.get_by_role("status").filter(has_text="cars is deployed and answers.")
        above.get_by_role("link", name="Open the endpoint").click()
        page.get_by_text(
            re.compile(r"^https://127\.0\.0\.1:\d+/api/v1/service/cars/score$")
        ).wait_for()
        # The page asks it as well.
        page.get_by_role("tab", name="Test").click()
        page.get_by_role("button", name="Send").click()
        page.get_by_role("columnheader", name="Scored Labels").wait_for()


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine, signed by itself, and its key."""
    certificate, key = folder / "own.pem", folder / "own.key"
    words = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    )
    subprocess.run(words.split(), check=True, capture_output=True)
    return certificate, key


def test_what_an_endpoint_serves_is_taken_away_and_scores_alike_elsewhere(tmp_path: Path) -> None:
    with studio(tmp_path / "home") as here:
        page = here.page
        _, run = here.trained()
        here.ask("/api/endpoints", {"name": "cars", "draft_id": here.converted(run)})
        key = here.ask("/api/endpoints/cars/keys")["primary"]
        (row,) = asked(here, key)[2]["Results"]["WebServiceOutput0"]
        here.go("/endpoints/cars")
        packed = taken(page, "Package (.zip)", tmp_path)
        assert packed.name == "cars.zip"
        onnx = taken(page, "ONNX", tmp_path)
        assert onnx.name == "cars.onnx"
        name, sample = here.sample("cars")
        body = json.dumps({"Inputs": {name: [sample]}}).encode()
        reply = json.loads(Package.open(packed).scorer().answer(body))
        (elsewhere,) = reply["Results"]["WebServiceOutput0"]
        assert elsewhere["Scored Labels"] == row["Scored Labels"]

        here.go("/models")
        page.get_by_role("link", name=re.compile("^MD - ")).click()
        assert taken(page, "ONNX", tmp_path).stat().st_size > 500


def taken(page: Page, title: str, folder: Path) -> Path:
    """The file that an entry of the menu Export gives."""
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=title).click()
    place = folder / download.value.suggested_filename
    download.value.save_as(place)
    return place
