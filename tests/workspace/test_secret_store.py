from __future__ import annotations

import pytest
from sqlalchemy import text

from modelwright.workspace import Workspace
from modelwright.workspace.errors import InvalidName, NotFound, SecretKeyMismatch
from tests.workspace.conftest import FakeClock, OpenWorkspace


def test_a_secret_shows_everything_but_its_values(workspace: Workspace, clock: FakeClock) -> None:
    secret = workspace.secrets.put(
        "warehouse",
        {"user": "ada", "password": "péché\x00"},
        kind="postgresql",
        description="Sales",
        public={"host": "db.example", "port": 5432},
    )

    assert workspace.secrets.get("warehouse") == secret
    assert workspace.secrets.list() == (secret,)
    assert (secret.kind, secret.description, secret.keys) == (
        "postgresql",
        "Sales",
        ("user", "password"),
    )
    assert secret.public == {"host": "db.example", "port": 5432}
    assert secret.created_at == secret.changed_at == clock.time
    assert workspace.secrets.reveal("warehouse") == {"user": "ada", "password": "péché\x00"}


def test_a_secret_is_replaced_under_its_name(workspace: Workspace, clock: FakeClock) -> None:
    made = clock.time
    workspace.secrets.put("warehouse", {"password": "old"})
    changed = clock.move_on(minutes=1)
    secret = workspace.secrets.put("warehouse", {"token": "new"})

    assert (secret.created_at, secret.changed_at) == (made, changed)
    assert workspace.secrets.reveal("warehouse") == {"token": "new"}


def test_values_are_not_to_be_read_in_the_database(workspace: Workspace) -> None:
    workspace.secrets.put("warehouse", {"password": "hunter2hunter2"})
    with workspace.database.read() as connection:
        row = repr(connection.execute(text("SELECT * FROM secrets")).one())
    assert "hunter2" not in row


def test_a_changed_value_does_not_open(workspace: Workspace) -> None:
    workspace.secrets.put("one", {"password": "1"})
    with workspace.database.write() as connection:
        connection.execute(text("UPDATE secrets SET sealed = 'Z' || substr(sealed, 2)"))
    with pytest.raises(SecretKeyMismatch, match="one"):
        workspace.secrets.reveal("one")


@pytest.mark.parametrize("content", [b"", b"not a key\n"])
def test_a_damaged_key_file_is_named(open_workspace: OpenWorkspace, content: bytes) -> None:
    open_workspace().secrets.put("one", {"password": "1"})
    workspace = open_workspace()
    (workspace.home / "secret.key").write_bytes(content)

    with pytest.raises(SecretKeyMismatch, match=r"secret\.key"):
        workspace.secrets.reveal("one")


def test_a_deleted_secret_is_gone(workspace: Workspace) -> None:
    workspace.secrets.put("warehouse", {"password": "1"})
    workspace.secrets.delete("warehouse")
    assert workspace.secrets.list() == ()
    with pytest.raises(NotFound):
        workspace.secrets.delete("warehouse")


def test_an_unknown_secret_is_refused_with_the_nearest(workspace: Workspace) -> None:
    workspace.secrets.put("warehouse", {"password": "1"})
    with pytest.raises(NotFound, match='Nearest: "warehouse"'):
        workspace.secrets.reveal("warehose")
    with pytest.raises(InvalidName):
        workspace.secrets.put("", {})
