from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelwright.components.contract import Component
from modelwright.components.errors import InvalidParameter, UnknownComponent
from modelwright.components.library import Library, NewerComponent, library


class Grow(Component, category="B", version=3, replaces=("widen",)):
    """Grows."""

    amount: int = 1
    """By how much."""

    def run(self) -> None:
        """Do it."""

    @classmethod
    def from_v1(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        """Version 1 called it size."""
        return {"by": parameters.get("size", 1)}

    @classmethod
    def from_v2(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        """Version 2 called it by."""
        return {"amount": parameters["by"]}


class Shrink(Component, category="A"):
    """Shrinks."""

    def run(self) -> None:
        """Do it."""


COMPONENTS: list[type[Component]] = [Grow, Shrink]
SMALL = Library(COMPONENTS)


def test_components_come_by_category_and_title() -> None:
    assert list(SMALL) == [Shrink, Grow]
    assert len(SMALL) == 2


def test_a_component_is_found_by_its_id_and_by_a_former_one() -> None:
    assert SMALL.find("grow") is Grow
    assert SMALL.find("widen") is Grow
    assert "widen" in SMALL
    assert "grov" not in SMALL
    assert SMALL.spec("shrink").title == "Shrink"


def test_an_unknown_id_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownComponent, match='Nearest: "grow"'):
        SMALL.find("grov")


def test_older_parameters_are_brought_up_step_by_step() -> None:
    assert SMALL.make("grow", 1, {"size": 4}) == Grow(amount=4)
    assert SMALL.make("widen", 2, {"by": 5}) == Grow(amount=5)
    assert SMALL.make("grow", 3, {"amount": 6}) == Grow(amount=6)


def test_a_newer_version_and_a_wrong_parameter_are_refused() -> None:
    with pytest.raises(NewerComponent, match="version 4"):
        SMALL.make("grow", 4, {})
    with pytest.raises(InvalidParameter):
        SMALL.make("grow", 3, {"amount": "much"})


def test_the_installed_library_holds_every_component_of_the_palette_once() -> None:
    ids = [component.__component__.id for component in library()]

    assert len(ids) == len(set(ids)) == len(library())
    assert {"split-data", "web-service-input", "dataset"} <= set(ids)
    assert library() is library()


def test_a_component_of_the_palette_is_in_the_module_that_is_named_after_it() -> None:
    for component in library():
        name = component.__module__.rpartition(".")[2].replace("_", "-")
        assert component.__component__.id == name


def test_only_the_components_that_are_asked_for_are_imported() -> None:
    program = """
import sys
from modelwright.components.library import library

found = library()
print(found.spec("split-data").title)
print(any(name.endswith(".clip_values") for name in sys.modules))
print("clip-values" in [component.__component__.id for component in found])
"""
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == ["Split Data", "False", "True"]


def test_a_module_that_cannot_be_imported_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    site = tmp_path / "broken-1.dist-info"
    site.mkdir()
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (site / "entry_points.txt").write_text(
        "[modelwright.components]\none = broken_parts\ntwo = no_such_parts\n"
    )
    (tmp_path / "broken_parts.py").write_text("raise ValueError('old\\nway')\n")
    monkeypatch.syspath_prepend(tmp_path)
    library.cache_clear()
    try:
        found = library()
        told = [(u.module, u.package, u.why) for u in found.unusable]
    finally:
        monkeypatch.undo()
        library.cache_clear()

    assert told == [
        ("broken_parts", "broken", "ValueError: old"),
        ("no_such_parts", "broken", "ModuleNotFoundError: No module named 'no_such_parts'"),
    ]
    assert "broken_parts" in caplog.text
    assert "split-data" in found
    assert library().unusable == []
