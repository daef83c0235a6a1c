"""What lies among the temporary files for a while, on real processes that end in every manner."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modelwright import temporary

OWNER = """
import sys
from modelwright import temporary

(temporary.place() / "rows").write_text("1")
print(temporary.place(), flush=True)
sys.stdin.read()
"""

FORKING = """
import os
from modelwright import temporary

(temporary.place() / "rows").write_text("1")
if os.fork() == 0:
    (temporary.place() / "others").write_text("1")
    print(temporary.place(), flush=True)
    temporary.clear()
    os._exit(0)
os.wait()
print((temporary.place() / "rows").read_text())
"""


@contextmanager
def owner(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that has something in its own temporary folder, until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())


def test_a_process_that_ends_leaves_nothing(tmp_path: Path) -> None:
    with owner(tmp_path) as (_, made):
        assert list(tmp_path.iterdir()) == [made]
        assert (made / "rows").exists()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_leaves_is_swept_by_the_next_that_begins(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, made):
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (made / "rows").exists()
    with owner(tmp_path) as (_, other):
        assert list(tmp_path.iterdir()) == [other]


def test_what_belongs_to_a_living_process_is_never_touched(tmp_path: Path) -> None:
    # Whatever else lies there is not ours: of another program, or of somebody with such a name.
    for name in ("modelwright-logs", "modelwright-notes-old", "tmpabc"):
        (tmp_path / name).mkdir()
    with owner(tmp_path) as (_, first), owner(tmp_path) as (_, second), owner(tmp_path):
        assert (first / "rows").exists()
        assert (second / "rows").exists()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"modelwright-logs", "modelwright-notes-old", "tmpabc"}


def test_nothing_is_put_among_the_temporary_files_of_all() -> None:
    made = re.compile(r"tempfile\.(mkdtemp|mkstemp|TemporaryDirectory|NamedTemporaryFile)\((.*)")
    package = Path(temporary.__file__).parent
    found = [
        f"{path.relative_to(package)}: {line.strip()}"
        for path in package.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if (call := made.search(line)) and "dir=" not in call[2]
    ]
    assert found == []


def test_a_folder_elsewhere_is_swept_as_well(tmp_path: Path) -> None:
    killed = """
import os, sys
from pathlib import Path
from modelwright import temporary

with temporary.passing(Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    os.kill(os.getpid(), 9)
"""
    said = subprocess.run(
        [sys.executable, "-c", killed, tmp_path], capture_output=True, text=True, check=False
    )
    left = Path(said.stdout.strip())
    assert left.parent == tmp_path
    assert left.is_dir()
    with temporary.passing(tmp_path) as mine, temporary.passing(tmp_path) as other:
        assert {*tmp_path.iterdir()} == {mine, other}
    assert list(tmp_path.iterdir()) == []


def test_a_forked_process_has_a_folder_of_its_own(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", FORKING],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ).stdout.split()
    assert not Path(said[0]).exists()
    assert said[1] == "1"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_somebody_has_cleaned_away_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary.clear()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first = temporary.place()
    first.rmdir()
    second = temporary.place()
    assert second.is_dir()
    assert second.parent == tmp_path
    temporary.clear()
    assert list(tmp_path.iterdir()) == []
