from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from modelwright.workspace import Workspace
from modelwright.workspace.errors import (
    DatabaseUnavailable,
    HomeUnusable,
    NameTaken,
    UnsupportedDatabase,
)
from tests.workspace.conftest import OpenWorkspace


def test_a_fresh_home_holds_a_key_and_a_database_that_only_their_owner_may_read(home: Path) -> None:
    Workspace.open(home).close()

    assert {path.name for path in home.iterdir()} == {"modelwright.db", "secret.key"}
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for path in home.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_that_others_may_read_is_closed_to_them(home: Path) -> None:
    Workspace.open(home).close()
    key = (home / "secret.key").read_bytes()
    (home / "secret.key").chmod(0o644)

    Workspace.open(home).close()

    assert stat.S_IMODE((home / "secret.key").stat().st_mode) == 0o600
    assert (home / "secret.key").read_bytes() == key


def test_what_was_stored_is_there_when_the_workspace_is_opened_again(
    open_workspace: OpenWorkspace,
) -> None:
    first = open_workspace()
    draft = first.drafts.create("Prices", document="nodes: {}")
    first.close()

    assert open_workspace().drafts.get(draft.id) == draft


def test_the_store_lies_in_the_home_unless_said_otherwise(home: Path) -> None:
    with Workspace.open(home) as workspace:
        assert workspace.store_url == str(home / "store")
    with Workspace.open(home, store_url="s3://bucket/artifacts") as workspace:
        assert workspace.store_url == "s3://bucket/artifacts"


def test_importing_loads_no_sql_and_opening_again_loads_no_migrations(home: Path) -> None:
    Workspace.open(home).close()
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from modelwright.workspace import Workspace\n"
        "heavy = {'sqlalchemy', 'alembic', 'cryptography', 'psycopg'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "Workspace.open(Path(sys.argv[1])).close()\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(home)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[]", "['sqlalchemy']"]


def test_several_processes_open_a_fresh_home_at_once(
    tmp_path: Path, database_url: str | None
) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from modelwright.workspace import Workspace\n"
        "sys.stdin.readline()\n"
        "with Workspace.open(Path(sys.argv[1]), database_url=sys.argv[2] or None) as workspace:\n"
        "    workspace.secrets.put(sys.argv[3], {'password': sys.argv[3]})\n"
        "    print(workspace.people.owner().id)\n"
    )
    home = tmp_path / "deep" / "home"
    arguments = [sys.executable, "-c", script, str(home), database_url or ""]
    processes = [
        subprocess.Popen(
            [*arguments, f"secret {number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, answers
    assert len({out for out, _ in answers}) == 1
    # All four sealed with the same key, or one could not be opened.
    with Workspace.open(home, database_url=database_url) as workspace:
        for number in range(4):
            name = f"secret {number}"
            assert workspace.secrets.reveal(name) == {"password": name}
        assert not list(home.glob("secret.key.*"))


def test_a_transaction_is_stored_as_a_whole(workspace: Workspace) -> None:
    with workspace.transaction():
        draft = workspace.drafts.create("Prices", document="")
        run = workspace.runs.create("Tutorial", graph="", draft_id=draft.id)

    assert workspace.runs.get(run.id).draft_id == draft.id


def test_a_transaction_that_fails_stores_nothing(workspace: Workspace) -> None:
    def change() -> None:
        with workspace.transaction():
            workspace.drafts.create("Prices", document="")
            workspace.settings.set("language", "fr")
            raise KeyError("something else went wrong")

    with pytest.raises(KeyError):
        change()

    assert workspace.drafts.list().total == 0
    assert workspace.settings.get("language") is None


def test_a_refused_change_within_a_transaction_leaves_the_rest_of_it(workspace: Workspace) -> None:
    workspace.endpoints.create("prices")
    with workspace.transaction():
        workspace.settings.set("before", 1)
        with pytest.raises(NameTaken):
            workspace.endpoints.create("prices")
        workspace.settings.set("after", 2)

    assert workspace.settings.all() == {"after": 2, "before": 1}


def test_a_home_that_is_a_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")

    with pytest.raises(HomeUnusable) as caught:
        Workspace.open(tmp_path / "home")
    assert str(tmp_path / "home") in str(caught.value)
    assert "--home" in caught.value.remedy


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://me:hidden@server/db", "only SQLite and PostgreSQL"),
        ("sqlite://", "in memory"),
        ("no url at all", "cannot be read"),
    ],
)
def test_other_databases_are_refused(home: Path, url: str, told: str) -> None:
    with pytest.raises(UnsupportedDatabase) as caught:
        Workspace.open(home, database_url=url)
    assert told in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert not home.exists()


def test_a_server_that_does_not_answer_is_named_without_its_password(home: Path) -> None:
    url = "postgresql://me:hidden@127.0.0.1:1/db?connect_timeout=2"
    with pytest.raises(DatabaseUnavailable) as caught:
        Workspace.open(home, database_url=url)
    assert "127.0.0.1:1/db" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "Check the address" in caught.value.remedy


def test_a_sqlite_file_elsewhere_can_be_given(home: Path, tmp_path: Path) -> None:
    with Workspace.open(home, database_url=f"sqlite:///{tmp_path}/other.db") as workspace:
        workspace.settings.set("language", "fr")

    assert (tmp_path / "other.db").exists()
    assert not (home / "modelwright.db").exists()
