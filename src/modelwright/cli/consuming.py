"""Commands for who calls an endpoint: programs, and how fresh its answers are."""

from __future__ import annotations

from typing import Annotated

import typer

from modelwright.cli.deployment import NameArgument
from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json


def snippet(
    name: NameArgument,
    language: Annotated[
        str, typer.Option(metavar="NAME", help="curl, python, r, csharp or javascript.")
    ] = "curl",
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Put the primary key into the program.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Print a program that calls an endpoint and prints its reply."""
    from modelwright.actions.endpoints import endpoint_keys
    from modelwright.actions.snippets import KEY, LANGUAGES, endpoint_snippets

    if language not in LANGUAGES:
        raise typer.BadParameter(f"it is one of {', '.join(LANGUAGES)}", param_hint="--language")
    with opened(home) as here:
        key = endpoint_keys(here, name).primary if with_key else KEY
        put(endpoint_snippets(here, name, key=key)[language].rstrip("\n"))


def training(name: NameArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Say whether an endpoint serves what its training pipeline has learnt last."""
    from modelwright.actions.freshness import freshness_of

    with opened(home) as here:
        found = freshness_of(here, name)
    if json:
        put_json(
            {
                "deployment": found.deployment,
                "training_run": found.training_run.id if found.training_run else None,
                "newer_run": found.newer.id if found.newer else None,
                "draft": found.draft.id if found.draft else None,
                "draft_is_ahead": found.draft_is_ahead,
            }
        )
        return
    if found.training_run is None:
        put("It was deployed without a training run.")
        return
    put(f"It serves the results of {found.training_run.id}.")
    if found.draft_is_ahead and found.draft:
        put(
            f"Its draft has been updated since: modelwright draft deploy {found.draft.id} --name {name}"
        )
    elif found.newer:
        draft = found.draft.id if found.draft else "DRAFT"
        put(f"{found.newer.id} gave other results: modelwright draft update {draft} --take")
