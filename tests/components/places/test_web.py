from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from modelwright.components.places.connection import Reach
from modelwright.components.places.errors import (
    AddressNotAllowed,
    DownloadFailed,
    DownloadTooLarge,
    InvalidAddress,
)
from modelwright.components.places.web import ATTEMPTS, download

HERE = Reach(hosts=("127.0.0.1",))
ROWS = b"a,b\n1,x\n2,y\n"

Answer = Callable[[BaseHTTPRequestHandler], None]


class Served:
    """A web server of this machine; asked: the paths it was asked for, in order."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:
                self.asked.append(handler.path)
                answers.get(handler.path, status(404))(handler)

            def log_message(handler, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def served(**answers: Answer) -> Iterator[Served]:
    made = Served({f"/{name.replace('__', '.')}": answer for name, answer in answers.items()})
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


def content(body: bytes, *, told: int | None = None, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body) if told is None else told))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def status(code: int, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def failing(times: int, first: Answer, then: Answer) -> Answer:
    left = [times]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        left[0] -= 1
        (first if left[0] >= 0 else then)(handler)

    return answer


def test_a_file_comes_under_its_name(tmp_path: Path) -> None:
    with served(cars__csv=content(ROWS)) as web:
        path = download(f"{web.address}/cars.csv", tmp_path, reach=HERE)

    assert (path.name, path.read_bytes()) == ("cars.csv", ROWS)


def test_the_server_may_tell_the_name_but_no_folder(tmp_path: Path) -> None:
    told = 'attachment; filename="../../etc/cars.parquet"'
    with served(get=content(ROWS, Content_Disposition=told)) as web:
        path = download(f"{web.address}/get", tmp_path, reach=HERE)

    assert path == tmp_path / "cars.parquet"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/x",
        "http://localhost:1/x",
        "http://10.1.2.3/x",
        "http://192.168.0.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://[64:ff9b::7f00:1]/x",
        "http://[fd00::1]/x",
        "http://0.0.0.0/x",
        "http://2130706433/x",
        "http://224.0.0.1/x",
    ],
)
def test_what_leads_into_the_private_network_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(AddressNotAllowed) as caught:
        download(address, tmp_path, reach=Reach())

    assert "connection allow --host" in caught.value.remedy


def test_a_redirect_into_the_private_network_is_refused(tmp_path: Path) -> None:
    lured = status(302, Location="http://10.0.0.1/secret")
    with served(go=lured) as web, pytest.raises(AddressNotAllowed) as caught:
        download(f"{web.address}/go", tmp_path, reach=HERE)

    assert caught.value.fields["found"] == "10.0.0.1"


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8"])
def test_a_host_may_be_allowed_by_address_and_by_network(allowed: str, tmp_path: Path) -> None:
    with served(cars__csv=content(ROWS)) as web:
        path = download(f"{web.address}/cars.csv", tmp_path, reach=Reach(hosts=(allowed,)))

    assert path.read_bytes() == ROWS


def test_redirects_are_followed_and_not_for_ever(tmp_path: Path) -> None:
    answers = {
        "one": status(301, Location="/two"),
        "two": status(307, Location="cars.csv"),
        "round": status(302, Location="/round"),
        "cars__csv": content(ROWS),
    }
    with served(**answers) as web:
        path = download(f"{web.address}/one", tmp_path, reach=HERE)
        with pytest.raises(DownloadFailed, match="redirected more than 5 times"):
            download(f"{web.address}/round", tmp_path, reach=HERE)

    assert (path.name, path.read_bytes()) == ("cars.csv", ROWS)


def test_a_busy_server_is_asked_again_after_longer_and_longer_pauses(tmp_path: Path) -> None:
    pauses: list[float] = []
    with served(cars__csv=failing(2, status(503), content(ROWS))) as web:
        path = download(f"{web.address}/cars.csv", tmp_path, reach=HERE, pause=pauses.append)

    assert path.read_bytes() == ROWS
    assert pauses == [0.5, 1.0]


def test_a_server_may_say_how_long_to_wait(tmp_path: Path) -> None:
    pauses: list[float] = []
    busy = status(429, Retry_After="7")
    with served(cars__csv=failing(1, busy, content(ROWS))) as web:
        download(f"{web.address}/cars.csv", tmp_path, reach=HERE, pause=pauses.append)

    assert pauses == [7.0]


def test_a_server_may_name_the_time_until_it_is_busy(tmp_path: Path) -> None:
    pauses: list[float] = []
    busy = [
        status(503, Retry_After=formatdate(time.time() + away, usegmt=True)) for away in (3600, -60)
    ]
    with served(cars__csv=failing(1, busy[0], failing(1, busy[1], content(ROWS)))) as web:
        download(f"{web.address}/cars.csv", tmp_path, reach=HERE, pause=pauses.append)

    assert pauses == [30.0, 0.0]


def test_a_file_that_breaks_off_is_asked_for_again_and_then_given_up(tmp_path: Path) -> None:
    short = content(ROWS, told=len(ROWS) + 5)
    broken = pytest.raises(DownloadFailed, match="broke after 12 of 17 bytes")
    with served(cars__csv=short) as web, broken as caught:
        download(f"{web.address}/cars.csv", tmp_path, reach=HERE, pause=lambda s: None)

    assert caught.value.fields["attempts"] == ATTEMPTS == len(web.asked)


def test_a_server_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port = line.getsockname()[1]

    with pytest.raises(DownloadFailed, match="after 4 attempts: connection refused"):
        download(f"http://127.0.0.1:{port}/", tmp_path, reach=HERE, pause=lambda s: None)


@pytest.mark.parametrize(("code", "words"), [(404, "404"), (403, "only public files")])
def test_a_refusal_is_not_tried_again(code: int, words: str, tmp_path: Path) -> None:
    with served(cars__csv=status(code)) as web, pytest.raises(DownloadFailed, match=words):
        download(f"{web.address}/cars.csv", tmp_path, reach=HERE)

    assert len(web.asked) == 1


def test_a_file_beyond_the_limit_is_refused_whatever_the_server_says(tmp_path: Path) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"x" * 1000)

    bomb = content(gzip.compress(b"x" * 100_000), Content_Encoding="gzip")
    small = Reach(hosts=HERE.hosts, largest_download=999)
    with served(told=content(b"x" * 1000), untold=endless, bomb=bomb) as web:
        for name in ("told", "untold", "bomb"):
            with pytest.raises(DownloadTooLarge):
                download(f"{web.address}/{name}", tmp_path, reach=small)


def test_a_compressed_answer_is_unpacked(tmp_path: Path) -> None:
    with served(cars__csv=content(gzip.compress(ROWS), Content_Encoding="gzip")) as web:
        path = download(f"{web.address}/cars.csv", tmp_path, reach=HERE)

    assert path.read_bytes() == ROWS


def test_compressed_pieces_one_after_the_other_are_all_unpacked(tmp_path: Path) -> None:
    large = b"0123456789" * 300_000
    body = gzip.compress(large) + gzip.compress(ROWS) + b"\0" * 8
    with served(cars__csv=content(body, Content_Encoding="gzip")) as web:
        path = download(f"{web.address}/cars.csv", tmp_path, reach=HERE)

    assert path.read_bytes() == large + ROWS


def test_what_cannot_be_unpacked_is_told_of(tmp_path: Path) -> None:
    whole = gzip.compress(ROWS * 100)
    with served(
        none=content(ROWS, Content_Encoding="gzip"),
        cut=content(whole[:-9], Content_Encoding="gzip"),
    ) as web:
        for name, words in (("none", "cannot be unpacked"), ("cut", "4 attempts: the line broke")):
            with pytest.raises(DownloadFailed, match=words):
                download(f"{web.address}/{name}", tmp_path, reach=HERE, pause=lambda s: None)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "does not begin"),
        ("cars.csv", "does not begin"),
        ("file:///etc/passwd", "does not begin"),
        ("ftp://example.org/x", "does not begin"),
        ("http://", "names no server"),
        ("http://me:pw@example.org/x", "holds an account"),
        ("http://[::1/x", "invalid ipv6"),
        ("http://example.org:99999/x", "port"),
        ("http://no-such-host.invalid/x", "not known"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str, words: str, tmp_path: Path) -> None:
    with pytest.raises((InvalidAddress, DownloadFailed), match=words):
        download(address, tmp_path, reach=HERE, pause=lambda s: None)
