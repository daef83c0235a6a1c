"""Settings given on the command line: NAME=VALUE or NODE.PARAM=VALUE, the value as YAML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import typer

from modelwright.data.errors import ModelwrightError

SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "--set",
        metavar="NAME=VALUE",
        show_default=False,
        help="Set a pipeline parameter, or NODE.PARAM of a node, as YAML; may be given again.",
    ),
]


TagsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="NAME=VALUE",
        show_default=False,
        help="A name and value for people, such as team=sales; may be given again.",
    ),
]


class MalformedSetting(ModelwrightError):
    """A setting on the command line is not of the form NAME=VALUE."""

    code = "malformed-setting"

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            f'The setting "{text}" cannot be read: {why}.',
            remedy="Write NAME=VALUE: --parameter NAME=VALUE for a pipeline parameter, --set "
            "NODE.PARAM=VALUE for a node's, such as --set split-data.fraction=0.8, and --set NAME=VALUE "
            "for an endpoint's, such as --set max_replicas=4.",
            text=text,
            why=why,
        )


def parse_settings(texts: Sequence[str] | None) -> dict[str, Any]:
    """Values by name; of a name that is given twice the last counts.  Raises MalformedSetting."""
    import yaml

    found: dict[str, Any] = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise MalformedSetting(text, "it has no name and value with = between them")
        try:
            given = yaml.safe_load(value)
        except yaml.YAMLError as error:
            why = getattr(error, "problem", None) or "it is malformed"
            raise MalformedSetting(text, f"its value is not YAML: {why}") from None
        # YAML reads 2020-01-31 as a date; parameters are JSON, which has none.
        found[name.strip()] = value.strip() if isinstance(given, date) else given
    return found


def parse_tags(texts: Sequence[str] | None) -> dict[str, str]:
    """Tags by name, each value as it is written.  Raises MalformedSetting."""
    found: dict[str, str] = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise MalformedSetting(text, "it has no name and value with = between them")
        found[name.strip()] = value.strip()
    return found
