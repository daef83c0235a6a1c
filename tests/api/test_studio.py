from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.servers import Running, running


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A build of the studio, as small as can be, beside a file that is nobody's business."""
    folder = tmp_path / "studio"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<p>the studio</p>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "app-3f2a.js").write_text("plain()")
    (folder / "assets" / "app-3f2a.js.br").write_bytes(b"brotli")
    (folder / "assets" / "app-3f2a.js.gz").write_bytes(b"gzip")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def server(tmp_path: Path, built: Path) -> Iterator[Running]:
    with running(tmp_path / "home", studio=built) as server:
        yield server


def test_every_address_of_the_studio_gives_its_start_page(server: Running) -> None:
    with server.anyone() as anyone:
        for path in ("/", "/designer", "/runs/run-1?tab=log", "/login"):
            page = anyone.get(path)
            assert (page.status_code, page.text) == (200, "<p>the studio</p>")
            assert page.headers["cache-control"] == "no-cache"
            assert page.headers["content-type"].startswith("text/html")
        assert anyone.head("/").status_code == 200
        assert anyone.post("/designer").status_code == 405


def test_files_that_never_change_may_be_kept_for_ever(server: Running) -> None:
    with server.anyone() as anyone:
        script = anyone.get("/assets/app-3f2a.js", headers={"accept-encoding": "identity"})
        assert script.text == "plain()"
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert script.headers["content-type"].startswith("text/javascript")
        icon = anyone.get("/favicon.svg")
        assert icon.headers["cache-control"] == "no-cache"
        assert anyone.get("/assets/gone-1.js").status_code == 404


@pytest.mark.parametrize(("accepted", "sent"), [("gzip, br", b"brotli"), ("gzip", b"gzip")])
def test_a_packed_file_is_sent_to_whoever_unpacks_it(
    server: Running, accepted: str, sent: bytes
) -> None:
    with server.anyone() as anyone:
        headers = {"accept-encoding": accepted}
        with anyone.stream("GET", "/assets/app-3f2a.js", headers=headers) as packed:
            assert b"".join(packed.iter_raw()) == sent
        assert packed.headers["vary"] == "Accept-Encoding"
        assert packed.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%00",
    ],
)
def test_no_address_leads_out_of_the_build(server: Running, path: str) -> None:
    with server.anyone() as anyone:
        assert "secret" not in anyone.get(path).text


def test_a_page_says_how_to_build_the_studio_where_it_is_not_built(tmp_path: Path) -> None:
    with running(tmp_path, studio=tmp_path / "none") as server, server.anyone() as anyone:
        page = anyone.get("/designer")
        assert page.status_code == 200
        assert "make studio" in page.text
