"""Artifacts: a kind each, known by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from modelwright.data.artifact import Artifact, CorruptArtifact


class Note(Artifact):
    kind: ClassVar[str] = "test-note"
    title: ClassVar[str] = "Note"

    def save(self, folder: Path) -> None:
        (folder / "note").write_text("x")

    @classmethod
    def load(cls, folder: Path) -> Any:
        return cls()


class LongNote(Note):
    pass


def test_a_kind_finds_its_class_and_a_subclass_without_one_changes_nothing() -> None:
    assert Artifact.kinds["test-note"] is Note
    assert LongNote.kind == "test-note"


def test_a_kind_may_leave_summary_and_size_out() -> None:
    assert Note().summary() == {}
    assert Note().size == 0


def test_a_class_that_cannot_save_cannot_be_made() -> None:
    class Halfway(Artifact):
        title: ClassVar[str] = "Halfway"

    with pytest.raises(TypeError, match="abstract"):
        Halfway()  # type: ignore[abstract]


def test_damage_names_what_and_why() -> None:
    error = CorruptArtifact("table", "it is empty")
    assert error.happened == "The stored table cannot be read: it is empty."
    assert "--rerun" in error.remedy
    assert error.fields == {"what": "table", "why": "it is empty"}
