from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.api.whereabouts import told
from modelwright.workspace import Workspace
from modelwright.workspace.errors import TokenRejected
from tests.cli.command import command


def test_a_token_is_made_listed_and_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = command(tmp_path, capsys)
    made = run("token", "create", "nightly", "--days", "3", "--json").json
    plain = run("token", "create", "weekly")
    secret = plain.out.strip()
    assert "shown this once" in plain.err
    with Workspace.open(tmp_path) as workspace:
        for given in (made["secret"], secret):
            assert workspace.people.of_api_token(given).name == "owner"
    listed = run("token", "list", "--json").json
    assert [t["name"] for t in listed] == ["weekly", "nightly"]
    assert secret not in str(listed)
    assert "nightly" in run("token", "list").out
    assert run("token", "revoke", str(listed[0]["id"])).status == 0
    with Workspace.open(tmp_path) as workspace, pytest.raises(TokenRejected):
        workspace.people.of_api_token(secret)
    assert run("token", "revoke", "999").status == 2


def test_a_login_address_opens_one_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = command(tmp_path, capsys)("login", "--port", "9000").out.strip()
    start, _, token = address.partition("#token=")
    assert start == "http://127.0.0.1:9000/login"
    with Workspace.open(tmp_path) as workspace:
        assert workspace.people.log_in(token, once=True).person.name == "owner"
        with pytest.raises(TokenRejected):
            workspace.people.log_in(token, once=True)


def test_a_login_address_leads_to_the_server_that_is_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = command(tmp_path, capsys)
    refused = run("login")
    assert refused.status == 2
    assert "server-down" in refused.err
    assert "modelwright up" in refused.err
    with told(tmp_path, "127.0.0.1", 9123):
        with told(tmp_path, "127.0.0.1", 9124):
            pass
        assert run("login").out.startswith("http://127.0.0.1:9123/login#token=")
    assert run("login").status == 2


def test_a_killed_server_is_not_taken_for_one_that_is_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "server.json").write_text('{"host": "127.0.0.1", "port": 9123}')
    assert command(tmp_path, capsys)("login").status == 2
