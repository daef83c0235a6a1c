"""The code of the page about the client does what the page says, word for word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelwright import samples
from modelwright.actions.endpoints import delete_endpoint, list_endpoints
from modelwright.client.home import opened
from tests.api.servers import Running, running

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "use-the-python-client.md"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "server") as server:
        yield server
        for report in list_endpoints(server.home):
            delete_endpoint(server.home, report.record.name)


def test_the_page_s_code_runs_from_top_to_bottom(
    server: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cars.csv").write_bytes(samples.DATASETS[0].path.read_bytes())
    token, _ = server.home.workspace.people.create_api_token("page")
    world: dict[str, Any] = {"SERVER": server.address, "TOKEN": token}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 4
    try:
        for block in blocks:
            exec(compile(block, str(PAGE), "exec"), world)
    finally:
        with opened(tmp_path / "home") as home:
            for report in list_endpoints(home):
                delete_endpoint(home, report.record.name)
    printed = capsys.readouterr().out
    assert "Scored Labels" in printed
    assert "equal" in printed
    assert {e["name"] for e in server.get("/api/endpoints")["items"]} == {"prices"}
