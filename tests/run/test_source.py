from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelwright.components.contract import Component
from modelwright.components.palette.web_service.web_service_output import WebServiceOutput
from modelwright.run.source import Source, source_of

COMPONENT = '''
from modelwright.components.contract import Component
from {package}.near import words
from . import beside
{more}

class Greet(Component, category="Test"):
    """Greets."""

    def run(self) -> None:
        from {package}.inside import late
'''

Written = Callable[..., type[Component]]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    """Writes a package of modules under a name of its own and imports its component."""
    monkeypatch.syspath_prepend(str(tmp_path))
    numbers = itertools.count()

    def write(more: str = "", **texts: str) -> type[Component]:
        package = f"third_party_{next(numbers)}"
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        modules = {
            "near": "from .far import words",
            "far": "words = 1",
            "beside": "",
            "inside": "late = 1",
        }
        for name, text in {**modules, "unused": "", **texts}.items():
            (folder / f"{name}.py").write_text(text.replace("PACKAGE", package))
        (folder / "greet.py").write_text(COMPONENT.format(package=package, more=more))
        found: type[Component] = importlib.import_module(f"{package}.greet").Greet
        return found

    yield write
    for name in [m for m in sys.modules if m.startswith("third_party_")]:
        del sys.modules[name]


def modules(source: Source | None) -> set[str]:
    """Names of the modules of the component's own package; empty for the package itself."""
    assert source is not None
    return {m.partition(".")[2] for m in source.modules if m.startswith("third_party")}


def test_the_source_is_all_that_the_component_leads_to(written: Written) -> None:
    assert modules(source_of(written())) == {"", "greet", "near", "far", "beside", "inside"}


@pytest.mark.parametrize("changed", ["near", "far", "beside", "inside"])
def test_a_change_in_anything_it_leads_to_changes_the_digest(
    written: Written, changed: str
) -> None:
    before, after = source_of(written()), source_of(written(**{changed: "words = late = 2"}))
    assert before is not None
    assert after is not None
    differing = {
        name.partition(".")[2]
        for (name, one), other in zip(before.modules.items(), after.modules.values(), strict=False)
        if one != other
    }
    assert changed in differing
    assert before.digest != after.digest


def test_a_change_in_what_it_does_not_lead_to_changes_nothing(written: Written) -> None:
    one = written()
    before = source_of(one)
    folder = Path(sys.modules[one.__module__].__file__ or "").parent
    (folder / "unused.py").write_text("words = 2")
    source_of.cache_clear()
    assert source_of(one) == before


def test_modules_chosen_at_run_time_count_all(written: Written) -> None:
    text = 'words = 1\ndef choose(kind):\n    return import_module(f"PACKAGE.{kind}")'
    assert "unused" in modules(source_of(written(near=text)))


def test_imports_in_parentheses_over_several_lines_are_seen(written: Written) -> None:
    text = "words = 1\nfrom PACKAGE import (\n    far,\n    unused,\n)"
    assert {"far", "unused"} <= modules(source_of(written(near=text)))


def test_tables_count_and_the_contract_does_not() -> None:
    source = source_of(WebServiceOutput)
    assert source is not None
    assert WebServiceOutput.__module__ in source.modules
    assert "modelwright.data.table" in source.modules
    assert "modelwright.components.contract" not in source.modules
    assert "modelwright.data.errors" not in source.modules


def test_a_class_without_a_file_has_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    class Typed(Component, category="Test"):
        """Typed at a prompt."""

    monkeypatch.setattr(Typed, "__module__", "__main__")
    assert source_of(Typed) is None
