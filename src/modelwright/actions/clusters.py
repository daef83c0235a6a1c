"""Inference clusters: places where endpoints run, how much they have, and what is deployed there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.data.errors import ModelwrightError
from modelwright.serve.capacity import Ledger, Resources
from modelwright.serve.errors import InvalidSetting
from modelwright.serve.ledgers import ledger_at
from modelwright.serve.settings import DeploymentSettings
from modelwright.serve.target import KINDS, InferenceTarget, Place, UnknownClusterKind, make_target
from modelwright.workspace.errors import InUse, WrongState
from modelwright.workspace.records.assets import Use
from modelwright.workspace.records.clusters import DEFAULT_CLUSTER, Cluster
from modelwright.workspace.records.endpoints import Deployment, DesiredState, EndpointState

if TYPE_CHECKING:
    from modelwright.actions.home import Home

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """An inference cluster as it is now.

    state: "ready", or "unreachable" with the reason as message.  capacity: what may be reserved;
    reserved: what is, by endpoint.  endpoints: all that are deployed there, at work or not.
    """

    record: Cluster
    state: str
    message: str
    capacity: Resources
    reserved: Mapping[str, Resources]
    endpoints: tuple[str, ...]

    @property
    def taken(self) -> Resources:
        """What is reserved by all endpoints together."""
        found = Resources()
        for one in self.reserved.values():
            found += one
        return found

    @property
    def free(self) -> Resources:
        """What may still be reserved; never below 0."""
        left = self.capacity - self.taken
        return Resources(max(0.0, left.cpu_cores), max(0.0, left.memory_gb))

    def to_json(self) -> dict[str, Any]:
        """The cluster as JSON."""
        from modelwright.actions.as_json import as_json

        record: dict[str, Any] = as_json(self.record)
        return {
            **record,
            "state": self.state,
            "message": self.message,
            "capacity": self.capacity.to_json(),
            "reserved": self.taken.to_json(),
            "free": self.free.to_json(),
            "endpoints": list(self.endpoints),
        }


def list_clusters(home: Home) -> tuple[ClusterReport, ...]:
    """Every inference cluster as it is now, by name."""
    return tuple(_report(home, record) for record in home.workspace.clusters.list())


def show_cluster(home: Home, name: str) -> ClusterReport:
    """One inference cluster as it is now.  Raises NotFound."""
    return _report(home, home.workspace.clusters.get(name))


def create_cluster(
    home: Home,
    name: str,
    *,
    kind: str = LOCAL,
    cpu_cores: float | None = None,
    memory_gb: float | None = None,
    options: Mapping[str, Any] | None = None,
    description: str = "",
) -> ClusterReport:
    """Add an inference cluster; it is ready at once.

    cpu_cores and memory_gb: what may be reserved; all there is for None.
    Raises InvalidName, NameTaken, UnknownClusterKind, InvalidSetting, and what the kind refuses.
    """
    if kind not in KINDS:
        raise UnknownClusterKind(kind)
    for option in options or {}:
        if option not in KINDS[kind].options:
            known = ", ".join(KINDS[kind].options) or "none"
            raise InvalidSetting(option, (options or {})[option], f"one of the options {known}")
    _check_size(cpu_cores, memory_gb)
    record = home.workspace.clusters.create(
        name,
        kind=kind,
        cpu_cores=cpu_cores,
        memory_gb=memory_gb,
        options=options,
        description=description,
    )
    try:
        _ledger(home, record).set_capacity(cpu_cores=cpu_cores, memory_gb=memory_gb)
        target_on(home, record)
    except BaseException:
        home.workspace.clusters.delete(record.name)
        raise
    return _report(home, record)


def resize_cluster(
    home: Home, name: str, *, cpu_cores: float | None = None, memory_gb: float | None = None
) -> ClusterReport:
    """Change how much of a cluster may be reserved; None for all there is.

    Raises NotFound, InvalidSetting, and WrongState when more is reserved than would be left.
    """
    _check_size(cpu_cores, memory_gb)
    report = show_cluster(home, name)
    all_there_is = target_on(home, report.record).capacity()
    wanted = Resources(
        all_there_is.cpu_cores if cpu_cores is None else cpu_cores,
        all_there_is.memory_gb if memory_gb is None else memory_gb,
    )
    if short := wanted.short(report.taken):
        raise WrongState(
            "inference cluster",
            report.record.name,
            f"in use ({'; '.join(str(s) for s in short)})",
            "be made so small",
            remedy="Stop or delete endpoints there, or lower their replicas and reserves.",
        )
    record = home.workspace.clusters.resize(
        report.record.name, cpu_cores=cpu_cores, memory_gb=memory_gb
    )
    _ledger(home, record).set_capacity(cpu_cores=cpu_cores, memory_gb=memory_gb)
    return _report(home, record)


def detach_cluster(home: Home, name: str) -> None:
    """Forget a cluster and leave alone what it is made of, such as a Ray cluster.

    Raises NotFound, WrongState for the default one, and InUse while anything is deployed there.
    """
    record = _unused(home, name, "be detached")
    home.workspace.clusters.delete(record.name)


def delete_cluster(home: Home, name: str) -> None:
    """Forget a cluster and delete what was kept for it.

    Raises NotFound, WrongState for the default one, and InUse while anything is deployed there.
    """
    record = _unused(home, name, "be deleted")
    home.workspace.clusters.delete(record.name)
    shutil.rmtree(_folder(home, record), ignore_errors=True)


def target_of(home: Home, cluster: str) -> InferenceTarget:
    """The target of a cluster by its name.  Raises NotFound, and what its kind raises."""
    return target_on(home, home.workspace.clusters.get(cluster))


def target_on(home: Home, record: Cluster) -> InferenceTarget:
    """The target of a cluster.  Raises what its kind raises."""
    place = Place(
        record.name, _folder(home, record), home.folder / "endpoints", dict(record.options)
    )
    return make_target(record.kind, place)


def reserves(deployments: tuple[Deployment, ...]) -> Resources:
    """What the fewest replicas of an endpoint reserve that has these deployments at work."""
    each, replicas = Resources(), 1
    for deployment in deployments:
        if deployment.traffic or deployment.shadow or deployment.state is EndpointState.HEALTHY:
            settings = DeploymentSettings.read(deployment.settings)
            each += Resources.reserved_by(settings)
            replicas = max(replicas, settings.min_replicas)
    return each * replicas


def _report(home: Home, record: Cluster) -> ClusterReport:
    on_it = [e for e in home.workspace.endpoints.list() if e.cluster.lower() == record.name.lower()]
    message, capacity = "", Resources()
    try:
        target = target_on(home, record)
        message, capacity = target.check(), target.capacity()
    except ModelwrightError as error:
        message = str(error)
    if record.kind == LOCAL:
        reserved = _ledger(home, record).reserved()
    else:
        reserved = {
            e.name: reserves(home.workspace.endpoints.deployments.list(e.name))
            for e in on_it
            if e.desired is DesiredState.RUNNING and e.state is not EndpointState.UNSCHEDULABLE
        }
    return ClusterReport(
        record,
        "unreachable" if message else "ready",
        message,
        Resources(
            capacity.cpu_cores if record.cpu_cores is None else record.cpu_cores,
            capacity.memory_gb if record.memory_gb is None else record.memory_gb,
        ),
        reserved,
        tuple(e.name for e in on_it),
    )


def _unused(home: Home, name: str, wanted: str) -> Cluster:
    report = show_cluster(home, name)
    if report.record.name == DEFAULT_CLUSTER:
        raise WrongState(
            "inference cluster",
            report.record.name,
            "the one that is always there",
            wanted,
            remedy="Stop its endpoints, or make it smaller.",
        )
    if report.endpoints:
        uses = [Use("endpoint", one, one, None, active=True) for one in report.endpoints]
        remedy = "Delete these endpoints first."
        raise InUse("inference cluster", report.record.name, uses, remedy=remedy)
    return report.record


def _check_size(cpu_cores: float | None, memory_gb: float | None) -> None:
    for name, value, most in (("cpu_cores", cpu_cores, 100_000), ("memory_gb", memory_gb, 1e7)):
        if value is not None and not 0 < value <= most:
            raise InvalidSetting(name, value, f"a number above 0, {most:g} at the most,")


def _folder(home: Home, record: Cluster) -> Path:
    return home.folder / "clusters" / record.name


def _ledger(home: Home, record: Cluster) -> Ledger:
    return ledger_at(_folder(home, record), home.folder / "endpoints")
