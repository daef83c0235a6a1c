from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelwright.actions import palette_cache
from modelwright.actions.components import list_components, show_component
from modelwright.components import library
from modelwright.components.errors import UnknownComponent
from tests.cli.command import Command

KEYS = {"id", "title", "category", "version", "inputs", "outputs", "parameters"}


def test_the_json_list_has_the_shape_that_others_read(modelwright: Command) -> None:
    found = modelwright("component", "list", "--json").json
    assert len(found) > 10
    for component in found:
        assert component.keys() >= KEYS
        assert isinstance(component["version"], int)
        for side in ("inputs", "outputs"):
            for port in component[side]:
                assert {"name", "title", "type"} <= port.keys()
        assert all(isinstance(port["optional"], bool) for port in component["inputs"])
        for parameter in component["parameters"]:
            assert {"name", "title", "type", "default"} <= parameter.keys()
            if parameter["type"] == "choice":
                assert parameter["default"] in [*parameter["choices"], None]


def test_the_text_names_what_the_json_holds(modelwright: Command) -> None:
    found = modelwright("component", "list", "--json").json
    text = modelwright("component", "list").out
    for component in found:
        assert f"{component['id']} " in text
        assert component["title"] in text


def test_hidden_components_are_listed_only_when_asked_for(modelwright: Command) -> None:
    plain = {c["id"] for c in modelwright("component", "list", "--json").json}
    every = {c["id"] for c in modelwright("component", "list", "--all", "--json").json}
    saved = {"saved-model", "saved-transformation", "saved-data", "saved-files"}
    assert every - plain == {"dataset", *saved}


def test_a_category_narrows_the_list(modelwright: Command) -> None:
    found = modelwright("component", "list", "--category", "web", "--json").json
    assert {c["category"] for c in found} == {"Web Service"}


def test_a_component_is_shown_with_ports_parameters_and_their_conditions(
    modelwright: Command,
) -> None:
    text = modelwright("component", "show", "split-data").out
    assert "Split Data (split-data, version 1) in Data Transformation" in text
    assert "results_dataset2" in text
    assert "float ≥ 0, ≤ 1" in text
    assert "When mode is Split Rows and randomized is true." in text


def test_a_long_default_is_shown_by_its_first_line(modelwright: Command) -> None:
    text = modelwright("component", "show", "execute-python-script").out
    assert " …" in text
    assert "import pandas" not in text


def test_an_unknown_component_is_a_mistake_with_the_nearest_names(modelwright: Command) -> None:
    done = modelwright("component", "show", "split-dta")
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("error [unknown-component]: ")
    assert '"split-data"' in done.err


def test_descriptions_are_kept_until_a_component_changes(tmp_path: Path) -> None:
    first = list_components(hidden=True, cache=tmp_path)
    assert palette_cache.recall(tmp_path) == first
    (tmp_path / f"{palette_cache._state()}.json").write_text("[", encoding="utf-8")
    assert palette_cache.recall(tmp_path) is None
    assert list_components(hidden=True, cache=tmp_path) == first


def test_old_descriptions_are_cleared_away(tmp_path: Path) -> None:
    for age in range(5):
        old = tmp_path / f"{age}.json"
        old.write_text("[]", encoding="utf-8")
        os.utime(old, (age, age))
    palette_cache.note(tmp_path, [])
    assert len(list(tmp_path.iterdir())) == 3
    assert palette_cache.recall(tmp_path) == []


def test_a_folder_that_cannot_be_written_to_is_done_without(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert show_component("split-data", cache=file / "below")["title"] == "Split Data"
    with pytest.raises(UnknownComponent):
        show_component("nothing-like-it", cache=file / "below")


def test_packages_that_bring_components_are_part_of_what_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert palette_cache.GROUP == library.ENTRY_POINTS
    bare = palette_cache._state()
    (tmp_path / "bringer.py").write_text("", encoding="utf-8")
    installed = tmp_path / "bringer-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: bringer\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[{palette_cache.GROUP}]\nmore = bringer\n")
    monkeypatch.syspath_prepend(tmp_path)
    brought = palette_cache._state()
    (tmp_path / "bringer.py").write_text("changed = True", encoding="utf-8")
    assert len({bare, brought, palette_cache._state()}) == 3


def test_listing_components_again_takes_less_than_half_a_second_and_loads_no_tables(
    tmp_path: Path,
) -> None:
    script = """
import resource, sys
from modelwright.cli.main import run
status = run(["component", "list", "--json"])
used = resource.getrusage(resource.RUSAGE_SELF)
print(status, "polars" in sys.modules, used.ru_utime + used.ru_stime, file=sys.stderr)
"""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    seen = [
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stderr.split()
        for _ in range(4)
    ]
    assert [words[:2] for words in seen[1:]] == [["0", "False"]] * 3
    # Time of the processor, as other tests run beside this one; the best of some.
    assert min(float(words[2]) for words in seen[1:]) < 0.5
