"""The commands on the page about endpoints are there, and their settings too."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
import typer

from modelwright.cli.main import app
from modelwright.serve.settings import DeploymentSettings, EndpointSettings

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "deploy-and-update.md"
TEXT = PAGE.read_text(encoding="utf-8")
LINES = re.findall(r"^ {4}modelwright ([^#\n]+)", TEXT, re.MULTILINE)


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_page_is_there_with_its_options(line: str) -> None:
    command = typer.main.get_command(app)
    words = shlex.split(line)
    while words and (inner := getattr(command, "commands", {}).get(words[0])):
        command, words = inner, words[1:]
    assert not hasattr(command, "commands"), line
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options
    known = {*DeploymentSettings.__struct_fields__, *EndpointSettings.__struct_fields__}
    given = [b.partition("=")[0] for a, b in pairwise(words) if a == "--set"]
    assert set(given) <= known


def test_the_page_names_every_setting_and_its_default() -> None:
    table = TEXT[TEXT.index("| setting |") : TEXT.index("## Who may call it")]
    fields = {**DeploymentSettings.explained(), **EndpointSettings.explained()}
    assert set(re.findall(r"`([a-z_]+)`", table)) >= fields.keys() - {"tags"}
    rows = [line for line in table.splitlines() if line.startswith("|")]
    for name in ("max_replicas", "cpu_reserve", "memory_reserve_gb", "scoring_timeout_ms", "auth"):
        (row,) = [line for line in rows if f"`{name}`" in line.split("|")[1]]
        assert str(fields[name]["default"]) in row
