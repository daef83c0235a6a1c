"""Where endpoints can run: one contract, and who keeps it for each kind of inference cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from modelwright.data.errors import ModelwrightError, suggestion
from modelwright.serve.capacity import Resources
from modelwright.serve.keys import Keys
from modelwright.serve.status import EndpointStatus


@dataclass(frozen=True, slots=True)
class Place:
    """An inference cluster as its target gets it.

    folder: of the home, for files of the cluster's own.  endpoints: the folder that has a folder for
    each endpoint, whatever cluster it is on.  options: what its kind needs to know, such as the
    address of a Ray cluster.
    """

    name: str
    folder: Path
    endpoints: Path
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """A package that an endpoint is to serve.

    package: its folder.  settings: those that are not the default.  share: percent of the requests.
    shadow: percent of the others' requests of which it gets a copy, its answers being thrown away.
    """

    package: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    share: int = 100
    shadow: int = 0


class InferenceTarget(Protocol):
    """An inference cluster: it makes endpoints what is wanted of them and keeps them so.

    What it starts belongs to the cluster and outlives this object and the program that holds it.
    Every method but `names`, `apply` and `ensure_running` raises UnknownEndpoint; one that changes
    something raises EndpointBusy while another change of the same endpoint is under way.
    """

    def check(self) -> str:
        """Why nothing can be started here now, such as an address nobody answers at; empty if it can."""
        ...

    def capacity(self) -> Resources:
        """All that it has, as far as it can be known."""
        ...

    def names(self) -> tuple[str, ...]:
        """The endpoints that it serves, by name."""
        ...

    def apply(
        self,
        name: str,
        offers: Mapping[int, Offer],
        *,
        keys: Keys,
        endpoint: Mapping[str, Any] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> EndpointStatus:
        """Serve these deployments, by number, and no others; wait until all have scored their samples.

        Shares add up to 100; those that serve already go on without a pause, and what is left out is
        ended when it has answered what it has begun.  endpoint: its settings; those of a known one
        stay for None.  Raises NotSupported for what its kind cannot do, such as several replicas
        in a container; InvalidSetting, UnknownSetting, Unschedulable, DeploymentFailed and what is
        wrong with a package.  Whatever it raises, what served before serves on, and nothing is left
        of a new name.
        """
        ...

    def status(self, name: str) -> EndpointStatus:
        """What it is now."""
        ...

    def change(
        self,
        name: str,
        *,
        deployment: Mapping[str, Any] | None = None,
        endpoint: Mapping[str, Any] | None = None,
        number: int | None = None,
    ) -> EndpointStatus:
        """Change some settings at once; one that is stopped takes them when it starts.

        number: of the deployment; all of them for None.  Raises as `apply`.
        """
        ...

    def set_keys(self, name: str, keys: Keys) -> None:
        """Have these keys open it from now on, and no others."""
        ...

    def start(self, name: str) -> EndpointStatus:
        """Serve again what was stopped or has ended; nothing where it serves."""
        ...

    def stop(self, name: str) -> EndpointStatus:
        """Stop serving, when the requests in work are answered; `start` begins again."""
        ...

    def remove(self, name: str) -> None:
        """Stop it and delete all that belongs to it."""
        ...

    def ensure_running(self) -> tuple[EndpointStatus, ...]:
        """Start every endpoint that should serve and does not, as after a restart of the machine."""
        ...

    def tend(self) -> None:
        """Do what time brings: take up renewed certificates, bring what was collected, hold to limits.

        Called every few seconds, as long as a server runs; what cannot be done is logged.
        """
        ...

    def bring_collected(self, name: str) -> None:
        """Have all requests and replies that were kept so far in the folder of the endpoint."""
        ...

    def logs(self, name: str) -> list[Path]:
        """The files of its log, oldest first."""
        ...

    def measurements(self, name: str, since: float = 0.0) -> list[dict[str, Any]]:
        """What was counted in each second after a moment, oldest first, see `Sample`; may be empty."""
        ...


class NotSupported(ModelwrightError):
    """A kind of inference cluster cannot do what is asked of it."""

    code = "not-supported"

    def __init__(self, kind: str, what: str, *, remedy: str) -> None:
        super().__init__(
            f"An inference cluster of kind {kind} cannot {what}.",
            remedy=remedy,
            kind=kind,
            what=what,
        )


class UnknownClusterKind(ModelwrightError):
    """A kind of inference cluster that there is none of."""

    code = "unknown-cluster-kind"

    def __init__(self, kind: str) -> None:
        known = tuple(KINDS)
        super().__init__(
            f'There is no kind of inference cluster "{kind}".',
            remedy=f"{suggestion(kind, known)}The kinds are: {', '.join(known)}.",
            kind=kind,
            near=list(known),
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of inference cluster.

    made_by: module and name of a function that makes the target of a Place; loaded when first needed.
    options: what can be said of such a cluster, each in one line.
    """

    title: str
    made_by: str
    options: Mapping[str, str] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    "local": Kind("Processes of this machine", "modelwright.serve.endpoint:local_target"),
    "container": Kind(
        "Containers of Docker or Podman, one for each endpoint",
        "modelwright.serve.container.target:container_target",
        {
            "engine_url": "Where the engine answers, such as unix:///run/podman/podman.sock; "
            "else DOCKER_HOST, else the usual sockets.",
            "base_image": "An image with modelwright[serve] to build on; else one is made of the "
            "Python environment that deploys.",
        },
    ),
    "ray": Kind(
        "Ray Serve on a Ray cluster",
        "modelwright.serve.on_ray.target:ray_target",
        {
            "address": "Where the head of the Ray cluster answers, HOST:PORT.",
            "http_host": "Address that Ray Serve listens on, when it is not running yet; 127.0.0.1.",
            "http_port": "Port that Ray Serve listens on, when it is not running yet; 8000.",
        },
    ),
}
"""Every kind by name; who adds one adds a line."""


def make_target(kind: str, place: Place) -> InferenceTarget:
    """The target of an inference cluster.  Raises UnknownClusterKind, and what its kind raises."""
    if kind not in KINDS:
        raise UnknownClusterKind(kind)
    module, _, name = KINDS[kind].made_by.partition(":")
    # The module is named in this file, so it is known what the name stands for.
    make = cast("Callable[[Place], InferenceTarget]", getattr(import_module(module), name))
    return make(place)
