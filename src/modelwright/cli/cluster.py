"""Commands about inference clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table
from modelwright.cli.settings import parse_settings

if TYPE_CHECKING:
    from modelwright.actions.clusters import ClusterReport

app = typer.Typer(no_args_is_help=True)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, help="The cluster's name.")
]
CoresOption = Annotated[
    float | None,
    typer.Option(
        "--cpu-cores",
        metavar="NUMBER",
        show_default="all there are",
        help="Processor cores that endpoints may reserve.",
    ),
]
MemoryOption = Annotated[
    float | None,
    typer.Option(
        "--memory-gb",
        metavar="NUMBER",
        show_default="all there is",
        help="Gigabytes of memory that endpoints may reserve.",
    ),
]


@app.command("list")
def list_(home: HomeOption = None, json: JsonOption = False) -> None:
    """List inference clusters: what they have, what is reserved, what is deployed there."""
    from modelwright.actions.clusters import list_clusters

    with opened(home) as here:
        found = list_clusters(here)
    if json:
        put_json(found)
        return
    put_table(
        ("NAME", "KIND", "STATE", "CORES FREE", "GB FREE", "ENDPOINTS"),
        (
            (
                c.record.name,
                c.record.kind,
                c.state,
                f"{c.free.cpu_cores:g} of {c.capacity.cpu_cores:g}",
                f"{c.free.memory_gb:.1f} of {c.capacity.memory_gb:.1f}",
                ", ".join(c.endpoints),
            )
            for c in found
        ),
    )


@app.command()
def show(name: NameArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show an inference cluster."""
    from modelwright.actions.clusters import show_cluster

    with opened(home) as here:
        _put(show_cluster(here, name), json=json)


@app.command()
def create(
    name: NameArgument,
    kind: Annotated[str, typer.Option(metavar="KIND", help="What it is made of.")] = "local",
    cpu_cores: CoresOption = None,
    memory_gb: MemoryOption = None,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            show_default=False,
            help="An option of its kind; may be given again.",
        ),
    ] = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Add an inference cluster; it is ready at once."""
    from modelwright.actions.clusters import create_cluster

    given = parse_settings(options)
    with opened(home) as here:
        made = create_cluster(
            here,
            name,
            kind=kind,
            cpu_cores=cpu_cores,
            memory_gb=memory_gb,
            options=given,
            description=description,
        )
        _put(made, json=json)


@app.command()
def resize(
    name: NameArgument,
    cpu_cores: CoresOption = None,
    memory_gb: MemoryOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Change how much of a cluster may be reserved; not below what is."""
    from modelwright.actions.clusters import resize_cluster, show_cluster
    from modelwright.actions.endpoints import start_waiting

    with opened(home) as here:
        resize_cluster(here, name, cpu_cores=cpu_cores, memory_gb=memory_gb)
        start_waiting(here, name)
        _put(show_cluster(here, name), json=json)


@app.command()
def detach(name: NameArgument, home: HomeOption = None) -> None:
    """Forget a cluster, and leave alone what it is made of."""
    from modelwright.actions.clusters import detach_cluster

    with opened(home) as here:
        detach_cluster(here, name)
    put(f"{name} is detached.")


@app.command()
def delete(name: NameArgument, home: HomeOption = None) -> None:
    """Forget a cluster, and delete what was kept for it."""
    from modelwright.actions.clusters import delete_cluster

    with opened(home) as here:
        delete_cluster(here, name)
    put(f"{name} is deleted.")


def _put(report: ClusterReport, *, json: bool) -> None:
    if json:
        put_json(report)
        return
    put(f"{report.record.name} ({report.record.kind}) is {report.state}.")
    if report.message:
        put(report.message)
    free, whole = report.free, report.capacity
    put(f"Processor cores: {free.cpu_cores:g} of {whole.cpu_cores:g} free")
    put(f"Memory in GB:    {free.memory_gb:.1f} of {whole.memory_gb:.1f} free")
    put(f"Endpoints:       {', '.join(report.endpoints) or 'none'}")
