"""Commands about endpoints."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelwright.cli import deployment
from modelwright.cli.deployment import ClusterOption, put_deployments, tell_step
from modelwright.cli.export import export_endpoint
from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table, tell
from modelwright.cli.settings import TagsOption, parse_settings, parse_tags

if TYPE_CHECKING:
    from modelwright.actions.endpoints import EndpointReport
    from modelwright.actions.scoring import Scored

app = typer.Typer(no_args_is_help=True)
app.command("export")(export_endpoint)
for _command in (
    deployment.plan,
    deployment.traffic,
    deployment.shadow,
    deployment.promote,
    deployment.rollback,
    deployment.change,
):
    app.command()(_command)
app.command("delete-deployment")(deployment.remove)

_FOLLOW_S = 0.2

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, help="The endpoint's name.")
]


@app.command()
def deploy(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", show_default=False, help="An inference pipeline, as convert writes it."
        ),
    ],
    name: Annotated[
        str, typer.Option(metavar="NAME", show_default=False, help="The endpoint's name.")
    ],
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            show_default=False,
            help="A setting of the deployment, such as scoring_timeout_ms=500; may be given again.",
        ),
    ] = None,
    cluster: ClusterOption = None,
    share: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=100,
            show_default="all",
            help="Percent of the requests, beside the deployments that are there.",
        ),
    ] = None,
    shadow: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            show_default="none",
            help="Percent of the requests of which it gets copies only.",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address that it listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 0,
    tags: TagsOption = None,
    deployment_tags: Annotated[
        list[str] | None,
        typer.Option(
            "--deployment-tag",
            metavar="NAME=VALUE",
            show_default=False,
            help="The same for this deployment alone; may be given again.",
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Serve an inference pipeline; it goes on serving when this command has ended."""
    from modelwright.actions.endpoints import Beside, deploy_endpoint
    from modelwright.actions.pipelines import read_pipeline

    if share is not None and shadow is not None:
        raise typer.BadParameter("give either a share or a shadow", param_hint="--share")
    beside = None if share is None and shadow is None else Beside(share or 0, shadow or 0)
    given = parse_settings(settings) or None
    document = read_pipeline(file)
    with opened(home) as here:
        deployed = deploy_endpoint(
            here,
            document.graph,
            name=name,
            description=description,
            tags=parse_tags(tags),
            deployment_tags=parse_tags(deployment_tags),
            deployment=given,
            beside=beside,
            cluster=cluster,
            host=host,
            port=port,
            on_step=tell_step,
        )
    if json:
        put_json(deployed)
        return
    if not deployed.is_new:
        put("It serves this pipeline already.")
    _put(deployed.report)


@app.command("list")
def list_(
    tags: Annotated[
        list[str] | None,
        typer.Option(
            "--tag",
            metavar="NAME=VALUE",
            show_default=False,
            help="Only those that have it, or a deployment that has; may be given again.",
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List endpoints and how they do."""
    from modelwright.actions.endpoints import list_endpoints

    with opened(home) as here:
        found = list_endpoints(here, tags=parse_tags(tags))
    if json:
        put_json(found)
        return
    put_table(
        ("NAME", "STATE", "SCORING ADDRESS", "CREATED"),
        ((r.record.name, r.state, r.scoring_url, r.record.created_at) for r in found),
    )


@app.command()
def show(name: NameArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Show an endpoint: its state, its addresses, and what a request looks like."""
    from modelwright.actions.endpoints import endpoint_package, show_endpoint
    from modelwright.actions.scoring import sample_rows

    with opened(home) as here:
        report = show_endpoint(here, name)
        package = endpoint_package(here, name)
        samples = sample_rows(here, name)
    if json:
        put_json(
            {
                **report.to_json(),
                "inputs": package.inputs,
                "outputs": package.outputs,
                "steps": package.plan.steps,
                "crossover": package.plan.crossover,
                "example": {"Inputs": samples, "GlobalParameters": {}},
            }
        )
        return
    _put(report)
    _put_more(report)
    put()
    put_deployments(report)
    for request in package.inputs:
        put()
        put(f'Input "{request.name}":')
        put_table(
            ("COLUMN", "TYPE", "IN A REQUEST", "MAY BE MISSING"),
            ((c.name, c.type, c.use, c.missing) for c in request.columns),
        )
    for reply in package.outputs:
        put()
        put(f'Output "{reply.name}": {", ".join(c.name for c in reply.columns)}')
    put()
    put_table(
        ("NODE", "COMPONENT", "COMPILED", "MICROSECONDS PER ROW"),
        ((s.title, s.component, s.compiled, s.cost_us) for s in package.plan.steps),
        right=("MICROSECONDS PER ROW",),
    )
    if package.plan.crossover is not None:
        put(f"Requests of {package.plan.crossover} rows and more are scored as a table.")


@app.command()
def keys(
    name: NameArgument,
    regenerate: Annotated[
        str | None,
        typer.Option(
            metavar="WHICH", show_default=False, help="Make one anew: primary or secondary."
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Print the two keys of an endpoint; either opens it."""
    from modelwright.actions.endpoints import endpoint_keys, regenerate_key
    from modelwright.workspace.records.endpoints import KeyName

    if regenerate is not None and regenerate not in list(KeyName):
        raise typer.BadParameter("it is primary or secondary", param_hint="--regenerate")
    with opened(home) as here:
        found = (
            regenerate_key(here, name, KeyName(regenerate))
            if regenerate
            else endpoint_keys(here, name)
        )
    if json:
        put_json({"primary": found.primary, "secondary": found.secondary})
        return
    put(f"primary    {found.primary}")
    put(f"secondary  {found.secondary}")


@app.command()
def token(
    name: NameArgument,
    minutes: Annotated[
        float, typer.Option(min=0.02, max=1440, help="How long it opens the endpoint.")
    ] = 60.0,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Have all that were given out open nothing any more.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Print a short-lived token that opens an endpoint as a key does."""
    from modelwright.actions.tokens import issue_token, revoke_tokens

    with opened(home) as here:
        if revoke:
            revoke_tokens(here, name)
            put(f"The tokens of {name} open nothing any more.")
            return
        made = issue_token(here, name, seconds=round(minutes * 60))
    if json:
        put_json({"token": made.value, "expires_at": made.expires_at})
        return
    put(made.value)


@app.command()
def score(
    name: NameArgument,
    rows: Annotated[
        Path,
        typer.Option(
            "--input",
            metavar="FILE",
            show_default=False,
            help="Rows to score: .json, or a table such as .csv.",
        ),
    ],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Send rows to an endpoint over HTTP and print its reply."""
    from modelwright.actions.scoring import read_rows, score_rows

    with opened(home) as here:
        scored = score_rows(here, name, read_rows(here, name, rows))
    if json:
        put_json(scored)
        return
    put_scored(scored)


@app.command()
def start(name: NameArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Have a stopped endpoint answer again."""
    from modelwright.actions.endpoints import start_endpoint

    with opened(home) as here:
        report = start_endpoint(here, name)
    if json:
        put_json(report)
        return
    _put(report)


@app.command()
def stop(name: NameArgument, home: HomeOption = None, json: JsonOption = False) -> None:
    """Have an endpoint answer no more; its keys and its address stay."""
    from modelwright.actions.endpoints import stop_endpoint

    with opened(home) as here:
        report = stop_endpoint(here, name)
    if json:
        put_json(report)
        return
    put(f"{report.record.name} is {report.state}.")


@app.command()
def logs(
    name: NameArgument,
    lines: Annotated[int, typer.Option(min=0, help="How many lines.")] = 100,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written, until Ctrl+C.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Print the last lines that an endpoint has written: its controller, replicas and scripts."""
    from modelwright.actions.endpoints import endpoint_log, endpoint_log_from, log_place

    with opened(home) as here:
        if not follow:
            for line in endpoint_log(here, name, lines=lines):
                put(line)
            return
        place = log_place(here, name, lines)
        while True:
            piece = endpoint_log_from(here, name, place)
            place = piece.next
            if piece.text:
                put(piece.text.rstrip("\n"))
            else:
                time.sleep(_FOLLOW_S)


@app.command()
def collected(
    name: NameArgument,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", show_default=False, help="Copy the files into this folder."),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List the requests and replies that an endpoint has kept, where data_collection is on."""
    import shutil

    from modelwright.actions.collected import collected_file, list_collected

    with opened(home) as here:
        found = list_collected(here, name)
        for one in found if out else ():
            target = (out or Path()) / str(one.deployment) / one.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(collected_file(here, name, one.deployment, one.name), target)
    if json:
        put_json(found)
        return
    put_table(
        ("DEPLOYMENT", "FILE", "BYTES", "CHANGED"),
        ((f.deployment, f.name, f.size, f.changed_at) for f in found),
    )


@app.command()
def delete(name: NameArgument, home: HomeOption = None) -> None:
    """Stop an endpoint and forget it with its keys."""
    from modelwright.actions.endpoints import delete_endpoint

    with opened(home) as here:
        delete_endpoint(here, name)
    put(f"{name} is deleted.")


def put_scored(scored: Scored) -> None:
    """Write the rows of a reply, and tell of those that a step took out."""
    from modelwright.cli.preview import put_rows

    for number, (output, rows) in enumerate(scored.results.items()):
        if number:
            put()
        if len(scored.results) > 1:
            put(f"{output}:")
        put_rows(rows)
    for dropped in scored.dropped:
        where = f"Row {dropped['row']}" if "row" in dropped else f"{dropped['rows']} rows"
        tell(f'{where} dropped by "{dropped["node"]}": {dropped["reason"]}')


_MEMORY = {
    "cgroup": "{gb:g} GB for each replica, held by a control group",
    "rlimit": "{gb:g} GB for each replica, held by a limit of its process",
    "container": "{gb:g} GB for the container, held by its engine",
    "none": "{gb:g} GB for each replica, set aside and not held to",
}


def _put_more(report: EndpointReport) -> None:
    """Write what only the page of one endpoint tells: its tags, and what bounds its memory."""
    if report.record.tags:
        tags = ", ".join(f"{k}={v}" for k, v in sorted(report.record.tags.items()))
        put(f"Tags:            {tags}")
    memory = report.status.memory if report.status else {}
    if memory:
        put(f"Memory:          {_MEMORY[memory['by']].format(gb=memory['gb'])}")


def _put(report: EndpointReport) -> None:
    put(f"{report.record.name} is {report.state}.")
    if report.status and report.status.message:
        put(report.status.message)
    if report.scoring_url:
        put(f"Scoring address: {report.scoring_url}")
        put(f"Documentation:   {report.status.swagger_url if report.status else ''}")
    put(f"Keys:            modelwright endpoint keys {report.record.name}")
