"""Commands about the deployments of an endpoint; they belong to `modelwright endpoint`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from modelwright.cli.place import HomeOption, JsonOption, opened
from modelwright.cli.printing import put, put_json, put_table, tell
from modelwright.cli.settings import MalformedSetting, TagsOption, parse_settings, parse_tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.actions.deploying import DeployStep
    from modelwright.actions.endpoints import EndpointReport
    from modelwright.actions.home import Home

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, help="The endpoint's name.")
]
NumberArgument = Annotated[
    int, typer.Argument(metavar="NUMBER", show_default=False, min=1, help="The deployment.")
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        show_default="default",
        help="Inference cluster of a new endpoint.",
    ),
]

_STEPS: dict[DeployStep, str] = {
    "compare": "Comparing its scores with the training run",
    "package": "Packaging it",
    "score": "Test score: answering the sample rows",
    "start": "Starting replicas",
}


def tell_step(step: DeployStep) -> None:
    """Write a step of a deployment, as it begins, to standard error."""
    tell(f"{_STEPS[step]} ...")


def plan(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", show_default=False, help="An endpoint, new or known."),
    ] = None,
    cluster: ClusterOption = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", show_default=False, help="A setting; may be given again."
        ),
    ] = None,
    beside: Annotated[
        bool, typer.Option("--beside", help="The deployments that the endpoint has stay.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Say what a deployment would take, and whether there is room for it."""
    from modelwright.actions.deployments import plan_deployment

    with opened(home) as here:
        found = plan_deployment(
            here, name=name, cluster=cluster, settings=parse_settings(settings), beside=beside
        )
    if json:
        put_json(found)
        return
    put(found.message)
    put(f"Each replica reserves {found.each.cpu_cores:g} cores and {found.each.memory_gb:g} GB.")


def traffic(
    name: NameArgument,
    shares: Annotated[
        list[str],
        typer.Argument(
            metavar="NUMBER=PERCENT...", show_default=False, help="Such as 1=90 2=10; 100 together."
        ),
    ],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Share the requests between deployments, present and former."""
    from modelwright.actions.deployments import set_traffic

    given = _shares(shares)
    with opened(home) as here:
        set_traffic(here, name, given)
        _show(here, name, json=json)


def shadow(
    name: NameArgument,
    number: NumberArgument,
    percent: Annotated[
        int, typer.Option(min=0, max=100, help="Share of the requests; 0 ends it.")
    ] = 100,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Send copies of requests to a deployment, and throw its answers away."""
    from modelwright.actions.deployments import set_shadow

    with opened(home) as here:
        set_shadow(here, name, number, percent)
        _show(here, name, json=json)


def promote(
    name: NameArgument, number: NumberArgument, home: HomeOption = None, json: JsonOption = False
) -> None:
    """Give a deployment, a canary or a former one, all requests."""
    from modelwright.actions.deployments import promote_deployment

    with opened(home) as here:
        promote_deployment(here, name, number)
        _show(here, name, json=json)


def rollback(
    name: NameArgument,
    to: Annotated[
        int | None,
        typer.Option(
            "--to", metavar="NUMBER", min=1, show_default="the one before", help="A deployment."
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Go back to a former deployment; no request is lost."""
    from modelwright.actions.deployments import promote_deployment, rollback_endpoint

    with opened(home) as here:
        if to is None:
            rollback_endpoint(here, name)
        else:
            promote_deployment(here, name, to)
        _show(here, name, json=json)


def change(
    name: NameArgument,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            show_default=False,
            help="A setting, such as max_replicas=4; may be given again.",
        ),
    ] = None,
    deployment: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            min=1,
            show_default="the one with most requests",
            help="Whose settings and tags.",
        ),
    ] = None,
    tags: TagsOption = None,
    untag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", show_default=False, help="Take a tag away; may be given again."
        ),
    ] = None,
    description: Annotated[
        str | None,
        typer.Option(metavar="TEXT", show_default="as it is", help="What it is for."),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Change settings of an endpoint while it serves: of a deployment, or of who may call it; or its tags."""
    from modelwright.actions.deployments import change_deployment
    from modelwright.actions.endpoints import change_endpoint, show_endpoint
    from modelwright.serve.settings import EndpointSettings

    if not (settings or tags or untag) and description is None:
        raise typer.BadParameter("give something to change", param_hint="--set")
    given = parse_settings(settings)
    access = {k: v for k, v in given.items() if k in EndpointSettings.__struct_fields__}
    others = {k: v for k, v in given.items() if k not in access}
    with opened(home) as here:
        report = show_endpoint(here, name)
        labels: dict[str, str] | None = None
        if tags or untag:
            whose = {d.number: d.tags for d in report.deployments}
            former = report.record.tags if deployment is None else whose.get(deployment, {})
            labels = {**former, **parse_tags(tags)}
            labels = {k: v for k, v in labels.items() if k not in (untag or ())}
        if deployment is not None and (others or labels is not None):
            change_deployment(here, name, deployment, others, tags=labels)
            others, labels = {}, None
        change_endpoint(
            here,
            name,
            deployment=others or None,
            endpoint=access or None,
            tags=labels,
            description=description,
        )
        _show(here, name, json=json)


def remove(name: NameArgument, number: NumberArgument, home: HomeOption = None) -> None:
    """Forget a deployment that gets no requests, with its package."""
    from modelwright.actions.deployments import delete_deployment

    with opened(home) as here:
        delete_deployment(here, name, number)
    put(f"{name} #{number} is deleted.")


def put_deployments(report: EndpointReport) -> None:
    """Write the deployments of an endpoint as a table, the newest first."""
    put_table(
        ("DEPLOYMENT", "STATE", "TRAFFIC", "SHADOW", "CREATED", "TAGS"),
        (
            (
                d.number,
                d.state,
                f"{d.traffic} %",
                f"{d.shadow} %" if d.shadow else "",
                d.created_at,
                ", ".join(f"{k}={v}" for k, v in sorted(d.tags.items())),
            )
            for d in report.deployments
        ),
    )


def _show(here: Home, name: str, *, json: bool) -> None:
    from modelwright.actions.endpoints import show_endpoint

    report = show_endpoint(here, name)
    if json:
        put_json(report)
        return
    put(f"{report.record.name} is {report.state}.")
    put_deployments(report)


def _shares(texts: Sequence[str]) -> dict[int, int]:
    found: dict[int, int] = {}
    for text in texts:
        number, _, percent = text.partition("=")
        if not (number.isdecimal() and percent.rstrip("%").isdecimal()):
            raise MalformedSetting(text, "it is not of the form NUMBER=PERCENT, such as 2=10")
        found[int(number)] = int(percent.rstrip("%"))
    return found
