from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Command, command


@pytest.fixture
def modelwright(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return command(tmp_path / "home", capsys)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests out of the folders of whoever runs them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("MODELWRIGHT_HOME", raising=False)
