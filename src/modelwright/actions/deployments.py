"""Deployments of an endpoint: their shares of the requests, shadows, promotion, former ones."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.actions.clusters import LOCAL, show_cluster, target_of
from modelwright.data.errors import ModelwrightError
from modelwright.serve.capacity import Resources, Shortage, Unschedulable
from modelwright.serve.certificates import check_current
from modelwright.serve.errors import InvalidSetting
from modelwright.serve.keys import Keys
from modelwright.serve.settings import DeploymentSettings
from modelwright.serve.status import EndpointStatus
from modelwright.serve.target import Offer
from modelwright.workspace.errors import InvalidTraffic, NotFound, WrongState
from modelwright.workspace.records.clusters import DEFAULT_CLUSTER
from modelwright.workspace.records.endpoints import (
    Deployment,
    DesiredState,
    Endpoint,
    EndpointState,
)

if TYPE_CHECKING:
    from modelwright.actions.home import Home

SOURCE = "endpoint-source:"
"""Before an endpoint's name: the setting that names the pipeline it serves."""


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What a deployment would take of its cluster, before it is taken.

    each: what one replica reserves, with the deployments that stay beside it.  replicas_min and
    replicas_max: as the settings have them.  fit: how many replicas have room.  short: what the
    fewest of them lack; nothing when the deployment fits.  free: what may be reserved, without what
    the endpoint has already.
    """

    cluster: str
    kind: str
    settings: Mapping[str, Any]
    each: Resources
    replicas_min: int
    replicas_max: int
    fit: int
    free: Resources
    short: tuple[Shortage, ...]

    @property
    def fits(self) -> bool:
        """Whether it can be deployed."""
        return not self.short

    @property
    def message(self) -> str:
        """What will happen, for people."""
        if self.short:
            lacking = "; ".join(str(s) for s in self.short)
            fewest = (
                "A replica does" if self.replicas_min == 1 else f"{self.replicas_min} replicas do"
            )
            return f"{fewest} not fit on {self.cluster}: {lacking}."
        if self.fit < self.replicas_max:
            return f"{self.fit} of up to {self.replicas_max} replicas fit on {self.cluster}."
        return f"All {self.replicas_max} replicas fit on {self.cluster}."

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON."""
        return {
            "cluster": self.cluster,
            "kind": self.kind,
            "settings": dict(self.settings),
            "each": self.each.to_json(),
            "replicas_min": self.replicas_min,
            "replicas_max": self.replicas_max,
            "fit": self.fit,
            "fits": self.fits,
            "free": self.free.to_json(),
            "short": [
                {"resource": s.resource, "needed": s.needed, "free": s.free} for s in self.short
            ],
            "message": self.message,
        }


def plan_deployment(
    home: Home,
    *,
    name: str | None = None,
    cluster: str | None = None,
    settings: Mapping[str, Any] | None = None,
    beside: bool = False,
) -> DeploymentPlan:
    """What a deployment with these settings would take, and whether there is room.

    name: of the endpoint, new or known.  cluster: where a new one is to be; the default one for None.
    beside: the deployments that the endpoint has stay.  Raises NotFound, InvalidSetting, UnknownSetting.
    """
    known = find_endpoint(home, name) if name else None
    found = show_cluster(home, known.cluster if known else cluster or DEFAULT_CLUSTER)
    present = live_deployments(home, known.name) if known else ()
    chosen = settings_for(present, settings)
    each = Resources.reserved_by(chosen)
    least, most = max(1, chosen.min_replicas), max(1, chosen.max_replicas)
    if not chosen.autoscale:
        most = least
    for other in present if beside else ():
        beside_it = DeploymentSettings.read(other.settings)
        each += Resources.reserved_by(beside_it)
        least, most = max(least, beside_it.min_replicas), max(most, beside_it.max_replicas)
    free = found.free
    if known:
        free += found.reserved.get(known.name, Resources())
    fit = free.times(each)
    return DeploymentPlan(
        found.record.name,
        found.record.kind,
        chosen.to_json(),
        each,
        least,
        most,
        min(fit, most),
        free,
        free.short(each * least),
    )


def set_traffic(home: Home, name: str, shares: Mapping[int, int]) -> Endpoint:
    """Share the requests of an endpoint: percent by deployment number; not one request is lost.

    Former deployments may be among them and serve again.  One with 0 stays ready to take over; one
    that is not named ends, unless it is a shadow.
    Raises NotFound, InvalidTraffic, WrongState, and what `InferenceTarget.apply` raises.
    """
    if any(share < 0 for share in shares.values()) or sum(shares.values()) != 100:
        raise InvalidTraffic(name, dict(shares))
    record = _running(home, name, "share its requests")
    offers = {n: _offer(home, record.name, n, share=share) for n, share in shares.items()}
    for deployment in live_deployments(home, record.name):
        if deployment.shadow:
            offer = offers.get(deployment.number)
            if offer is None or not offer.share:
                offers[deployment.number] = _offer(
                    home, record.name, deployment.number, shadow=deployment.shadow
                )
    serve(home, record, offers)
    return home.workspace.endpoints.get(record.name)


def set_shadow(home: Home, name: str, number: int, percent: int) -> Endpoint:
    """Have a deployment get copies of this share of the requests; its answers are thrown away.

    percent: 0 ends it.  Raises NotFound, InvalidSetting, WrongState where it answers callers, and what
    `InferenceTarget.apply` raises.
    """
    if not 0 <= percent <= 100:
        raise InvalidSetting("shadow", percent, "a whole number from 0 to 100")
    record = _running(home, name, "have a shadow")
    found = home.workspace.endpoints.deployments.get(record.name, number)
    if found.traffic:
        raise WrongState(
            "deployment",
            f"{record.name} #{number}",
            f"getting {found.traffic} % of the requests",
            "be a shadow",
            remedy="Give its share to another deployment first.",
        )
    offers = present_offers(home, record.name)
    offers.pop(number, None)
    if percent:
        offers[number] = _offer(home, record.name, number, shadow=percent)
    serve(home, record, offers)
    return home.workspace.endpoints.get(record.name)


def promote_deployment(home: Home, name: str, number: int) -> Endpoint:
    """Give a deployment, present or former, all requests; the others end when they have answered.

    It gets the settings it had.  Nothing is lost: the present ones serve until it has answered its
    sample rows.  Raises NotFound, WrongState when its package is gone, and as `set_traffic`.
    """
    record = home.workspace.endpoints.get(name)
    serve(home, record, {number: _offer(home, record.name, number)})
    # What it serves now may not be what was deployed last, so the next deployment is a new one.
    home.workspace.settings.remove(f"{SOURCE}{record.name}")
    return home.workspace.endpoints.get(record.name)


def rollback_endpoint(home: Home, name: str) -> Endpoint:
    """Give all requests to the deployment before the present one: the newest older one that has served.

    Raises NotFound when there is none, and as `promote_deployment`.
    """
    record = home.workspace.endpoints.get(name)
    found = home.workspace.endpoints.deployments.list(record.name)
    present = max((d.number for d in found if d.traffic), default=0)
    served = (EndpointState.STOPPED, EndpointState.HEALTHY)
    for deployment in found:
        if deployment.number < present and deployment.state in served:
            return promote_deployment(home, record.name, deployment.number)
    raise NotFound(
        "former deployment of endpoint", record.name, remedy="Deploy another pipeline to it."
    )


def change_deployment(
    home: Home,
    name: str,
    number: int,
    settings: Mapping[str, Any] | None = None,
    *,
    tags: Mapping[str, str] | None = None,
) -> Endpoint:
    """Change some settings of a deployment, of one at work at once.

    tags: all that people say of it from now on; as it is for None.  Raises NotFound, InvalidSetting, UnknownSetting, Unschedulable and EndpointBusy.
    """
    record = home.workspace.endpoints.get(name)
    deployments = home.workspace.endpoints.deployments
    found = deployments.get(record.name, number)
    if settings:
        chosen = DeploymentSettings.read({**found.settings, **settings}).to_json()
        if is_live(found):
            target = target_of(home, record.cluster)
            if record.name in target.names():
                target.change(record.name, deployment=settings, number=number)
        deployments.set_settings(record.name, number, chosen)
    if tags is not None:
        deployments.set_tags(record.name, number, tags)
    return home.workspace.endpoints.get(record.name)


def delete_deployment(home: Home, name: str, number: int) -> None:
    """Forget a deployment for good, with its package.  Raises NotFound, and WrongState while it gets requests."""
    record = home.workspace.endpoints.get(name)
    deployments = home.workspace.endpoints.deployments
    found = deployments.get(record.name, number)
    if is_live(found) and not found.traffic:
        _running(home, name, "forget a deployment that is at work")
        offers = present_offers(home, record.name)
        if offers.pop(number, None) is not None and offers:
            serve(home, record, offers)
    deployments.delete(record.name, number)
    if all(found.package != other.package for other in deployments.list(record.name)):
        shutil.rmtree(home.folder / found.package, ignore_errors=True)


def serve(
    home: Home,
    record: Endpoint,
    offers: Mapping[int, Offer],
    *,
    endpoint: Mapping[str, Any] | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> EndpointStatus:
    """Have an endpoint serve these deployments and no others, and remember it.

    Raises what `InferenceTarget.apply` raises; then all is as it was.
    """
    endpoints = home.workspace.endpoints
    check_current(endpoint or {}, datetime.now(UTC))
    _check_room(home, record, offers)
    status = target_of(home, record.cluster).apply(
        record.name,
        offers,
        keys=keys_of(home, record.name),
        endpoint=endpoint,
        host=host,
        port=port,
    )
    with home.workspace.transaction():
        for deployment in endpoints.deployments.list(record.name):
            number = deployment.number
            offer = offers.get(number)
            if offer is not None:
                endpoints.deployments.report(record.name, number, EndpointState.HEALTHY)
                settings = DeploymentSettings.read(offer.settings).to_json()
                endpoints.deployments.set_settings(record.name, number, settings)
            elif is_live(deployment):
                endpoints.deployments.report(record.name, number, EndpointState.STOPPED)
            shadow = offer.shadow if offer else 0
            endpoints.deployments.set_shadow(record.name, number, shadow)
        endpoints.deployments.set_traffic(record.name, {n: o.share for n, o in offers.items()})
        endpoints.want(record.name, DesiredState.RUNNING)
        tell(home, record.name, status)
    return status


def _check_room(home: Home, record: Endpoint, offers: Mapping[int, Offer]) -> None:
    """Raise Unschedulable where there is no room; a local cluster keeps its own books."""
    report = show_cluster(home, record.cluster)
    if report.record.kind == LOCAL or report.message:
        return
    each, least = Resources(), 1
    for offer in offers.values():
        settings = DeploymentSettings.read(offer.settings)
        each += Resources.reserved_by(settings)
        least = max(least, settings.min_replicas)
    free = report.free + report.reserved.get(record.name, Resources())
    if short := free.short(each * least):
        raise Unschedulable(record.name, record.cluster, least, short, free.times(each))


def keys_of(home: Home, name: str) -> Keys:
    """What opens an endpoint, for its target."""
    endpoints = home.workspace.endpoints
    found = endpoints.keys(name)
    return Keys(found.primary, found.secondary, endpoints.signing_key(name))


def hand_over_keys(home: Home, name: str, renew: Callable[[str], object]) -> None:
    """Renew what opens an endpoint; from then on it opens the endpoint, and what was before does not.

    Raises NotFound, and what `InferenceTarget.set_keys` raises; then nothing has changed.
    """
    endpoints = home.workspace.endpoints
    record = endpoints.get(name)
    target = target_of(home, record.cluster)
    former, signing = endpoints.keys(record.name), endpoints.signing_key(record.name)
    renew(record.name)
    if record.name not in target.names():
        return
    try:
        target.set_keys(record.name, keys_of(home, record.name))
    except ModelwrightError:
        # Else people would be shown keys that open nothing.
        endpoints.put_back_keys(record.name, former, signing)
        with contextlib.suppress(ModelwrightError):
            target.set_keys(record.name, keys_of(home, record.name))
        raise


def tell(home: Home, name: str, status: EndpointStatus) -> None:
    """Remember what is seen of an endpoint."""
    address = {"host": status.host, "port": status.port, "pid": status.pid} if status.pid else None
    home.workspace.endpoints.report(
        name, EndpointState(status.state.value), message=status.message, address=address
    )


def is_live(deployment: Deployment) -> bool:
    """Whether a deployment is at work, or waits for room to be."""
    if deployment.traffic or deployment.shadow:
        return True
    return deployment.state is EndpointState.HEALTHY


def live_deployments(home: Home, name: str) -> tuple[Deployment, ...]:
    """The deployments that an endpoint serves, the leading one first.  Raises NotFound."""
    found = [d for d in home.workspace.endpoints.deployments.list(name) if is_live(d)]
    return tuple(sorted(found, key=lambda d: (-d.traffic, -d.number)))


def present_offers(home: Home, name: str) -> dict[int, Offer]:
    """What an endpoint serves now, as its target is told of it."""
    return {
        d.number: _offer(home, name, d.number, share=d.traffic, shadow=d.shadow)
        for d in live_deployments(home, name)
    }


def settings_for(
    present: tuple[Deployment, ...], given: Mapping[str, Any] | None
) -> DeploymentSettings:
    """The settings of a new deployment: those of the leading one with these changed.

    Raises InvalidSetting and UnknownSetting.
    """
    former = present[0].settings if present else {}
    return DeploymentSettings.read({**former, **(given or {})})


def find_endpoint(home: Home, name: str) -> Endpoint | None:
    """The endpoint, if there is one of that name."""
    try:
        return home.workspace.endpoints.get(name)
    except NotFound:
        return None


def _running(home: Home, name: str, wanted: str) -> Endpoint:
    record = home.workspace.endpoints.get(name)
    if record.desired is DesiredState.STOPPED:
        raise WrongState("endpoint", record.name, "stopped", wanted, remedy="Start it first.")
    return record


def _offer(
    home: Home, name: str, number: int, *, share: int | None = None, shadow: int = 0
) -> Offer:
    """A deployment as its target is told of it.  Raises NotFound and WrongState."""
    found = home.workspace.endpoints.deployments.get(name, number)
    package = home.folder / found.package
    if not package.exists():
        raise WrongState(
            "deployment",
            f"{found.endpoint} #{number}",
            "no longer on the disk",
            "serve again",
            remedy="Deploy its pipeline anew.",
        )
    whole = 0 if shadow else 100
    return Offer(package, found.settings, whole if share is None else share, shadow)
