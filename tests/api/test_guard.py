from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from modelwright.api.guard import Doors, UnknownHost
from modelwright.api.server import log_kept
from tests.api.servers import fault, running


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8765", "localhost", "LOCALHOST:1", "[::1]:8765", "127.0.0.2", "::1"]
)
def test_a_server_on_the_loopback_answers_to_names_of_this_machine_only(host: str) -> None:
    Doors.of("127.0.0.1").check_host(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "192.168.1.5", "", None, "localhost.evil.example"]
)
def test_a_server_on_the_loopback_refuses_every_other_name(host: str | None) -> None:
    with pytest.raises(UnknownHost):
        Doors.of("127.0.0.1").check_host(host)


def test_a_server_on_the_network_answers_to_addresses_and_to_names_it_was_given() -> None:
    doors = Doors.of("0.0.0.0", names=["Models.example"])
    for host in ("192.168.1.5:8765", "models.example", "127.0.0.1", "[fe80::1]:80"):
        doors.check_host(host)
    # A page of evil.example can make this name lead here, but cannot send another one.
    with pytest.raises(UnknownHost):
        doors.check_host("evil.example")


def test_a_request_under_another_name_is_refused_before_any_route(tmp_path: Path) -> None:
    with running(tmp_path) as server, server.anyone(host="evil.example") as rebound:
        for path in ("/api/health", "/", "/api/nothing"):
            error = fault(rebound.get(path), 421)
            assert error["code"] == "unknown-host"
            assert error["fields"] == {"host": "evil.example"}


def test_every_answer_carries_the_security_headers(tmp_path: Path) -> None:
    with running(tmp_path) as server, server.anyone() as anyone:
        answers = [
            anyone.get("/"),
            anyone.get("/api/health"),
            anyone.get("/api/nothing"),
            anyone.get("/api/session"),
            anyone.get("/api/health", headers={"host": "evil.example"}),
        ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert answers[1].headers["cache-control"] == "no-store"
    assert "server" not in answers[0].headers


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        place = httpx.URL(server.address)
        line = http.client.HTTPConnection(place.host, place.port or 0, timeout=30)
        line.putrequest("POST", "/api/check")
        line.putheader("Authorization", server.client.headers["authorization"])
        line.putheader("Content-Length", "200000000")
        line.endheaders()
        answer = line.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["error"]["code"] == "body-too-large"
        line.close()


def test_a_body_that_turns_out_too_large_is_refused(tmp_path: Path) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 1_000_000

    with running(tmp_path) as server:
        kind = {"content-type": "application/json"}
        answer = server.client.post("/api/check", content=endless(), headers=kind)
        assert fault(answer, 413)["fields"] == {"limit": 32_000_000}


def test_an_exception_that_nobody_knows_leaves_as_a_reference_and_stays_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path) as server:

        @server.app.get("/api/broken")
        def broken() -> None:
            raise RuntimeError("the secret is 42")

        error = fault(server.client.get("/api/broken"), 500)
    assert error["code"] == "internal-error"
    assert "42" not in str(error)
    record = next(r for r in caplog.records if error["reference"] in r.getMessage())
    assert record.exc_text is None or "42" in record.exc_text
    assert "the secret is 42" in caplog.text


def test_the_log_of_a_server_is_kept_in_its_home(tmp_path: Path) -> None:
    with log_kept(tmp_path / "logs" / "server.log"):
        logging.getLogger("modelwright.api.errors").error("reference %s", "1a2b")
    logging.getLogger("modelwright.api.errors").error("after its end")
    kept = (tmp_path / "logs" / "server.log").read_text(encoding="utf-8")
    assert "reference 1a2b" in kept
    assert "after its end" not in kept
