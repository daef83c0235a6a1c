"""The help of every command, as outsiders read it.

After a wanted change, write the snapshot anew with:  UPDATE_SNAPSHOTS=1 pytest tests/cli/test_help.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from modelwright.cli.main import app

SNAPSHOT = Path(__file__).parent / "snapshots" / "help.txt"


def commands() -> Iterator[tuple[str, ...]]:
    """Every command and group, as words."""
    yield ()
    top = typer.main.get_group(app)
    for name, command in top.commands.items():
        yield (name,)
        for inner in getattr(command, "commands", {}):
            yield name, inner


def helps() -> str:
    script = """
import sys
from modelwright.cli.main import run
for words in sys.argv[1:]:
    print("$ modelwright", words, "--help")
    run([*words.split(), "--help"])
"""
    environment = {**os.environ, "COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, *(" ".join(words) for words in commands())],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"


def test_the_help_of_every_command_is_as_it_was() -> None:
    found = helps()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(found, encoding="utf-8")
    assert found == SNAPSHOT.read_text(encoding="utf-8")


def test_every_command_and_option_says_what_it_is() -> None:
    top = typer.main.get_group(app)
    for words in commands():
        command = top
        for word in words:
            command = command.commands[word]  # type: ignore[assignment]
        assert command.help, words
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert getattr(parameter, "help", None), (words, parameter.name)


def test_help_starts_without_tables_or_the_database() -> None:
    script = """
import sys
from modelwright.cli.main import run
run(["--help"]); run(["pipeline", "run", "--help"])
heavy = {"polars", "numpy", "sqlalchemy", "yaml", "modelwright.components.contract"} & set(sys.modules)
print(sorted(heavy), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"
