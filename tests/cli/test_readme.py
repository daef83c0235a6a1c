from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from modelwright.cli.main import app

README = Path(__file__).parents[2] / "README.md"
LINES = re.findall(r"^ {4}modelwright ([^#\n]+)", README.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_readme_is_there_with_its_options(line: str) -> None:
    command = typer.main.get_command(app)
    words = shlex.split(line)
    while words and (inner := getattr(command, "commands", {}).get(words[0])):
        command = inner
        words = words[1:]
    assert not hasattr(command, "commands"), line
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options


def test_the_readme_names_every_group_of_commands() -> None:
    top = typer.main.get_command(app)
    named = {line.split()[0] for line in LINES} | {"demo"}
    assert set(getattr(top, "commands", {})) == named
