"""Run command lines within the test, as the installed command would."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelwright.cli.main import run


@dataclass(frozen=True)
class Done:
    """What a command line gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.out)


Command = Callable[..., Done]
"""Runs a command line, given as words."""


def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs command lines on a home."""

    def call(*words: str | Path) -> Done:
        capsys.readouterr()
        status = run(["--home", str(home), *map(str, words)])
        written = capsys.readouterr()
        return Done(status, written.out, written.err)

    return call
