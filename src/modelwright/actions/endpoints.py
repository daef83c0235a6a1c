"""Endpoints: deploy an inference pipeline under a name, look at it, and take it away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.actions.serving_source import source_of_serving
from modelwright.data.errors import ModelwrightError
from modelwright.graph.graph import Graph
from modelwright.serve.keys import Keys
from modelwright.serve.status import EndpointStatus, State
from modelwright.workspace.errors import NotFound
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

SOURCE = "endpoint-source:"
"""Before an endpoint's name: the setting that names the pipeline it serves."""


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
        return self.status.state if self.status else State.FAILED

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
    deployment: Mapping[str, Any] | None = None,
    endpoint: Mapping[str, Any] | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    lineage: DeploymentLineage | None = None,
) -> Deployed:
    """Serve an inference pipeline under a name, and wait until it answers.

    A name that is there already keeps its address and keys, and serves the former pipeline until the
    new one has answered its sample rows.  deployment and endpoint: settings by name; those of a known
    endpoint stay as they are where none are given.  port: 0 for any that is free.
    Raises what `prepare`, `package.write` and `serve.Endpoints.deploy` raise, InvalidName; then what
    served before serves on, and nothing is left of a new name.
    """
    from modelwright.inference import package
    from modelwright.inference.prepare import prepare

    known = _known(home, name)
    serving = prepare(
        graph,
        name=known.name if known else name,
        library=home.library,
        assets=home.assets,
        load=home.store.get,
        save=home.store.put,
    )
    source = source_of_serving(serving, home.library)
    if known and not (deployment or endpoint) and _serves(home, known.name, source):
        return Deployed(show_endpoint(home, known.name), is_new=False)
    record = known or home.workspace.endpoints.create(name, description=description, tags=tags)
    try:
        with tempfile.TemporaryDirectory(dir=home.folder, prefix=".deploy-") as folder:
            made = package.write(serving, Path(folder) / "package", library=home.library)
            kept = _keep(home, record.name, made)
        status = home.replicas.deploy(
            record.name,
            kept,
            keys=_keys(home, record.name),
            deployment=deployment,
            endpoint=endpoint,
            host=host,
            port=port,
        )
    except BaseException:
        if known is None:
            _forget(home, record.name)
        raise
    _note(home, record.name, kept, made.digest, status, lineage)
    home.workspace.settings.set(f"{SOURCE}{record.name}", source)
    return Deployed(show_endpoint(home, record.name), is_new=True)


def list_endpoints(home: Home) -> tuple[EndpointReport, ...]:
    """Every endpoint with its state as it is now, by name."""
    return tuple(_report(home, record) for record in home.workspace.endpoints.list())


def show_endpoint(home: Home, name: str) -> EndpointReport:
    """One endpoint with its state as it is now.  Raises NotFound."""
    return _report(home, home.workspace.endpoints.get(name))


def endpoint_package(home: Home, name: str) -> Package:
    """What an endpoint serves: its inputs and outputs with columns and samples.

    Raises NotFound, and what `Package.open` raises.
    """
    from modelwright.inference.package import Package

    record = home.workspace.endpoints.get(name)
    for deployment in home.workspace.endpoints.deployments.list(record.name):
        if deployment.traffic:
            return Package.open(home.folder / deployment.package)
    raise NotFound("deployment of endpoint", record.name, remedy="Deploy a pipeline to it.")


def endpoint_keys(home: Home, name: str) -> EndpointKeys:
    """The two keys of an endpoint; either opens it.  Raises NotFound and SecretKeyMismatch."""
    return home.workspace.endpoints.keys(name)


def regenerate_key(home: Home, name: str, which: KeyName) -> EndpointKeys:
    """Replace one key of an endpoint; the former one opens nothing from now on."""
    keys = home.workspace.endpoints.regenerate_key(name, which)
    record = home.workspace.endpoints.get(name)
    if record.name in home.replicas.names():
        home.replicas.set_keys(record.name, _keys(home, record.name))
    return keys


def change_endpoint(
    home: Home,
    name: str,
    *,
    deployment: Mapping[str, Any] | None = None,
    endpoint: Mapping[str, Any] | None = None,
) -> EndpointReport:
    """Change some settings of an endpoint while it serves.

    Raises NotFound, InvalidSetting, UnknownSetting and EndpointBusy.
    """
    record = home.workspace.endpoints.get(name)
    status = home.replicas.change(record.name, deployment=deployment, endpoint=endpoint)
    for found in home.workspace.endpoints.deployments.list(record.name):
        if found.traffic:
            home.workspace.endpoints.deployments.set_settings(
                record.name, found.number, status.deployment
            )
    return show_endpoint(home, record.name)


def stop_endpoint(home: Home, name: str) -> EndpointReport:
    """Have an endpoint answer no more, until `start_endpoint`.  Raises NotFound and EndpointBusy."""
    record = home.workspace.endpoints.want(name, DesiredState.STOPPED)
    _tell(home, record.name, home.replicas.stop(record.name))
    return show_endpoint(home, record.name)


def start_endpoint(home: Home, name: str) -> EndpointReport:
    """Have an endpoint answer again.  Raises NotFound and what `serve.Endpoints.start` raises."""
    record = home.workspace.endpoints.want(name, DesiredState.RUNNING)
    _tell(home, record.name, home.replicas.start(record.name))
    return show_endpoint(home, record.name)


def delete_endpoint(home: Home, name: str) -> None:
    """Stop an endpoint and forget it with its keys and deployments.  Raises NotFound, EndpointBusy."""
    record = home.workspace.endpoints.get(name)
    if record.name in home.replicas.names():
        home.replicas.remove(record.name)
    _forget(home, record.name)


def revive_endpoints(home: Home) -> tuple[EndpointReport, ...]:
    """Start every endpoint that should answer and does not, as after a restart of the machine."""
    known = {record.name for record in home.workspace.endpoints.list()}
    for status in home.replicas.ensure_running():
        if status.name in known:
            _tell(home, status.name, status)
    return list_endpoints(home)


def endpoint_log(home: Home, name: str, *, lines: int = 100) -> list[str]:
    """The last lines that an endpoint's replica has written.  Raises NotFound."""
    record = home.workspace.endpoints.get(name)
    if record.name not in home.replicas.names():
        return []
    found: list[str] = []
    for file in reversed(home.replicas.logs(record.name)):
        text = file.read_text(encoding="utf-8", errors="replace")
        found = [*text.splitlines(), *found]
        if len(found) >= lines:
            break
    return found[-lines:]


def _known(home: Home, name: str) -> Endpoint | None:
    try:
        return home.workspace.endpoints.get(name)
    except NotFound:
        return None


def _serves(home: Home, name: str, source: str) -> bool:
    """Whether an endpoint answers, and with just this pipeline."""
    if home.workspace.settings.get(f"{SOURCE}{name}") != source:
        return False
    return name in home.replicas.names() and home.replicas.status(name).state is State.HEALTHY


def _keys(home: Home, name: str) -> Keys:
    found = home.workspace.endpoints.keys(name)
    return Keys(found.primary, found.secondary)


def _keep(home: Home, name: str, made: Package) -> Path:
    """Move a package to where it stays, so that one can go back to it."""
    target = home.folder / "packages" / name / made.digest.partition(":")[2][:24]
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        made.folder.rename(target)
    return target


def _note(
    home: Home,
    name: str,
    kept: Path,
    digest: str,
    status: EndpointStatus,
    lineage: DeploymentLineage | None,
) -> None:
    """Enter a deployment that answers, in place of the one before."""
    endpoints = home.workspace.endpoints
    with home.workspace.transaction():
        added = endpoints.deployments.add(
            name,
            package=str(kept.relative_to(home.folder)),
            package_digest=digest,
            settings=status.deployment,
            lineage=lineage,
        )
        for former in endpoints.deployments.list(name):
            if former.traffic:
                endpoints.deployments.report(name, former.number, EndpointState.STOPPED)
        endpoints.deployments.set_traffic(name, {added.number: 100})
        endpoints.deployments.report(name, added.number, EndpointState.HEALTHY)
        endpoints.want(name, DesiredState.RUNNING)
        _tell(home, name, status)


def _tell(home: Home, name: str, status: EndpointStatus) -> None:
    address = {"host": status.host, "port": status.port, "pid": status.pid} if status.pid else None
    home.workspace.endpoints.report(
        name, EndpointState(status.state.value), message=status.message, address=address
    )


def _report(home: Home, record: Endpoint) -> EndpointReport:
    try:
        status = home.replicas.status(record.name)
    except ModelwrightError:
        status = None
    return EndpointReport(record, home.workspace.endpoints.deployments.list(record.name), status)


def _forget(home: Home, name: str) -> None:
    home.workspace.endpoints.delete(name)
    home.workspace.settings.remove(f"{SOURCE}{name}")
    shutil.rmtree(home.folder / "packages" / name, ignore_errors=True)
