"""Have an endpoint serve one of its former deployments again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.actions.endpoints import SOURCE, EndpointReport, show_endpoint
from modelwright.serve.keys import Keys
from modelwright.workspace.errors import WrongState
from modelwright.workspace.records.endpoints import DesiredState, EndpointState

if TYPE_CHECKING:
    from modelwright.actions.home import Home


def activate_deployment(home: Home, name: str, number: int) -> EndpointReport:
    """Give a deployment all requests of its endpoint, with the settings it had; nothing is lost.

    The present one serves until the other has answered its sample rows.
    Raises NotFound, WrongState when its package is gone, and what `serve.Endpoints.deploy` raises.
    """
    endpoints = home.workspace.endpoints
    record = endpoints.get(name)
    wanted = endpoints.deployments.get(record.name, number)
    package = home.folder / wanted.package
    if not package.exists():
        raise WrongState(
            "deployment",
            f"{record.name} #{number}",
            "no longer on the disk",
            "serve again",
            remedy="Deploy its pipeline anew.",
        )
    keys = endpoints.keys(record.name)
    status = home.replicas.deploy(
        record.name,
        package,
        keys=Keys(keys.primary, keys.secondary),
        deployment=wanted.settings,
    )
    with home.workspace.transaction():
        for other in endpoints.deployments.list(record.name):
            state = EndpointState.HEALTHY if other.number == number else EndpointState.STOPPED
            endpoints.deployments.report(record.name, other.number, state)
        endpoints.deployments.set_traffic(record.name, {number: 100})
        endpoints.want(record.name, DesiredState.RUNNING)
        endpoints.report(
            record.name,
            EndpointState(status.state.value),
            message=status.message,
            address={"host": status.host, "port": status.port, "pid": status.pid},
        )
    # What it serves now is not what was deployed last, so the next deployment is a new one.
    home.workspace.settings.remove(f"{SOURCE}{record.name}")
    return show_endpoint(home, record.name)
