"""Commands about drafts: the pipelines of the studio, and what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from modelwright.cli.deployment import tell_step
from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table
from modelwright.cli.settings import SettingsOption, parse_settings

if TYPE_CHECKING:
    from modelwright.actions.inference_updates import InferenceUpdate
    from modelwright.graph.merge import Side
    from modelwright.inference.parity import Parity

app = typer.Typer(no_args_is_help=True)

DraftArgument = Annotated[
    str, typer.Argument(metavar="DRAFT", show_default=False, help="The draft's id.")
]


@app.command("list")
def list_(home: HomeOption = None, json: JsonOption = False) -> None:
    """List drafts, the last changed first."""
    with opened(home) as here:
        found = here.workspace.drafts.list(limit=200).items
    if json:
        put_json(found)
        return
    put_table(
        ("ID", "NAME", "KIND", "REVISION", "CHANGED"),
        ((d.id, d.name, d.kind, d.revision, d.changed_at) for d in found),
    )


@app.command()
def create(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="A pipeline file (YAML).")
    ],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Begin a draft with the pipeline of a file; print its id."""
    from modelwright.actions.drafts import new_draft
    from modelwright.actions.pipelines import read_pipeline

    document = read_pipeline(file)
    with opened(home) as here:
        made = new_draft(here, document=document)
    if json:
        put_json({"id": made.record.id, "name": made.record.name})
        return
    put(made.record.id)


@app.command()
def run(
    draft: DraftArgument,
    settings: SettingsOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Run a draft as it is saved; what has not changed is reused."""
    from modelwright.actions.drafts import get_draft, readable_graph
    from modelwright.actions.run_pipeline import begin_run, require_completed
    from modelwright.cli.run import put_report
    from modelwright.cli.working import work

    given = parse_settings(settings)
    with opened(home) as here:
        graph = readable_graph(here, draft)
        revision = get_draft(here, draft).record.revision
        begun = begin_run(here, graph, settings=given, draft_id=draft, draft_revision=revision)
        report = work(begun)
    if json:
        put_json(report)
    else:
        put_report(report)
    require_completed(report)


@app.command()
def convert(
    run_id: Annotated[
        str, typer.Argument(metavar="RUN", show_default=False, help='A run, or "latest".')
    ],
    kind: Annotated[str, typer.Option(help="real-time or batch.")] = "real-time",
    name: Annotated[
        str | None, typer.Option(metavar="NAME", show_default=False, help="Of the new draft.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make an inference draft of a run; its model and transformations get registered."""
    from modelwright.actions.inference_drafts import inference_draft
    from modelwright.cli.pipeline import put_conversion

    if kind not in ("real-time", "batch"):
        raise typer.BadParameter("it is real-time or batch", param_hint="--kind")
    with opened(home) as here:
        made = inference_draft(
            here, run_id, name=name, kind=cast(Literal["real-time", "batch"], kind)
        )
    if json:
        put_json({"id": made.draft.record.id, **made.converted.to_json()})
        return
    put_conversion(made.converted)
    put(f"Draft: {made.draft.record.id}")


@app.command()
def parity(draft: DraftArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Say whether an inference draft, as it is now, scores as its training run did."""
    from modelwright.actions.inference_drafts import parity_of_draft

    with opened(home) as here:
        found = parity_of_draft(here, draft)
    if json:
        put_json(found.to_json() if found else None)
        return
    _put_parity(found)


@app.command()
def update(
    draft: DraftArgument,
    take: Annotated[bool, typer.Option("--take", help="Store it; else only show it.")] = False,
    theirs: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            show_default=False,
            help="Let the new run's change count for this clash; may be given again.",
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Bring an inference draft up to the latest run of its training draft.

    Model and transformations together; edits made by hand are kept.
    """
    from modelwright.actions.inference_updates import take_update, update_of_draft

    choices: dict[str, Side] = dict.fromkeys(theirs or (), "theirs")
    with opened(home) as here:
        found = update_of_draft(here, draft, choices=choices)
        if take:
            revision = found.draft.record.revision
            take_update(here, draft, revision=revision, choices=choices)
    if json:
        put_json(_as_json(found, taken=take))
        return
    _put_update(found)
    put("The draft is up to date." if take else "Store it with --take.")


@app.command()
def reset(draft: DraftArgument, home: HomeOption = None) -> None:
    """Put an inference draft back to what the conversion made of its run."""
    from modelwright.actions.drafts import get_draft
    from modelwright.actions.inference_drafts import reset_draft

    with opened(home) as here:
        revision = get_draft(here, draft).record.revision
        reset_draft(here, draft, revision=revision)
    put(f"{draft} is as it was converted.")


@app.command()
def deploy(
    draft: DraftArgument,
    name: Annotated[
        str, typer.Option(metavar="NAME", show_default=False, help="The endpoint's name.")
    ],
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    cluster: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default="default", help="Where a new endpoint runs."),
    ] = None,
    settings: SettingsOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Serve an inference draft; it goes on serving when this command has ended."""
    from modelwright.actions.inference_drafts import deploy_draft

    given = parse_settings(settings) or None
    with opened(home) as here:
        made = deploy_draft(
            here,
            draft,
            name=name,
            description=description,
            deployment=given,
            cluster=cluster,
            on_step=tell_step,
        )
    if json:
        put_json(made)
        return
    put(f"{made.report.record.name} is {made.report.state}: {made.report.scoring_url}")


@app.command()
def delete(draft: DraftArgument, home: HomeOption = None) -> None:
    """Put a draft aside; a clean-up takes it away for good."""
    with opened(home) as here:
        here.workspace.drafts.delete(draft)
    put(f"{draft} is deleted; modelwright draft restore {draft} brings it back.")


@app.command()
def restore(draft: DraftArgument, home: HomeOption = None) -> None:
    """Bring back a deleted draft."""
    with opened(home) as here:
        here.workspace.drafts.restore(draft)
    put(f"{draft} is back.")


def _put_parity(found: Parity | None) -> None:
    if found is None:
        put("Nothing can be compared with a training run.")
        return
    put(f"Parity: {found.verdict}; {found.reason}.")
    put_table(
        ("COLUMN", "LARGEST DIFFERENCE", "ROWS THAT DIFFER"),
        ((c.column, c.largest, c.rows) for c in found.columns),
    )


def _put_update(found: InferenceUpdate) -> None:
    put_table(
        ("VALUE", "WHAT", "BEFORE", "AFTER"),
        ((f.title, f.change, _short(f.old), _short(f.new)) for f in found.frozen),
    )
    put()
    put_table(
        ("NODE", "PARAMETER", "NOW", "AFTER"),
        ((n.title, s.parameter, s.left, s.right) for n in found.runs.nodes for s in n.settings),
    )
    put()
    put_table(("FIGURE", "NOW", "AFTER"), ((m.name, m.left, m.right) for m in found.runs.metrics))
    if found.clashes:
        put()
        put_table(
            ("CLASH", "MADE BY HAND", "OF THE NEW RUN"),
            ((c.key, _short(c.mine), _short(c.theirs)) for c in found.clashes),
        )
    put()
    if found.fault is not None:
        put(f"It cannot answer as it comes out: {found.fault}")
    else:
        _put_parity(found.parity)


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text[7:15] if text.startswith("sha256:") else text


def _as_json(found: InferenceUpdate, *, taken: bool) -> dict[str, object]:
    from modelwright.actions.as_json import as_json

    return {
        "taken": taken,
        "run": found.runs.right.run.id,
        "frozen": as_json(found.frozen),
        "nodes": as_json(found.runs.nodes),
        "metrics": as_json(found.runs.metrics),
        "clashes": [{"key": c.key, **as_json(c)} for c in found.clashes],
        "parity": found.parity.to_json() if found.parity else None,
    }
