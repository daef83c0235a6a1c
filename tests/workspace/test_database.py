from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event, make_url, text

from modelwright.workspace import Workspace
from modelwright.workspace.database import Database
from modelwright.workspace.errors import DatabaseFull, DatabaseUnavailable
from modelwright.workspace.records.runs import NewEvent
from tests.workspace.conftest import OpenWorkspace

WRITER = """
import sys
from pathlib import Path
from modelwright.workspace import Workspace
from modelwright.workspace.records.runs import NewEvent

home, url, run, count = sys.argv[1:]
with Workspace.open(Path(home), database_url=url or None) as workspace:
    for number in range(int(count)):
        workspace.runs.events.append(run, [NewEvent("step", {"number": number})])
        workspace.settings.set("last writer", number)
"""

# Stores one thing, begins to store another, and waits to be killed.
HALF_WAY = """
import sys
from pathlib import Path
from modelwright.workspace import Workspace

home, url = sys.argv[1:]
workspace = Workspace.open(Path(home), database_url=url or None)
for number in range(20):
    workspace.settings.set(f"done {number}", number)
with workspace.transaction():
    workspace.settings.set("half", 1)
    workspace.drafts.create("half", document="x" * 100_000)
    print("half way", flush=True)
    sys.stdin.readline()
"""


def test_many_threads_write_without_one_being_refused(workspace: Workspace) -> None:
    run = workspace.runs.create("Tutorial", graph="")

    def write(thread: int) -> None:
        for number in range(25):
            workspace.runs.events.append(run.id, [NewEvent("step", {"at": [thread, number]})])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))

    events = workspace.runs.events.list(run.id)
    assert [event.seq for event in events] == list(range(1, 201))
    assert len({tuple(event.data["at"]) for event in events}) == 200


def test_several_processes_write_without_one_being_refused(
    workspace: Workspace, home: Path, database_url: str | None
) -> None:
    run = workspace.runs.create("Tutorial", graph="")
    arguments = [sys.executable, "-c", WRITER, str(home), database_url or "", run.id, "50"]
    processes = [subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for _ in range(50):
        workspace.settings.set("last writer", "parent")
    errors = [process.communicate(timeout=60)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert [e.seq for e in workspace.runs.events.list(run.id)] == list(range(1, 151))


def test_a_process_killed_half_way_loses_only_what_it_had_not_finished(
    open_workspace: OpenWorkspace, home: Path, database_url: str | None
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HALF_WAY, str(home), database_url or ""],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half way\n"
        process.send_signal(signal.SIGKILL)

    workspace = open_workspace()
    assert workspace.settings.all() == {f"done {number}": number for number in range(20)}
    assert workspace.drafts.list().total == 0
    workspace.settings.set("half", 2)
    assert workspace.settings.get("half") == 2


def test_a_reader_does_not_wait_for_a_writer(workspace: Workspace) -> None:
    workspace.settings.set("language", "en")
    with workspace.transaction(), ThreadPoolExecutor(1) as other:
        workspace.settings.set("language", "fr")
        assert other.submit(workspace.settings.get, "language").result(timeout=10) == "en"
        assert workspace.settings.get("language") == "fr"
    assert workspace.settings.get("language") == "fr"


def test_a_writer_that_gets_no_turn_is_told_so(home: Path, open_workspace: OpenWorkspace) -> None:
    workspace = open_workspace()
    workspace.settings.set("language", "en")
    impatient = Database(workspace.database.url, busy_timeout_s=0.1)
    change = text("UPDATE settings SET value = '1'")

    def write() -> None:
        with impatient.write() as connection:
            connection.execute(change)

    with workspace.database.write() as connection:
        connection.execute(change)
        with pytest.raises(DatabaseUnavailable, match="no turn"):
            write()
    write()
    impatient.close()


def test_a_thread_that_gets_no_turn_is_told_so(home: Path) -> None:
    Workspace.open(home).close()
    impatient = Database(make_url(f"sqlite:///{home}/modelwright.db"), busy_timeout_s=0.1)
    caught: list[DatabaseUnavailable] = []

    def write() -> None:
        try:
            with impatient.write():
                pass
        except DatabaseUnavailable as error:
            caught.append(error)

    with impatient.write():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(timeout=10)
    impatient.close()
    assert [error.code for error in caught] == ["database-unavailable"]


def test_a_forked_child_and_its_parent_both_go_on(workspace: Workspace) -> None:
    workspace.settings.set("language", "en")
    child = os.fork()
    if child == 0:
        # Only what the child stored shows how it fared; pytest must not go on in it.
        try:
            for number in range(20):
                workspace.settings.set(f"child {number}", workspace.settings.get("language"))
        finally:
            os._exit(0)
    for number in range(20):
        workspace.settings.set(f"parent {number}", number)
    os.waitpid(child, 0)

    stored = workspace.settings.all()
    assert [stored.get(f"child {number}") for number in range(20)] == ["en"] * 20
    assert [stored.get(f"parent {number}") for number in range(20)] == list(range(20))


def test_a_full_disk_refuses_the_change_and_keeps_all_before_it(home: Path) -> None:
    with Workspace.open(home) as workspace:
        draft = workspace.drafts.create("Prices", document="small")

        def limit(driver: sqlite3.Connection, _: object) -> None:
            (pages,) = driver.execute("PRAGMA page_count").fetchone()
            driver.execute(f"PRAGMA max_page_count = {pages + 4}")

        workspace.close()
        event.listen(workspace.database.engine, "connect", limit)
        with pytest.raises(DatabaseFull) as caught:
            workspace.drafts.save(draft.id, "x" * 1_000_000, None, revision=1)
        assert "Free disk space" in caught.value.remedy
        assert workspace.drafts.get(draft.id) == draft
        assert workspace.drafts.save(draft.id, "less", None, revision=1).revision == 2

        workspace.close()
        event.remove(workspace.database.engine, "connect", limit)
        saved = workspace.drafts.save(draft.id, "x" * 1_000_000, None, revision=2)
        assert len(saved.document) == 1_000_000


def test_a_damaged_file_is_told_from_an_empty_one(home: Path) -> None:
    home.mkdir()
    (home / "modelwright.db").write_bytes(b"this is no database at all" * 100)

    with pytest.raises(DatabaseUnavailable) as caught:
        Workspace.open(home)
    assert str(home / "modelwright.db") in str(caught.value)
    assert "backup" in caught.value.remedy
    assert (home / "modelwright.db").read_bytes() == b"this is no database at all" * 100


def test_a_file_in_a_folder_that_is_not_there_is_named(home: Path, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"):
        Workspace.open(home, database_url=f"sqlite:///{tmp_path}/none/such.db")


def test_sqlite_runs_as_promised(home: Path) -> None:
    with Workspace.open(home) as workspace, workspace.database.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


@pytest.mark.parametrize(
    ("code", "error", "told"),
    [
        ("53100", DatabaseFull, "no room"),
        ("40P01", DatabaseUnavailable, "no turn"),
        ("57P03", DatabaseUnavailable, "shutting down or starting"),
        ("42501", DatabaseUnavailable, "lacks a right"),
    ],
)
def test_failures_of_the_server_say_what_to_do(
    postgres_url: str, home: Path, code: str, error: type[Exception], told: str
) -> None:
    raised = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$"
    with Workspace.open(home, database_url=postgres_url) as workspace:
        with pytest.raises(error, match=told), workspace.database.write() as connection:
            connection.execute(text(raised))
        workspace.settings.set("still", "there")
        assert workspace.settings.get("still") == "there"


def test_a_connection_that_the_server_cut_is_made_anew(postgres_url: str, home: Path) -> None:
    with (
        Workspace.open(home, database_url=postgres_url) as workspace,
        Workspace.open(home, database_url=postgres_url) as other,
    ):
        workspace.settings.set("language", "fr")
        with workspace.database.read() as connection:
            backend = connection.scalar(text("SELECT pg_backend_pid()"))
        with other.database.write() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})

        assert workspace.settings.get("language") == "fr"


def test_a_connection_cut_within_a_transaction_is_told(postgres_url: str, home: Path) -> None:
    with Workspace.open(home, database_url=postgres_url) as workspace:

        def cut_off() -> None:
            with workspace.database.write() as connection:
                connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        with pytest.raises(DatabaseUnavailable):
            cut_off()
        workspace.settings.set("language", "fr")
        assert workspace.settings.get("language") == "fr"
