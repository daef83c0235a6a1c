from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.routing import Route

from modelwright.api.server import login_address
from tests.api.servers import Running, fault, running

OPEN = {("GET", "/api/health"), ("POST", "/api/session")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home")) as server:
        yield server


@contextmanager
def logged_in(server: Running) -> Iterator[httpx.Client]:
    """A browser that has opened the login address."""
    with server.anyone(origin=server.address) as browser:
        token = server.home.workspace.people.create_login_token()
        assert browser.post("/api/session", json={"token": token}).status_code == 200
        yield browser


def test_every_route_but_health_and_login_asks_who_is_calling(server: Running) -> None:
    paths = server.app.openapi()["paths"]
    known = {(verb.upper(), path) for path, verbs in paths.items() for verb in verbs}
    assert known >= OPEN
    with server.anyone() as nobody:
        for verb, path in sorted(known - OPEN):
            address = path.replace("{", "").replace("}", "")
            response = nobody.request(verb, address, json={})
            assert fault(response, 401)["code"] == "login-required", (verb, path)
            assert response.headers["www-authenticate"].startswith("Bearer")
        assert fault(nobody.get("/api/openapi.json"), 401)["code"] == "login-required"
        for verb, path in OPEN:
            assert nobody.request(verb, path, json={}).status_code in (200, 422)


def test_all_routes_of_the_application_are_described(server: Running) -> None:
    described = server.app.openapi()["paths"].keys()
    served = {r.path.replace(":path}", "}") for r in server.app.routes if isinstance(r, Route)}
    assert served - {"/api/openapi.json"} <= described | {"/api/openapi.json"}


def test_the_token_of_a_login_address_opens_one_session(server: Running) -> None:
    token = server.home.workspace.people.create_login_token()
    address = login_address("127.0.0.1", 8765, token)
    assert address == f"http://127.0.0.1:8765/login#token={token}"
    with server.anyone(origin=server.address) as browser:
        entered = browser.post("/api/session", json={"token": token})
        assert entered.json()["person"] == "owner"
        assert browser.get("/api/session").json()["person"] == "owner"
    with server.anyone() as another:
        again = fault(another.post("/api/session", json={"token": token}), 401)
        assert again["code"] == "token-rejected"


def test_the_session_is_a_sealed_cookie_that_pages_cannot_read_or_send_elsewhere(
    server: Running,
) -> None:
    token = server.home.workspace.people.create_login_token()
    with server.anyone() as browser:
        cookie = browser.post("/api/session", json={"token": token}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "mws_" not in cookie
    name, _, rest = cookie.partition("=")
    value = rest.partition(";")[0]
    for forged in ("mws_" + "a" * 43, value[:-4] + "AAAA", ""):
        with server.anyone() as thief:
            thief.cookies.set(name, forged)
            assert fault(thief.get("/api/session"), 401)["code"] in (
                "token-rejected",
                "login-required",
            )


def test_logging_out_ends_the_session_for_every_copy_of_its_cookie(server: Running) -> None:
    with logged_in(server) as browser, server.anyone() as copy:
        copy.cookies.update(browser.cookies)
        assert copy.get("/api/session").status_code == 200
        assert browser.delete("/api/session").status_code == 200
        assert fault(browser.get("/api/session"), 401)["code"] == "login-required"
        assert fault(copy.get("/api/session"), 401)["code"] == "token-rejected"


def test_a_change_by_cookie_must_come_from_a_page_of_this_server(server: Running) -> None:
    with logged_in(server) as browser:
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
            response = browser.post("/api/drafts", json={}, headers={"origin": origin})
            assert fault(response, 403)["code"] == "cross-origin-request"
        assert browser.post("/api/drafts", json={}).status_code == 201
        del browser.headers["origin"]
        assert fault(browser.post("/api/drafts", json={}), 403)["fields"] == {"origin": None}
        same = {"sec-fetch-site": "same-origin"}
        assert browser.post("/api/drafts", json={}, headers=same).status_code == 201
        elsewhere = {"origin": "https://evil.example"}
        assert browser.get("/api/drafts", headers=elsewhere).status_code == 200


def test_a_page_of_another_origin_cannot_log_its_visitor_in(server: Running) -> None:
    token = server.home.workspace.people.create_login_token()
    with server.anyone(origin="https://evil.example") as browser:
        refused = fault(browser.post("/api/session", json={"token": token}), 403)
        assert refused["code"] == "cross-origin-request"
    with server.anyone() as browser:
        assert browser.post("/api/session", json={"token": token}).status_code == 200


def test_a_program_with_an_api_token_needs_no_origin(server: Running) -> None:
    assert server.post("/api/drafts", {})["revision"] == 1
    with server.anyone(authorization="Bearer mwa_wrong") as stranger:
        assert fault(stranger.get("/api/drafts"), 401)["code"] == "token-rejected"


def test_a_revoked_api_token_opens_nothing(server: Running) -> None:
    people = server.home.workspace.people
    secret, token = people.create_api_token("short")
    with server.anyone(authorization=f"Bearer {secret}") as program:
        assert program.get("/api/session").json()["person"] == "owner"
        people.revoke_api_token(token.id)
        assert fault(program.get("/api/session"), 401)["code"] == "token-rejected"
