"""Commands about compute clusters: where runs are worked on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table, tell

if TYPE_CHECKING:
    from modelwright.actions.compute import TargetState

app = typer.Typer(no_args_is_help=True)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, help="The compute cluster's name.")
]
Least = Annotated[
    int | None,
    typer.Option("--min", metavar="N", show_default=False, help="Workers that are kept."),
]
Most = Annotated[
    int | None,
    typer.Option("--max", metavar="N", show_default=False, help="Workers there may be."),
]
Idle = Annotated[
    float | None,
    typer.Option(
        "--idle", metavar="SECONDS", show_default=False, help="After so long an idle worker ends."
    ),
]
WorkerMemory = Annotated[
    int | None,
    typer.Option(
        "--memory", metavar="MB", show_default=False, help="What a worker may take; no bound."
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        show_default=False,
        help="Of a Ray cluster; one is started and stopped as needed unless given.",
    ),
]
Retries = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        show_default=False,
        help="How often a step whose worker crashed is tried again.",
    ),
]
Longest = Annotated[
    float | None,
    typer.Option(
        "--longest", metavar="SECONDS", show_default=False, help="A step is given up after so long."
    ),
]
Description = Annotated[
    str | None, typer.Option(metavar="TEXT", show_default=False, help="What it is for.")
]


@app.command("list")
def list_(home: HomeOption = None, json: JsonOption = False) -> None:
    """List compute clusters: how busy each is, and how many steps wait there."""
    from modelwright.actions.compute import list_targets

    with opened(home) as here:
        found = list_targets(here)
    if json:
        put_json(found)
        return
    put_table(
        ("NAME", "KIND", "STATE", "WORKERS", "MIN", "MAX", "IDLE", "RUN", "WAIT", "ADDRESS"),
        (
            (
                t.name,
                t.kind,
                t.state,
                len(t.workers),
                t.settings.min_workers,
                t.most,
                f"{t.settings.idle_s:g} s",
                len(t.running),
                len(t.waiting),
                t.settings.address,
            )
            for t in found
        ),
        right=("WORKERS", "MIN", "MAX", "RUN", "WAIT"),
    )


@app.command()
def show(name: NameArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show a compute cluster: what runs there, what waits, and why."""
    from modelwright.actions.compute import reach_compute, show_compute
    from modelwright.data.errors import ModelwrightError

    with opened(home) as here:
        found = show_compute(here, name)
        try:
            found = reach_compute(here, name)
        except ModelwrightError as error:
            # What is known of it without its machines is worth showing.
            tell(str(error))
    if json:
        put_json(found)
    else:
        _put(found)


@app.command()
def create(
    name: NameArgument,
    kind: Annotated[str, typer.Option(metavar="local|ray", help="What its workers are.")] = "local",
    least: Least = None,
    most: Most = None,
    idle: Idle = None,
    memory: WorkerMemory = None,
    address: Address = None,
    retries: Retries = None,
    longest: Longest = None,
    description: Description = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Define a compute cluster; nothing is started before a run needs it."""
    from modelwright.actions.compute import create_compute
    from modelwright.actions.compute_settings import ComputeSettings

    given = _given(least, most, idle, memory, address, retries, longest, description)
    with opened(home) as here:
        made = create_compute(
            here, ComputeSettings.from_json({"name": name, "kind": kind, **given})
        )
    if json:
        put_json(made)
    else:
        put(f"{made.name}: run a pipeline there with: pipeline run FILE --compute {made.name}")


@app.command()
def change(
    name: NameArgument,
    least: Least = None,
    most: Most = None,
    idle: Idle = None,
    memory: WorkerMemory = None,
    address: Address = None,
    retries: Retries = None,
    longest: Longest = None,
    description: Description = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Change a compute cluster, also the one called local; what is not named stays."""
    from modelwright.actions.compute import change_compute

    given = _given(least, most, idle, memory, address, retries, longest, description)
    with opened(home) as here:
        made = change_compute(here, name, given)
    if json:
        put_json(made)
    else:
        _put(made)


@app.command()
def delete(name: NameArgument, home: HomeOption = None) -> None:
    """Forget a compute cluster, and stop what was started for it."""
    from modelwright.actions.compute import delete_compute

    with opened(home) as here:
        delete_compute(here, name)
    tell(f'Compute cluster "{name}" is forgotten.')


def _given(
    least: int | None,
    most: int | None,
    idle: float | None,
    memory: int | None,
    address: str | None,
    retries: int | None,
    longest: float | None,
    description: str | None,
) -> dict[str, Any]:
    values = {
        "min_workers": least,
        "max_workers": most,
        "idle_s": idle,
        "worker_memory": memory * 1_000_000 if memory is not None else None,
        "address": address,
        "retries": retries,
        "longest_step_s": longest,
        "description": description,
    }
    return {key: value for key, value in values.items() if value is not None}


def _put(found: TargetState) -> None:
    settings = found.settings
    put(f"{found.name}: {found.kind}, {found.state}")
    most = "as many as there are cores" if found.most is None else found.most
    put(
        f"Workers: {len(found.workers)} now, {settings.min_workers} to {most}, idle for at most "
        f"{settings.idle_s:g} s; a step whose worker crashed is tried again {settings.retries} times."
    )
    if found.nodes:
        put_table(
            ("NODE", "CPUS", "GPUS", "MEMORY"),
            ((n["name"], n["cpus"], n["gpus"], n["memory"]) for n in found.nodes),
        )
    steps = [("runs", s) for s in found.running] + [("waits", s) for s in found.waiting]
    if steps:
        put_table(
            ("STATE", "RUN", "NODE", "WHY"), ((what, s.run, s.node, s.reason) for what, s in steps)
        )
