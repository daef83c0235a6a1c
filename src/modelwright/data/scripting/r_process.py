"""The process of a script in R."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from modelwright import temporary
from modelwright.data.errors import ModelwrightError
from modelwright.data.file_bundle import FileBundle
from modelwright.data.scripting.errors import (
    ScriptEnded,
    ScriptError,
    ScriptOutOfMemory,
    ScriptTimedOut,
)
from modelwright.data.scripting.process import Printed
from modelwright.data.scripting.r_driver import DRIVER
from modelwright.data.scripting.r_tables import read_table, write_table
from modelwright.data.scripting.script import BUNDLE_FOLDER
from modelwright.data.table import Table

PROGRAM_VARIABLE = "MODELWRIGHT_RSCRIPT"
"""Environment variable with the path of Rscript; the one on the search path by default."""

# Ends with its parent, and may have no more memory than is said; then it becomes R.
_LAUNCH = """
import ctypes, os, resource, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
if sys.argv[2]:
    most = int(float(sys.argv[2]) * 1e9)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
os.execv(sys.argv[3], sys.argv[3:])
"""
_PARSE_LINE = re.compile(r"script\.R:(\d+):\d+: (.*)", re.DOTALL)
_NO_MEMORY = ("cannot allocate", "memory exhausted")


class MissingR(ModelwrightError):
    """R is not installed where the script is to run."""

    code = "r-not-installed"

    def __init__(self) -> None:
        super().__init__(
            "R is not installed here: there is no program Rscript.",
            remedy="Install R (on Debian: apt install r-base-core), or name the program in "
            f"{PROGRAM_VARIABLE}.",
        )


def r_program() -> str:
    """The path of Rscript.  Raises MissingR."""
    given = os.environ.get(PROGRAM_VARIABLE)
    found = shutil.which(given or "Rscript")
    if found is None:
        raise MissingR
    return found


class RProcess:
    """R with a script loaded, for any number of calls of its function one after another.

    Arguments as those of ScriptProcess; seed: for R's random numbers, before the script is read.
    Raises MissingR, ScriptError, ScriptTimedOut and ScriptEnded.
    """

    def __init__(
        self,
        source: str,
        *,
        seed: int | None = None,
        bundle: FileBundle | None = None,
        memory_gb: float | None = None,
        time_s: float | None = None,
        scratch: Path | None = None,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        program = r_program()
        self.log = log
        self._memory_gb = memory_gb
        self.folder = Path(tempfile.mkdtemp(prefix="script-", dir=scratch or temporary.place()))
        working = self.folder / "work"
        working.mkdir()
        # R is ended by force, and would leave what it puts among the temporary files of all.
        own = self.folder / "temporary"
        own.mkdir()
        (self.folder / "script.R").write_text(source, encoding="utf-8")
        (self.folder / "driver.R").write_text(DRIVER, encoding="utf-8")
        if bundle is not None:
            bundle.unpack(working / BUNDLE_FOLDER)
        read, write = os.pipe()
        mark = secrets.token_hex(16)
        self._printed = Printed(read, self._say)
        ready = self._printed.expect(mark)
        files = [str(self.folder / name) for name in ("driver.R", "script.R")]
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-c", _LAUNCH),
                    *(str(os.getpid()), str(memory_gb or ""), program, "--vanilla"),
                    *(files[0], files[1], "" if seed is None else str(seed)),
                    *(str(self.folder), mark),
                ],
                cwd=working,
                stdin=subprocess.PIPE,
                stdout=write,
                stderr=write,
                # Moments without a zone are what the table says, wherever the machine is.
                env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "TMPDIR": str(own)},
                start_new_session=True,
            )
        finally:
            os.close(write)
        try:
            self._wait(ready, time_s)
            self._raise_told(self.folder)
        except BaseException:
            self.close()
            raise

    def call(
        self,
        tables: tuple[Table | None, Table | None],
        *,
        time_s: float | None = None,
        plots: bool = True,
    ) -> tuple[Table, Table | None, dict[str, bytes]]:
        """What azureml_main gives for two tables, and its plots by file name."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        for number, table in enumerate(tables, start=1):
            if table is not None:
                write_table(table, folder / f"dataset{number}")
        mark = secrets.token_hex(16)
        done = self._printed.expect(mark)
        assert self._process.stdin is not None  # noqa: S101  # it was asked for
        try:
            line = f"{folder}\t{mark}\t{'plots' if plots else 'none'}\n"
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except OSError:
            self.close()
            raise ScriptEnded from None
        self._wait(done, time_s)
        self._raise_told(folder)
        results = [
            read_table(folder / name, tables) if (folder / name).exists() else None
            for name in ("result1", "result2")
        ]
        assert results[0] is not None  # noqa: S101  # the driver sees to it
        images = {p.name: p.read_bytes() for p in sorted(folder.glob("plot-*.png"))}
        shutil.rmtree(folder, ignore_errors=True)
        return results[0], results[1], images

    def _wait(self, done: threading.Event, time_s: float | None) -> None:
        if not done.wait(time_s):
            self.close()
            raise ScriptTimedOut(time_s or 0)
        if self._printed.is_over:
            self.close()
            raise ScriptEnded

    def _raise_told(self, folder: Path) -> None:
        path = folder / "failed"
        if not path.exists():
            return
        kind, line, text = _texts(path)
        path.unlink()
        why = text.strip().partition("\n")[0].rstrip(".")
        number = int(line) or None
        if any(words in text for words in _NO_MEMORY):
            raise ScriptOutOfMemory(self._memory_gb, line=number)
        if kind == "result" and text.startswith("PARSE:"):
            found = _PARSE_LINE.search(text)
            number = int(found[1]) if found else None
            why = found[2].partition("\n")[0] if found else text.removeprefix("PARSE:")
        raise ScriptError(why, line=number)

    def _say(self, line: str) -> None:
        self.log(line)

    @property
    def is_there(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def close(self) -> None:
        """End R with all that it started; the files of its folder go, too."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        self._printed.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _texts(path: Path) -> list[str]:
    content = path.read_bytes()
    (count,) = struct.unpack_from("=i", content)
    sizes = struct.unpack_from(f"={count}i", content, 4)
    found, at = [], 4 + 4 * count
    for size in sizes:
        found.append(content[at : at + size].decode("utf-8", "replace"))
        at += size
    return found
