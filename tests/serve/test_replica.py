"""The scoring contract, over HTTP, against a real process."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from modelwright.inference.scorer import Scorer
from modelwright.serve.control import tell
from tests.inference.cars import car_prices, car_request, car_rows, cars
from tests.serve.replicas import PRIMARY, SECONDARY, Running, package, running

SERVICE = "/api/v1/service/cars"


@pytest.fixture(scope="module", params=["at once", "by the application"])
def replica(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    # With diagnostics no request is answered while it is parsed.
    deployment = {"diagnostics": request.param == "by the application"}
    packaged = package(tmp_path_factory.mktemp("replica"))
    endpoint = {"allowed_origins": ["https://shop.example"], "body_timeout_s": 0.6}
    endpoint |= {"head_timeout_s": 0.6}
    with running(packaged, endpoint=endpoint, deployment=deployment) as found:
        yield found


def one_car(**changes: Any) -> dict[str, Any]:
    return {**car_rows(cars()[2:3])[0], **changes}


def error_of(response: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = response.json()["error"]
    assert [*found] == ["code", "message", "details"]
    assert found["code"] == response.status_code
    return found


@pytest.mark.parametrize("path", ["/score", f"{SERVICE}/score"])
@pytest.mark.parametrize("name", ["WebServiceInput0", "input1"])
def test_both_addresses_and_both_input_names_are_answered(
    replica: Running, path: str, name: str
) -> None:
    response = replica.client.post(path, content=car_request(name=name))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.content == Scorer(car_prices()).answer(car_request())


def test_many_rows_come_back_in_order_with_the_dropped_ones_beside(replica: Running) -> None:
    body = car_request(*car_rows())
    found = replica.score(body).json()
    assert found == json.loads(Scorer(car_prices()).answer(body))
    assert len(found["Results"]["WebServiceOutput0"]) + len(found["Dropped"]) == 205


def test_a_body_too_large_for_the_event_loop_is_answered_too(replica: Running) -> None:
    rows = [one_car(bore=n / 7) for n in range(500)]
    found = replica.score(car_request(*rows)).json()["Results"]["WebServiceOutput0"]
    assert [r["bore"] for r in found] == [n / 7 for n in range(500)]


def test_classic_tables_are_answered_with_classic_tables(replica: Running) -> None:
    row = one_car()
    table = {"ColumnNames": [*row], "Values": [[*row.values()]]}
    body = json.dumps({"Inputs": {"WebServiceInput0": table}, "GlobalParameters": {}}).encode()
    found = replica.score(body, format="table", details="true").json()
    assert "Results" not in found
    value = found["WebServiceOutput0"]["value"]
    assert value["ColumnNames"][-1] == "Scored Labels"
    assert value["ColumnTypes"][-1] == "Double"


@pytest.mark.parametrize("key", [PRIMARY, SECONDARY])
def test_either_key_opens(replica: Running, key: str) -> None:
    headers = {"Authorization": f"bearer {key}"}
    response = httpx.post(f"{replica.url}/score", content=car_request(), headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "no-key"),
        ({"Authorization": "Bearer wrong"}, "wrong-key"),
        ({"Authorization": f"Bearer {PRIMARY}x"}, "wrong-key"),
        ({"Authorization": f"Basic {PRIMARY}"}, "wrong-key"),
        ({"Authorization": PRIMARY}, "wrong-key"),
    ],
)
def test_without_a_right_key_nothing_is_told(
    replica: Running, headers: dict[str, str], code: str
) -> None:
    for path in ("/score", "/openapi.json"):
        method = "POST" if path == "/score" else "GET"
        response = httpx.request(
            method, f"{replica.url}{path}", content=car_request(), headers=headers
        )
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert error_of(response)["details"]["code"] == code
        assert "alfa-romero" not in response.text


BAD: list[tuple[str, bytes, str, list[str]]] = [
    ("nothing", b"", "malformed-json", ["empty"]),
    ("no JSON", b"price=1", "malformed-json", []),
    ("bare NaN", car_request(one_car(bore=math.nan)), "malformed-json", ['{"isNan": true}']),
    ("bare Infinity", car_request(one_car(bore=math.inf)), "malformed-json", ["isInfinite"]),
    ("no inputs", b"{}", "missing-input", ["WebServiceInput0"]),
    ("wrong input", car_request(name="cars"), "unknown-input", ["cars", "WebServiceInput0"]),
    (
        "text for a number",
        car_request(one_car(), one_car(horsepower="154")),
        "wrong-value",
        ["Row 1", "WebServiceInput0", "horsepower", '"154"'],
    ),
    ("number for text", car_request(one_car(make=3)), "wrong-value", ["Row 0", "make", "text"]),
    (
        "missing column",
        car_request({k: v for k, v in one_car().items() if k != "make"}),
        "missing-request-columns",
        ["Row 0", "make"],
    ),
    (
        "misspelt column",
        car_request({("Make" if k == "make" else k): v for k, v in one_car().items()}),
        "missing-request-columns",
        ["make", "Make"],
    ),
    (
        "parameters",
        json.dumps({"Inputs": {"input1": []}, "GlobalParameters": {"a": 1}}).encode(),
        "unknown-global-parameter",
        ["GlobalParameters"],
    ),
]


@pytest.mark.parametrize(("body", "code", "told"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_request_is_told_what_where_and_what_to_do(
    replica: Running, body: bytes, code: str, told: list[str]
) -> None:
    response = replica.score(body)
    assert response.status_code == 400
    error = error_of(response)
    assert error["details"]["code"] == code
    assert error["details"]["remedy"] in error["message"]
    for words in told:
        assert words in error["message"]


def test_extra_columns_the_label_null_and_nan_objects_are_taken(replica: Running) -> None:
    body = car_request(one_car(colour="red", price=None), one_car(bore={"isNan": True}))
    found = replica.score(body).json()
    assert len(found["Results"]["WebServiceOutput0"]) == 1
    assert found["Dropped"][0]["row"] == 1


def test_a_row_with_null_is_reported_as_dropped(replica: Running) -> None:
    found = replica.score(car_request(one_car(bore=None))).json()
    assert found["Results"]["WebServiceOutput0"] == []
    (dropped,) = found["Dropped"]
    assert dropped["node"] == "Clean Missing Data"


def test_an_unknown_path_is_404_and_a_wrong_verb_405(replica: Running) -> None:
    unknown = replica.client.get("/api/v1/service/trucks/score")
    assert error_of(unknown)["details"]["code"] == "unknown-path"
    assert unknown.status_code == 404
    for verb, path, allowed in (
        ("GET", "/score", "POST, OPTIONS"),
        ("PUT", f"{SERVICE}/score", "POST, OPTIONS"),
        ("DELETE", "/score", "POST, OPTIONS"),
        ("POST", "/", "GET, HEAD, OPTIONS"),
    ):
        response = replica.client.request(verb, path)
        assert response.status_code == 405
        assert response.headers["allow"] == allowed
        assert error_of(response)["details"]["code"] == "method-not-allowed"


def test_health_and_readiness_need_no_key(replica: Running) -> None:
    assert httpx.get(f"{replica.url}/").text == "Healthy"
    assert httpx.get(f"{replica.url}/healthz").json()["status"] == "alive"
    assert httpx.get(f"{replica.url}/readyz").json() == {"status": "ready"}
    assert httpx.head(f"{replica.url}/").status_code == 200


@pytest.mark.parametrize("base", ["", SERVICE])
def test_the_documents_are_served(replica: Running, base: str) -> None:
    assert replica.client.get(f"{base}/openapi.json").json()["openapi"].startswith("3.1")
    assert replica.client.get(f"{base}/swagger.json").json()["swagger"] == "2.0"


def test_every_answer_has_a_request_id_and_keeps_the_one_that_came(replica: Running) -> None:
    first, second = (replica.score(car_request()).headers["x-ms-request-id"] for _ in range(2))
    assert first != second
    for sent, kept in (("order-17", True), ("with blank", False), ("x" * 200, False)):
        headers = {"x-ms-request-id": sent}
        response = replica.client.post("/score", content=b"", headers=headers)
        assert (response.headers["x-ms-request-id"] == sent) is kept


def test_pages_of_allowed_origins_may_call(replica: Running) -> None:
    good, bad = {"Origin": "https://shop.example"}, {"Origin": "https://evil.example"}
    answer = replica.client.post("/score", content=car_request(), headers=good)
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    other = replica.client.post("/score", content=car_request(), headers=bad)
    assert "access-control-allow-origin" not in other.headers
    before = replica.client.options("/score", headers=good)
    assert before.status_code == 204
    assert before.headers["access-control-allow-methods"] == "POST"
    assert "authorization" in before.headers["access-control-allow-headers"]
    assert (
        "access-control-allow-methods" not in replica.client.options("/score", headers=bad).headers
    )


def test_diagnostics_write_a_line_per_request(tmp_path: Path) -> None:
    with running(package(tmp_path), deployment={"diagnostics": True}) as replica:
        headers = {"x-ms-request-id": "look-for-me"}
        replica.client.post("/score", content=car_request(), headers=headers)
        until = time.monotonic() + 5
        while not any("look-for-me" in line for line in replica.log) and time.monotonic() < until:
            time.sleep(0.01)
        (line,) = [line for line in replica.log if "look-for-me" in line]
        assert "POST /score 200" in line


def raw(replica: Running, *parts: bytes, pause: float = 0.0) -> bytes:
    with socket.create_connection((replica.host, replica.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        answer = b""
        while block := connection.recv(65536):
            answer += block
        return answer


HEAD = f"POST /score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {PRIMARY}\r\n".encode()


def test_a_body_announced_too_large_is_refused_before_it_is_sent(replica: Running) -> None:
    answer = raw(replica, HEAD + b"Content-Length: 200000000\r\n\r\n" + b"{")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"body-too-large"' in answer
    assert b"connection: close" in answer


def test_a_body_of_200_mb_is_refused_and_its_sender_reads_the_refusal(tmp_path: Path) -> None:
    # A roomy time for the body, since the machine may be busy.
    with running(package(tmp_path)) as replica:
        response = replica.score(b" " * 200_000_000)
        assert response.status_code == 413
        assert error_of(response)["details"]["code"] == "body-too-large"
        assert replica.score(car_request()).status_code == 200


def test_a_streamed_body_is_refused_when_it_grows_too_large(tmp_path: Path) -> None:
    with running(package(tmp_path), endpoint={"max_body_mb": 1}) as replica:

        def endless() -> Iterator[bytes]:
            for _ in range(40):
                yield b" " * 100_000

        response = replica.client.post("/score", content=endless())
        assert response.status_code == 413
        assert replica.score(car_request()).status_code == 200


def test_a_body_may_be_just_as_large_as_the_limit_and_not_a_byte_larger(tmp_path: Path) -> None:
    body = car_request()
    full = body + b" " * (1_000_000 - len(body))
    with running(package(tmp_path), endpoint={"max_body_mb": 1}) as replica:
        for path in ("/score", "/v2/models/cars/infer"):
            for content, is_over in ((full, False), (full + b" ", True)):
                # With its length in the head, and without.
                for sent in (content, iter([content[:500_000], content[500_000:]])):
                    answer = replica.client.post(path, content=sent)
                    assert (answer.status_code == 413) is is_over
                    assert path != "/score" or is_over or answer.status_code == 200
        announced = HEAD + b"Expect: 100-continue\r\nContent-Length: 1000001\r\n\r\n"
        assert raw(replica, announced).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_come_is_given_up(replica: Running) -> None:
    started = time.monotonic()
    answer = raw(replica, HEAD + b"Content-Length: 1000\r\n\r\n{")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"slow-body"' in answer
    assert time.monotonic() - started < 10


def test_a_body_that_trickles_is_given_up(replica: Running) -> None:
    head = HEAD + b"Content-Length: 1000\r\n\r\n"
    answer = raw(replica, head, *[b"{"] * 8, pause=0.15)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_head_that_does_not_end_is_given_up(replica: Running) -> None:
    started = time.monotonic()
    assert raw(replica, b"POST /score HTTP/1.1\r\nHost: x\r\n") == b""
    assert time.monotonic() - started < 10


HEADS_WITHOUT_END = {
    "one header": (HEAD + b"X: ", b"x"),
    "many headers": (HEAD, b"X: x\r\n"),
    "an address": (b"POST /", b"x"),
    "what follows a body": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n",
        b"X: x\r\n",
    ),
}


@pytest.mark.parametrize(("begin", "more"), HEADS_WITHOUT_END.values(), ids=HEADS_WITHOUT_END)
def test_a_head_larger_than_a_head_is_gets_431_and_is_not_kept(
    tmp_path: Path, begin: bytes, more: bytes
) -> None:
    with running(package(tmp_path)) as replica:
        replica.score(car_request())
        used = psutil.Process(replica.process.pid).memory_info().rss
        with socket.create_connection((replica.host, replica.port), timeout=30) as connection:
            connection.sendall(begin)
            answer = b""
            # Far more than is kept; the sender may read the refusal before it has sent all.
            with contextlib.suppress(ConnectionError):
                for _ in range(100):
                    connection.sendall(more * (1_000_000 // len(more)))
            with contextlib.suppress(ConnectionError):
                while block := connection.recv(65536):
                    answer += block
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b'"head-too-large"' in answer
        assert psutil.Process(replica.process.pid).memory_info().rss < used + 30_000_000
        assert replica.score(car_request()).status_code == 200


def test_what_is_not_http_is_refused_in_the_same_shape(replica: Running) -> None:
    answer = raw(replica, b"\x16\x03\x01\x02\x00 garbage\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert body["error"]["details"]["code"] == "malformed-http"


def test_a_sender_that_goes_away_in_the_middle_disturbs_nobody(replica: Running) -> None:
    for _ in range(20):
        with socket.create_connection((replica.host, replica.port), timeout=5) as connection:
            connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n{")
    assert replica.score(car_request()).status_code == 200


def test_requests_on_one_connection_are_answered_in_order(replica: Running) -> None:
    def request(make: str) -> bytes:
        body = car_request(one_car(make=make))
        return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body

    last = HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
    answer = raw(replica, request("one") + request("two") + request("three") + last)
    makes = [answer.index(f'"make":"{m}"'.encode()) for m in ("one", "two", "three")]
    assert makes == sorted(makes)


def test_a_request_that_comes_in_pieces_is_answered_as_one(replica: Running) -> None:
    body = car_request(one_car(make="pieces"))
    whole = HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    pieces = [whole[at : at + 150] for at in range(0, len(whole), 150)]
    answer = raw(replica, *pieces, pause=0.01)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"make":"pieces"' in answer


def test_a_chunked_body_is_answered(replica: Running) -> None:
    def parts() -> Iterator[bytes]:
        body = car_request()
        yield body[:100]
        yield body[100:]

    assert (
        replica.client.post("/score", content=parts()).json() == replica.score(car_request()).json()
    )


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_connection_is_closed_when_its_client_wants_that(replica: Running, version: str) -> None:
    body = car_request()
    head = HEAD.replace(b"HTTP/1.1", b"HTTP/" + version.encode())
    closing = b"Connection: close\r\n" if version == "1.1" else b""
    answer = raw(replica, head + closing + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_both_ways_through_a_replica_give_the_same_answer(replica: Running) -> None:
    # What has an origin goes the longer way.
    headers = {"x-ms-request-id": "same"}
    short = replica.client.post("/score", content=car_request(), headers=headers)
    long = replica.client.post(
        "/score", content=car_request(), headers={**headers, "Origin": "https://evil.example"}
    )
    assert short.content == long.content
    told = [
        {k: v for k, v in r.headers.items() if k not in ("date", "vary")} for r in (short, long)
    ]
    assert told[0] == told[1]


def test_a_connection_that_lies_idle_after_an_answer_is_closed(tmp_path: Path) -> None:
    with running(package(tmp_path), endpoint={"keep_alive_s": 1}) as replica:
        body = car_request()
        answer = raw(replica, HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_request_that_has_half_come_is_answered_when_the_replica_is_told_to_stop(
    tmp_path: Path,
) -> None:
    body = car_request()
    with running(package(tmp_path)) as replica:
        with socket.create_connection((replica.host, replica.port), timeout=30) as connection:
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body[:50])
            # Answered by the same loop, after the part above has been read.
            assert replica.score(body).status_code == 200
            replica.process.terminate()
            time.sleep(0.3)
            connection.sendall(body[50:])
            answer = b""
            while block := connection.recv(65536):
                answer += block
        assert answer.startswith(b"HTTP/1.1 200 ")
        replica.process.wait(10)


LOADED = """
import sys
import modelwright.serve.replica
heavy = {"polars", "numpy", "pydantic", "fastapi", "starlette", "yaml", "pandas"}
print(sorted(heavy & set(sys.modules)))
"""


def test_a_replica_loads_no_library_that_formulas_do_not_need() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["nowhere", "--auth", "none"], "no such folder"),
        (["PACKAGE"], "keys"),
        (["PACKAGE", "--auth", "none", "--port", "99999"], "port"),
        (["PACKAGE", "--auth", "none", "--host", "203.0.113.7"], "host"),
        (["PACKAGE", "--auth", "none", "--settings-file", "nowhere.json"], "settings-file"),
    ],
)
def test_a_replica_that_cannot_start_says_why(
    tmp_path: Path, options: list[str], told: str
) -> None:
    path = str(package(tmp_path))
    arguments = [path if o == "PACKAGE" else o for o in options]
    command = [sys.executable, "-m", "modelwright.serve.replica", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named(replica: Running, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "modelwright.serve.replica", str(package(tmp_path))]
    command += ["--auth", "none", "--port", str(replica.port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert str(replica.port) in done.stderr


def test_a_replica_finishes_what_it_has_begun_when_it_is_told_to_stop(tmp_path: Path) -> None:
    rows = [one_car(bore=n / 7) for n in range(20_000)]
    body = car_request(*rows)
    with running(package(tmp_path)) as replica:
        with socket.create_connection((replica.host, replica.port), timeout=30) as connection:
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            replica.process.terminate()
            answer = b""
            while block := connection.recv(65536):
                answer += block
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.count(b'"bore"') == 20_000
        replica.process.wait(10)
        # In order: the signal did not end it before it had cleared up.
        assert replica.process.returncode == 0
        assert not replica.control.exists()


def test_a_replica_without_a_controller_counts_its_seconds_itself(tmp_path: Path) -> None:
    with running(package(tmp_path)) as replica:
        assert replica.score(car_request()).status_code == 200
        assert replica.score(b"{").status_code == 400
        deadline = time.monotonic() + 60
        while True:
            samples = tell(replica.control, {"do": "measurements", "since": 0})["samples"]
            if sum(s["requests"] for s in samples) == 2:
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert sum(s["refused"] for s in samples) == 1
        assert {s["replicas"] for s in samples} == {1}
        assert tell(replica.control, {"do": "status"})["recent"]["requests_per_s"] > 0
        last = samples[-1]["at"]
        later = tell(replica.control, {"do": "measurements", "since": last})["samples"]
        assert all(s["at"] > last for s in later)
