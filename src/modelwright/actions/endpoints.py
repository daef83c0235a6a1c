"""Endpoints: deploy an inference pipeline under a name, look at it, and take it away."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright import temporary
from modelwright.actions.clusters import LOCAL, target_of, target_on
from modelwright.actions.deploying import OnDeployStep, say_nothing, watched
from modelwright.actions.deployments import (
    SOURCE,
    change_deployment,
    find_endpoint,
    hand_over_keys,
    live_deployments,
    present_offers,
    serve,
    settings_for,
    tell,
)
from modelwright.data.errors import ModelwrightError
from modelwright.graph.graph import Graph
from modelwright.serve.capacity import Unschedulable
from modelwright.serve.certificates import check_current
from modelwright.serve.errors import InvalidSetting
from modelwright.serve.status import EndpointStatus, State
from modelwright.serve.target import Offer
from modelwright.workspace.errors import NotFound, WrongState
from modelwright.workspace.records.clusters import DEFAULT_CLUSTER
from modelwright.workspace.records.endpoints import (
    Deployment,
    DeploymentLineage,
    DesiredState,
    Endpoint,
    EndpointKeys,
    EndpointState,
    KeyName,
)

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.inference.package import Package


@dataclass(frozen=True, slots=True)
class Beside:
    """How a deployment takes part beside those that its endpoint has.

    share: percent of the requests.  shadow: percent of the requests of which it gets copies; where it
    is above 0, its answers are thrown away and share does not count.
    """

    share: int = 0
    shadow: int = 0

    def __post_init__(self) -> None:
        """Raises InvalidSetting."""
        for name, value in (("share", self.share), ("shadow", self.shadow)):
            if not 0 <= value <= 100:
                raise InvalidSetting(name, value, "a whole number from 0 to 100")


_PIECE = 1_000_000


@dataclass(frozen=True)
class EndpointReport:
    """An endpoint as it was asked for, and as it is found now.

    deployments: the newest first.  status: what its replica says; None where there is none.
    """

    record: Endpoint
    deployments: tuple[Deployment, ...]
    status: EndpointStatus | None

    @property
    def state(self) -> State:
        """How it does."""
        return self.status.state if self.status else _remembered(self.record.state)

    @property
    def scoring_url(self) -> str:
        """Where requests are sent; empty when it answers nowhere."""
        return self.status.scoring_url if self.status else ""

    def to_json(self) -> dict[str, Any]:
        """The record with the state as it is now, its addresses and its deployments."""
        from modelwright.actions.as_json import as_json

        live = self.status.to_json() if self.status else {}
        record: dict[str, Any] = as_json(self.record)
        return {
            **record,
            "state": self.state.value,
            "message": live.get("message", self.record.message),
            "scoring_url": self.scoring_url,
            "swagger_url": live.get("swagger_url", ""),
            "pid": live.get("pid"),
            "settings": live.get("deployment", {}),
            "access": live.get("endpoint", {}),
            "answered": live.get("answered", 0),
            "memory": live.get("memory", {}),
            "deployments": as_json(self.deployments),
        }


@dataclass(frozen=True)
class Deployed:
    """What a deployment came to.  is_new: False when the endpoint served the same already."""

    report: EndpointReport
    is_new: bool

    def to_json(self) -> dict[str, Any]:
        """The report, and whether anything was changed."""
        return {**self.report.to_json(), "is_new": self.is_new}


def deploy_endpoint(
    home: Home,
    graph: Graph,
    *,
    name: str,
    description: str = "",
    tags: Mapping[str, str] | None = None,
    deployment_tags: Mapping[str, str] | None = None,
    deployment: Mapping[str, Any] | None = None,
    endpoint: Mapping[str, Any] | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    lineage: DeploymentLineage | None = None,
    beside: Beside | None = None,
    cluster: str | None = None,
    owner: str | None = None,
    on_step: OnDeployStep = say_nothing,
) -> Deployed:
    """Serve an inference pipeline under a name, and wait until it answers.

    A name that is there already keeps its address and keys, and serves the former pipeline until the
    new one has answered its sample rows.  deployment and endpoint: settings by name; those of a known
    endpoint stay as they are where none are given.  port: 0 for any that is free.
    tags: of a new endpoint.  deployment_tags: of this deployment alone.
    beside: keep the deployments that a known endpoint has, and give this one a part; in place of all
    that are there for None.  cluster: where a new endpoint is to be; the default one for None.
    on_step: told each step as it begins.
    Raises what `prepare`, `package.write` and `InferenceTarget.apply` raise, InvalidName, NotFound for
    the cluster, WrongState for an endpoint on another one; then what served before serves on.  Nothing
    is left of a new name, but after Unschedulable: then it waits for room, until it is started again.
    """
    from modelwright.actions.drafts import uses_of
    from modelwright.actions.serving_source import source_of_serving
    from modelwright.graph.codec import Document
    from modelwright.inference import package
    from modelwright.inference.prepare import prepare

    known = find_endpoint(home, name)
    place = _place(home, known, cluster)
    settings = settings_for(live_deployments(home, known.name) if known else (), deployment)
    on_step("package")
    serving = prepare(
        graph,
        name=known.name if known else name,
        library=home.library,
        assets=home.assets,
        load=home.store.get,
        save=home.store.put,
    )
    source = source_of_serving(serving, home.library)
    plain = not (deployment or endpoint or beside or deployment_tags)
    if known and plain and _serves(home, known, source):
        return Deployed(show_endpoint(home, known.name), is_new=False)
    record = known or home.workspace.endpoints.create(
        name, description=description, tags=tags, cluster=place, owner=owner
    )
    try:
        with temporary.passing(home.folder) as folder:
            made = package.write(serving, folder / "package", library=home.library)
            kept = _keep(home, record.name, made)
        added = home.workspace.endpoints.deployments.add(
            record.name,
            package=str(kept.relative_to(home.folder)),
            package_digest=made.digest,
            settings=settings.to_json(),
            lineage=lineage,
            assets=uses_of(home, Document(graph)),
            tags=deployment_tags,
        )
        offers = _with(home, record, added, kept, settings.to_json(), beside)
        try:
            with _steps(home, record, on_step):
                serve(home, record, offers, endpoint=endpoint, host=host, port=port)
        except ModelwrightError as error:
            _note_failure(home, record, added, error, is_new=known is None)
            raise
    except BaseException as error:
        if known is None and not isinstance(error, Unschedulable):
            _forget(home, record.name)
        raise
    if beside is None:
        home.workspace.settings.set(f"{SOURCE}{record.name}", source)
    else:
        home.workspace.settings.remove(f"{SOURCE}{record.name}")
    return Deployed(show_endpoint(home, record.name), is_new=True)


def list_endpoints(
    home: Home, *, tags: Mapping[str, str] | None = None
) -> tuple[EndpointReport, ...]:
    """Every endpoint with its state as it is now, by name.

    tags: only those that have all of them, themselves or one of their deployments.
    """
    return tuple(
        _report(home, record)
        for record in home.workspace.endpoints.list()
        if _has_tags(home, record, tags or {})
    )


def show_endpoint(home: Home, name: str) -> EndpointReport:
    """One endpoint with its state as it is now.  Raises NotFound."""
    return _report(home, home.workspace.endpoints.get(name))


def endpoint_package(home: Home, name: str) -> Package:
    """What an endpoint serves: its inputs and outputs with columns and samples.

    Raises NotFound, and what `Package.open` raises.
    """
    from modelwright.inference.package import Package

    record = home.workspace.endpoints.get(name)
    for deployment in live_deployments(home, record.name):
        return Package.open(home.folder / deployment.package)
    raise NotFound("deployment of endpoint", record.name, remedy="Deploy a pipeline to it.")


def endpoint_keys(home: Home, name: str) -> EndpointKeys:
    """The two keys of an endpoint; either opens it.  Raises NotFound and SecretKeyMismatch."""
    return home.workspace.endpoints.keys(name)


def regenerate_key(home: Home, name: str, which: KeyName) -> EndpointKeys:
    """Replace one key of an endpoint; the former one opens nothing from now on.

    Raises NotFound, and as `hand_over_keys`; then the former one goes on opening it.
    """
    endpoints = home.workspace.endpoints
    hand_over_keys(home, name, lambda found: endpoints.regenerate_key(found, which))
    return endpoints.keys(name)


def change_endpoint(
    home: Home,
    name: str,
    *,
    deployment: Mapping[str, Any] | None = None,
    endpoint: Mapping[str, Any] | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> EndpointReport:
    """Change some settings of an endpoint while it serves; those of the leading deployment.

    description and tags: what people say of it, from now on; as it is for None.
    Raises NotFound, InvalidSetting, UnknownSetting, Unschedulable and EndpointBusy.
    """
    record = home.workspace.endpoints.get(name)
    check_current(endpoint or {}, datetime.now(UTC))
    if description is not None or tags is not None:
        home.workspace.endpoints.describe(record.name, description=description, tags=tags)
    if deployment:
        leading = live_deployments(home, record.name)
        if not leading:
            raise NotFound("deployment of endpoint", record.name, remedy="Deploy a pipeline to it.")
        change_deployment(home, record.name, leading[0].number, deployment)
    if endpoint:
        target_of(home, record.cluster).change(record.name, endpoint=endpoint)
    return show_endpoint(home, record.name)


def stop_endpoint(home: Home, name: str) -> EndpointReport:
    """Have an endpoint answer no more, until `start_endpoint`.  Raises NotFound and EndpointBusy."""
    endpoints = home.workspace.endpoints
    record = endpoints.get(name)
    target = target_of(home, record.cluster)
    # One that is busy goes on, and is not taken for one that should not.
    status = target.stop(record.name) if record.name in target.names() else None
    endpoints.want(record.name, DesiredState.STOPPED)
    if status is not None:
        tell(home, record.name, status)
    else:
        endpoints.report(record.name, EndpointState.STOPPED)
    start_waiting(home, record.cluster)
    return show_endpoint(home, record.name)


def start_endpoint(home: Home, name: str) -> EndpointReport:
    """Have an endpoint answer again.  Raises NotFound and what `InferenceTarget.start` raises."""
    record = home.workspace.endpoints.want(name, DesiredState.RUNNING)
    target = target_of(home, record.cluster)
    if record.name in target.names():
        tell(home, record.name, target.start(record.name))
    else:
        # It never ran, since there was no room for it.
        serve(home, record, present_offers(home, record.name))
    return show_endpoint(home, record.name)


def delete_endpoint(home: Home, name: str) -> None:
    """Stop an endpoint and forget it with its keys and deployments.  Raises NotFound, EndpointBusy."""
    record = home.workspace.endpoints.get(name)
    target = target_of(home, record.cluster)
    if record.name in target.names():
        target.remove(record.name)
    _forget(home, record.name)
    start_waiting(home, record.cluster)


def start_waiting(home: Home, cluster: str) -> None:
    """Start the endpoints that wait for room on a cluster, those for which there is some now."""
    for record in home.workspace.endpoints.list():
        waits = record.desired is DesiredState.RUNNING and (
            record.state is EndpointState.UNSCHEDULABLE
        )
        if waits and record.cluster.lower() == cluster.lower():
            with contextlib.suppress(ModelwrightError):
                start_endpoint(home, record.name)


def revive_endpoints(home: Home) -> tuple[EndpointReport, ...]:
    """Start every endpoint that should answer and does not, as after a restart of the machine."""
    known = {record.name for record in home.workspace.endpoints.list()}
    for cluster in home.workspace.clusters.list():
        for status in target_on(home, cluster).ensure_running():
            if status.name in known:
                tell(home, status.name, status)
        start_waiting(home, cluster.name)
    return list_endpoints(home)


def endpoint_measurements(home: Home, name: str, *, since: float = 0.0) -> list[dict[str, Any]]:
    """What an endpoint did in each second after a moment, oldest first.  Raises NotFound."""
    record = home.workspace.endpoints.get(name)
    target = target_of(home, record.cluster)
    return target.measurements(record.name, since) if record.name in target.names() else []


@dataclass(frozen=True, slots=True)
class LogPiece:
    """A part of an endpoint's log.  next: the place to go on from."""

    text: str
    next: int


def endpoint_log_from(home: Home, name: str, place: int) -> LogPiece:
    """What an endpoint has written after a place, whole lines only.  Raises NotFound.

    A log that was turned over in the meantime is read from its beginning.
    """
    record = home.workspace.endpoints.get(name)
    target = target_of(home, record.cluster)
    files = target.logs(record.name) if record.name in target.names() else []
    if not files:
        return LogPiece("", 0)
    with files[-1].open("rb") as file:
        size = file.seek(0, 2)
        start = place if place <= size else 0
        file.seek(start)
        content = file.read(_PIECE)
    whole = content.rfind(b"\n") + 1 or (len(content) if len(content) == _PIECE else 0)
    return LogPiece(content[:whole].decode(errors="replace"), start + whole)


def log_place(home: Home, name: str, lines: int) -> int:
    """The place in an endpoint's log from which so many lines follow.  Raises NotFound."""
    record = home.workspace.endpoints.get(name)
    target = target_of(home, record.cluster)
    files = target.logs(record.name) if record.name in target.names() else []
    if not files:
        return 0
    content = files[-1].read_bytes()
    found = len(content)
    for _ in range(lines + 1):
        if (found := content.rfind(b"\n", 0, found)) < 0:
            return 0
    return found + 1


def endpoint_log(home: Home, name: str, *, lines: int = 100) -> list[str]:
    """The last lines that an endpoint's replica has written.  Raises NotFound."""
    record = home.workspace.endpoints.get(name)
    target = target_of(home, record.cluster)
    if record.name not in target.names():
        return []
    found: list[str] = []
    for file in reversed(target.logs(record.name)):
        text = file.read_text(encoding="utf-8", errors="replace")
        found = [*text.splitlines(), *found]
        if len(found) >= lines:
            break
    return found[-lines:]


def _steps(
    home: Home, record: Endpoint, on_step: OnDeployStep
) -> contextlib.AbstractContextManager[None]:
    """Tells how far the endpoint's own processes come; elsewhere than here that is one step."""
    if home.workspace.clusters.get(record.cluster).kind == LOCAL:
        return watched(home.folder / "endpoints" / record.name, on_step)
    on_step("start")
    return contextlib.nullcontext()


def _place(home: Home, known: Endpoint | None, cluster: str | None) -> str:
    """The cluster that an endpoint is on.  Raises NotFound, and WrongState for another one."""
    if known is None:
        return home.workspace.clusters.get(cluster or DEFAULT_CLUSTER).name
    if cluster is not None and cluster.lower() != known.cluster.lower():
        raise WrongState(
            "endpoint",
            known.name,
            f"on the inference cluster {known.cluster}",
            f"be deployed to {cluster}",
            remedy="Deploy it under another name, or delete it first.",
        )
    return known.cluster


def _with(
    home: Home,
    record: Endpoint,
    added: Deployment,
    package: Path,
    settings: Mapping[str, Any],
    beside: Beside | None,
) -> dict[int, Offer]:
    """What an endpoint serves with a new deployment."""
    if beside is None:
        return {added.number: Offer(package, settings)}
    offers = present_offers(home, record.name)
    if not offers:
        raise WrongState(
            "endpoint",
            record.name,
            "without any deployment",
            "get another one beside it",
            remedy="Deploy it without a share.",
        )
    share = 0 if beside.shadow else beside.share
    for number, left in _shrunk({n: o.share for n, o in offers.items()}, 100 - share).items():
        offers[number] = replace(offers[number], share=left)
    offers[added.number] = Offer(package, settings, share, beside.shadow)
    return offers


def _shrunk(shares: Mapping[int, int], whole: int) -> dict[int, int]:
    """Shares in the same proportion that add up to something else, by the largest remainders."""
    before = sum(shares.values())
    exact = {n: share * whole / before for n, share in shares.items()}
    found = {n: int(value) for n, value in exact.items()}
    lacking = whole - sum(found.values())
    for number in sorted(exact, key=lambda n: found[n] - exact[n])[:lacking]:
        found[number] += 1
    return found


def _note_failure(
    home: Home, record: Endpoint, added: Deployment, error: ModelwrightError, *, is_new: bool
) -> None:
    """Remember why a deployment did not come about."""
    endpoints = home.workspace.endpoints
    state = (
        EndpointState.UNSCHEDULABLE if isinstance(error, Unschedulable) else EndpointState.FAILED
    )
    endpoints.deployments.report(record.name, added.number, state, message=str(error))
    if is_new:
        endpoints.deployments.set_traffic(record.name, {added.number: 100})
        endpoints.report(record.name, state, message=str(error))


def _serves(home: Home, record: Endpoint, source: str) -> bool:
    """Whether an endpoint answers, and with just this pipeline."""
    if home.workspace.settings.get(f"{SOURCE}{record.name}") != source:
        return False
    target = target_of(home, record.cluster)
    return record.name in target.names() and target.status(record.name).state is State.HEALTHY


def _keep(home: Home, name: str, made: Package) -> Path:
    """Move a package to where it stays, so that one can go back to it."""
    target = home.folder / "packages" / name / made.digest.partition(":")[2][:24]
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        made.folder.rename(target)
    return target


def _remembered(state: EndpointState) -> State:
    """The state of an endpoint whose processes there are none of."""
    lasting = (
        EndpointState.UNSCHEDULABLE,
        EndpointState.STOPPED,
        EndpointState.TRANSITIONING,
    )
    return State(state.value) if state in lasting else State.FAILED


def _report(home: Home, record: Endpoint) -> EndpointReport:
    try:
        status = target_of(home, record.cluster).status(record.name)
    except ModelwrightError:
        status = None
    return EndpointReport(record, home.workspace.endpoints.deployments.list(record.name), status)


def _has_tags(home: Home, record: Endpoint, tags: Mapping[str, str]) -> bool:
    if not tags:
        return True
    made = home.workspace.endpoints.deployments.list(record.name)
    wanted = tags.items()
    return any(wanted <= {**record.tags, **one.tags}.items() for one in made) or (
        wanted <= dict(record.tags).items()
    )


def _forget(home: Home, name: str) -> None:
    home.workspace.endpoints.delete(name)
    home.workspace.settings.remove(f"{SOURCE}{name}")
    shutil.rmtree(home.folder / "packages" / name, ignore_errors=True)
