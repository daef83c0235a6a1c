from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelwright.actions.conversions import convert_pipeline
from modelwright.actions.endpoints import (
    change_endpoint,
    delete_endpoint,
    deploy_endpoint,
    endpoint_keys,
    endpoint_package,
)
from modelwright.actions.home import Home
from modelwright.actions.run_pipeline import run_pipeline
from modelwright.actions.snippets import KEY, LANGUAGES, endpoint_snippets
from modelwright.inference.openapi import example_request
from tests.actions.csharp import csharp_program
from tests.actions.homes import open_home, tutorial

COMMANDS = {
    "curl": ("bash", "program.sh"),
    "python": (sys.executable, "program.py"),
    "r": ("Rscript", "program.R"),
    "javascript": ("node", "program.mjs"),
}


@dataclass(frozen=True)
class World:
    home: Home
    key: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_home(tmp_path_factory.mktemp("home")) as home:
        report = run_pipeline(home, tutorial().graph)
        deploy_endpoint(home, convert_pipeline(home, report.run.id).document.graph, name="cars")
        yield World(home, endpoint_keys(home, "cars").primary)
        delete_endpoint(home, "cars")


@pytest.mark.parametrize("language", list(COMMANDS))
def test_a_program_runs_as_it_is_and_prints_the_score(
    world: World, tmp_path: Path, language: str
) -> None:
    command, file = COMMANDS[language]
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed")
    program = tmp_path / file
    program.write_text(endpoint_snippets(world.home, "cars", key=world.key)[language])
    done = subprocess.run(
        [command, str(program)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    rows = printed.get("Results", printed)["WebServiceOutput0"]
    assert len(rows) == 1
    assert 5_000 < rows[0]["Scored Labels"] < 40_000


def test_a_csharp_program_is_compiled_and_prints_the_score(world: World, tmp_path: Path) -> None:
    program = endpoint_snippets(world.home, "cars", key=world.key)["csharp"]
    command = csharp_program(program, tmp_path)
    if command is None:
        pytest.skip("C# IS NOT TRIED: neither dotnet nor Mono's mcs is installed (see .ci/run)")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["Results"]["WebServiceOutput0"]
    assert 5_000 < row["Scored Labels"] < 40_000


def test_a_csharp_program_is_well_formed_as_far_as_one_sees_without_a_compiler(
    world: World,
) -> None:
    program = endpoint_snippets(world.home, "cars", key=world.key)["csharp"]
    (written,) = re.findall(r'var body = @"((?:[^"]|"")*)";', program)
    body = json.loads(written.replace('""', '"'))
    assert body == example_with_one_row(world)
    code = re.sub(r'@?"(?:[^"\\]|""|\\.)*"|//.*', "", program)
    for opening, closing in ("()", "{}", "[]"):
        assert code.count(opening) == code.count(closing)
    statements = [line.strip() for line in code.splitlines() if line.strip()]
    ends = re.compile(r"[;{}=)]$|^using \(|^public |^private ")
    assert [line for line in statements if not ends.search(line)] == []


def example_with_one_row(world: World) -> dict[str, Any]:
    """What the programs send."""
    body = example_request(endpoint_package(world.home, "cars").inputs)
    return {**body, "Inputs": {name: rows[:1] for name, rows in body["Inputs"].items()}}


def test_no_key_is_shown_unless_it_is_given(world: World) -> None:
    programs = endpoint_snippets(world.home, "cars")
    assert set(programs) == set(LANGUAGES)
    for program in programs.values():
        assert KEY in program
        assert world.key not in program


def test_programs_send_no_key_to_an_endpoint_that_asks_for_none(world: World) -> None:
    change_endpoint(world.home, "cars", endpoint={"auth": "none"})
    for program in endpoint_snippets(world.home, "cars").values():
        assert KEY not in program
        assert "Bearer" not in program
