"""Endpoints as containers, one each, with limits of processor and memory."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelwright.data.errors import ModelwrightError
from modelwright.inference.takeaway import PORT
from modelwright.serve.capacity import Resources
from modelwright.serve.certificates import named, pair_of
from modelwright.serve.container import engine as engines
from modelwright.serve.container import image
from modelwright.serve.container.base_image import USER
from modelwright.serve.container.upkeep import (
    bring_collected,
    endpoint_within,
    forget_collected,
    give,
    give_certificate,
    is_due,
    keep_log,
    logs,
    parts,
    take_log,
)
from modelwright.serve.endpoint_folder import Served
from modelwright.serve.errors import DeploymentFailed, EndpointBusy
from modelwright.serve.held import Held, HeldEndpoints
from modelwright.serve.keys import Keys
from modelwright.serve.settings import DeploymentSettings, EndpointSettings
from modelwright.serve.status import EndpointStatus, State
from modelwright.serve.target import NotSupported, Offer, Place

KIND = "container"

START_S = 120.0
"""How long a container may take until it answers."""

STOP_S = 30
"""How long a container may take to answer what it has begun before it is killed."""

_log = logging.getLogger("modelwright.container")

_ONE = {"autoscale": False, "min_replicas": 1, "max_replicas": 1}
_TICK = 0.1


class ContainerTarget:
    """The endpoints of a container engine.

    A container stays when it is stopped, and is started again by the engine when it ends unasked.
    """

    def __init__(self, place: Place) -> None:
        self._kept = HeldEndpoints(place.folder / "endpoints")
        self._endpoints = place.endpoints
        self._options = place.options
        self._address = engines.address_of(place.options)
        # Two homes may have clusters and endpoints of the same names on one engine.
        self._mark = hashlib.sha256(str(place.folder.absolute()).encode()).hexdigest()[:8]

    def check(self) -> str:
        """Why nothing can be started now."""
        try:
            engines.connected(self._address).close()
        except ModelwrightError as error:
            return error.happened
        return ""

    def capacity(self) -> Resources:
        """All that the engine's machine has.  Raises NoContainerEngine."""
        with contextlib.closing(engines.connected(self._address)) as engine:
            return engines.capacity(engine)

    def names(self) -> tuple[str, ...]:
        """The endpoints, by name."""
        return self._kept.names()

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
        """Serve deployments, each with its share, and wait until all have scored their samples.

        All of them are in the one container, whose limits are what they reserve together.  A container
        that serves already changes over without a pause, unless its engine cannot give it other
        limits while it runs: then it is made anew on the same address.
        Raises NotSupported for several replicas, NoContainerEngine, NoBaseImage, InvalidSetting,
        UnknownSetting, EndpointBusy, DeploymentFailed and what is wrong with a package; then what
        served before serves on.
        """
        settings = {number: _for_one(offer.settings) for number, offer in offers.items()}
        with (
            self._kept.changing(name),
            contextlib.closing(engines.connected(self._address)) as engine,
        ):
            former = self._kept.find(name)
            access = EndpointSettings.read(
                {**(former.endpoint if former else {}), **(endpoint or {})}
            )
            deployments = {
                number: Served(
                    self._kept.take_in(name, offer.package),
                    settings[number].to_json(),
                    offer.share,
                    offer.shadow,
                )
                for number, offer in offers.items()
            }
            held = Held(
                deployments,
                former.host if former else host,
                former.port if former else port,
                access.to_json(),
                baked=former.baked if former else "",
                based_on=former.based_on if former else (),
            )
            try:
                held = self._serve(engine, name, held, former, keys)
            except BaseException:
                if former is None:
                    self._forget(engine, name)
                else:
                    self._kept.forget_packages(name, but=former.packages)
                raise
            self._kept.put(name, held)
            self._kept.forget_packages(name, but=held.packages)
        return self.status(name)

    def change(
        self,
        name: str,
        *,
        deployment: Mapping[str, Any] | None = None,
        endpoint: Mapping[str, Any] | None = None,
        number: int | None = None,
    ) -> EndpointStatus:
        """Change settings while it serves.  Raises as `apply`."""
        with (
            self._kept.changing(name),
            contextlib.closing(engines.connected(self._address)) as engine,
        ):
            former = self._kept.get(name)
            held = former.changed(_for_one, deployment, number, endpoint)
            container = self._container(engine, name)
            if container is not None and container.status == "running":
                held = self._renewed(engine, container, name, held, former)
            elif container is not None:
                # It would begin with what it was made with.
                self._bring(container, name, former)
                keep_log(container, self._kept.folder(name))
                self._end(container)
            self._kept.put(name, held)
        return self.status(name)

    def status(self, name: str) -> EndpointStatus:
        """What it is now."""
        held = self._kept.get(name)
        known = EndpointStatus(
            name,
            State.UNHEALTHY if held.running else State.STOPPED,
            host=held.host,
            port=held.port,
            deployment=held.leading.settings,
            endpoint=held.endpoint,
            deployments=held.told(()),
            memory={"by": "container", "gb": _limits(held)[1]},
        )
        try:
            with contextlib.closing(engines.connected(self._address)) as engine:
                container = self._container(engine, name)
                if container is None:
                    why = "Its container is gone; start it again." if held.running else ""
                    return replace(known, message=why)
                if container.status != "running":
                    why = f"Its container is {container.status}." if held.running else ""
                    return replace(known, message=why)
                pid = int(container.attrs["State"]["Pid"])
                said = engines.ask(container, name, {"do": "status"}, seconds=5)
        except ModelwrightError as error:
            # It may be on its way up again.
            return replace(known, state=State.UNHEALTHY, message=str(error))
        return replace(
            known,
            state=State.HEALTHY,
            pid=pid,
            replicas=(pid,),
            package=said["package"],
            answered=said["answered"],
            busy=said["busy"],
            queued=said["queued"],
            steps=tuple(said["steps"]),
            # A container that began under an earlier version tells nothing of these.
            recent=said.get("recent", {}),
            deployments=held.told(said.get("shadows", ())),
        )

    def set_keys(self, name: str, keys: Keys) -> None:
        """Have these keys open it from now on."""
        with (
            self._kept.changing(name),
            contextlib.closing(engines.connected(self._address)) as engine,
        ):
            held = self._kept.get(name)
            content = self._kept.keep_keys(name, keys)
            container = self._container(engine, name)
            if container is not None:
                engines.put_files(container, {"keys.json": content})
                self._tell(container, name, {"do": "change", "endpoint": endpoint_within(held)})

    def start(self, name: str) -> EndpointStatus:
        """Start its container, or make it anew where it is gone."""
        with (
            self._kept.changing(name),
            contextlib.closing(engines.connected(self._address)) as engine,
        ):
            held = replace(self._kept.get(name), running=True)
            container = self._container(engine, name)
            if container is None:
                held = self._made(engine, name, held)
            elif container.status != "running":
                pair = pair_of(held.endpoint)
                give(container, held, self._kept.keys(name), pair)
                container.start()
                held = self._ready(container, name, replace(held, certificate=named(pair)))
                # Of Podman's own a container forgets limits that it was given while it ran.
                engines.set_limits(container, *_limits(held))
            self._kept.put(name, held)
        return self.status(name)

    def stop(self, name: str) -> EndpointStatus:
        """Stop its container when it has answered what it has begun; it is kept."""
        with (
            self._kept.changing(name),
            contextlib.closing(engines.connected(self._address)) as engine,
        ):
            held = self._kept.get(name)
            container = self._container(engine, name)
            if container is not None:
                container.stop(timeout=STOP_S)
                container.reload()
                self._bring(container, name, held)
            self._kept.put(name, replace(held, running=False))
        return self.status(name)

    def remove(self, name: str) -> None:
        """Stop it and delete its container, its images and what is kept of it."""
        self._kept.get(name)
        with (
            self._kept.changing(name),
            contextlib.closing(engines.connected(self._address)) as engine,
        ):
            container = self._container(engine, name)
            if container is not None:
                container.stop(timeout=STOP_S)
            self._forget(engine, name)
            forget_collected(self._endpoints / name / "collected")

    def ensure_running(self) -> tuple[EndpointStatus, ...]:
        """Start every endpoint that should serve and does not."""
        found = []
        for name in self.names():
            status = self.status(name)
            if status.state is State.UNHEALTHY:
                try:
                    status = self.start(name)
                except ModelwrightError as error:
                    status = replace(status, state=State.FAILED, message=str(error))
            found.append(status)
        self.tend()
        return tuple(found)

    def tend(self) -> None:
        """Take up renewed certificates, bring what was collected, hold containers to their limits."""
        for name in self.names():
            try:
                with self._kept.changing(name):
                    self._tend(name)
            except EndpointBusy:
                continue
            except ModelwrightError as error:
                _log.warning("endpoint %s: %s", name, error)

    def _tend(self, name: str) -> None:
        held = self._kept.get(name)
        if not held.running:
            return
        with contextlib.closing(engines.connected(self._address)) as engine:
            container = self._container(engine, name)
            if container is None or container.status != "running":
                return
            _hold(container, held)
            if held.collecting and is_due(self._kept.folder(name)):
                self._bring(container, name, held)
            pair = pair_of(held.endpoint)
            if named(pair) != held.certificate:
                give_certificate(container, pair)
                self._tell(container, name, {"do": "change", "endpoint": endpoint_within(held)})
                self._kept.put(name, replace(held, certificate=named(pair)))

    def bring_collected(self, name: str) -> None:
        """Have all requests and replies that its container keeps in the folder of the endpoint."""
        held = self._kept.get(name)
        with contextlib.closing(engines.connected(self._address)) as engine:
            container = self._container(engine, name)
            if container is not None:
                self._bring(container, name, held)

    def _bring(self, container: Any, name: str, held: Held) -> None:
        bring_collected(container, name, held, self._endpoints / name / "collected")

    def logs(self, name: str) -> list[Path]:
        """The log of its container, after those of the containers that it has followed on."""
        self._kept.get(name)
        folder = self._kept.folder(name)
        with contextlib.closing(engines.connected(self._address)) as engine:
            container = self._container(engine, name)
            if container is not None:
                take_log(container, folder)
        return logs(folder)

    def measurements(self, name: str, since: float = 0.0) -> list[dict[str, Any]]:
        """What its replica has counted since it began; nothing where it does not answer."""
        self._kept.get(name)
        try:
            with contextlib.closing(engines.connected(self._address)) as engine:
                container = self._container(engine, name)
                if container is None or container.status != "running":
                    return []
                command = {"do": "measurements", "since": since}
                said = engines.ask(container, name, command, seconds=5)
        except ModelwrightError:
            return []
        samples: list[dict[str, Any]] = said["samples"]
        return samples

    def _serve(self, engine: Any, name: str, held: Held, former: Held | None, keys: Keys) -> Held:
        container = self._container(engine, name)
        self._kept.keep_keys(name, keys)
        if former is None or container is None:
            return self._made(engine, name, held)
        if container.status == "running":
            return self._renewed(engine, container, name, held, former)
        return self._made_anew(engine, container, name, held)

    def _renewed(self, engine: Any, container: Any, name: str, held: Held, former: Held) -> Held:
        """Have a running container serve what is wanted, by the former one until it can."""
        wanted, known = _limits(held), _limits(former)
        both = (max(wanted[0], known[0]), max(wanted[1], known[1]))
        is_enough = self._is_given or image.has_all(held.based_on, self._needs(name, held))
        if not is_enough or (both != known and not engines.set_limits(container, *both)):
            return self._made_anew(engine, container, name, held)
        try:
            held = self._changed_over(container, name, held, former)
        except BaseException:
            if both != known:
                engines.set_limits(container, *known)
            raise
        if wanted != both and not engines.set_limits(container, *wanted):
            _log.warning("the container of %s keeps its former limits until it is made anew", name)
        return held

    def _made_anew(self, engine: Any, container: Any, name: str, held: Held) -> Held:
        """Another container on the same address; the former one again where that fails."""
        container.stop(timeout=STOP_S)
        container.reload()
        self._bring(container, name, held)
        aside = f"{container.name}-former"
        container.rename(aside)
        try:
            made = self._made(engine, name, held)
        except BaseException:
            self._end(self._container(engine, name))
            container.rename(self._container_name(name))
            container.start()
            raise
        keep_log(container, self._kept.folder(name))
        container.remove(force=True)
        return made

    def _changed_over(self, container: Any, name: str, held: Held, former: Held) -> Held:
        pair = pair_of(held.endpoint)
        for package in held.packages - former.packages - {held.baked}:
            engines.put_files(
                container, engines.folder_files(self._kept.folder(name) / package, package)
            )
        self._tell(container, name, {"do": "apply", "deployments": parts(held)})
        # From here on also after a restart of the container.
        give(container, held, self._kept.keys(name), pair)
        self._tell(container, name, {"do": "change", "endpoint": endpoint_within(held)})
        return replace(held, certificate=named(pair))

    def _made(self, engine: Any, name: str, held: Held) -> Held:
        """A new container that answers.  Raises DeploymentFailed with its last words."""
        from docker.errors import APIError

        needed = self._needs(name, held)
        pair = pair_of(held.endpoint)
        held = replace(
            held, baked=held.leading.package, based_on=sorted(needed), certificate=named(pair)
        )
        package = self._kept.package(name, held.leading)
        tag = image.build(engine, name, package, self._options.get("base_image"), needed)
        cores, memory = _limits(held)
        container: Any = None
        try:
            container = engine.containers.create(
                tag,
                image.command(name),
                name=self._container_name(name),
                user=str(USER),
                environment=dict(image.environment(self._options.get("base_image"), cores)),
                labels={"modelwright.endpoint": name, "modelwright.cluster": self._mark},
                ports={f"{PORT}/tcp": (held.host, held.port or None)},
                nano_cpus=round(cores * 1e9),
                mem_limit=round(memory * 1e9),
                ulimits=engines.own_limits(),
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                restart_policy={"Name": "unless-stopped"},
                log_config=engines.log_config(),
            )
            for other in held.packages - {held.baked}:
                folder = self._kept.folder(name) / other
                engines.put_files(container, engines.folder_files(folder, other))
            give(container, held, self._kept.keys(name), pair)
            container.start()
            return self._ready(container, name, held)
        except APIError as error:
            self._end(container)
            raise DeploymentFailed(name, error.explanation or str(error)) from error
        except BaseException:
            self._end(container)
            raise

    def _ready(self, container: Any, name: str, held: Held) -> Held:
        """The same with the port it answers on.  Raises DeploymentFailed."""
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            container.reload()
            bound = (container.ports or {}).get(f"{PORT}/tcp")
            if bound and _answers(held, int(bound[0]["HostPort"])):
                return replace(held, port=int(bound[0]["HostPort"]))
            state = container.attrs["State"]
            if container.attrs.get("RestartCount") or state.get("Status") in ("exited", "dead"):
                break
            time.sleep(_TICK)
        words = container.logs(tail=1).decode(errors="replace").strip()
        raise DeploymentFailed(name, words or f"it said nothing for {START_S:g} s.")

    @property
    def _is_given(self) -> bool:
        """Whether the base image is one that somebody has named."""
        return bool(self._options.get("base_image"))

    def _needs(self, name: str, held: Held) -> set[str]:
        packages = [self._kept.package(name, one) for one in held.deployments.values()]
        return {need for package in packages for need in image.needs(package)}

    def _tell(self, container: Any, name: str, command: Mapping[str, Any]) -> None:
        engines.ask(container, name, command, seconds=START_S)

    def _container_name(self, name: str) -> str:
        return f"modelwright-{self._mark}-{name.lower()}"

    def _container(self, engine: Any, name: str) -> Any:
        from docker.errors import NotFound

        try:
            return engine.containers.get(self._container_name(name))
        except NotFound:
            return None

    def _end(self, container: Any) -> None:
        from docker.errors import APIError

        if container is not None:
            with contextlib.suppress(APIError):
                container.remove(force=True)

    def _forget(self, engine: Any, name: str) -> None:
        from docker.errors import APIError

        self._end(self._container(engine, name))
        with contextlib.suppress(APIError):
            for one in engine.images.list(f"localhost/modelwright-endpoint-{name.lower()}"):
                engine.images.remove(one.id, force=True)
        self._kept.forget(name)


def container_target(place: Place) -> ContainerTarget:
    """The target of a cluster that is a container engine."""
    return ContainerTarget(place)


def _for_one(given: Mapping[str, Any]) -> DeploymentSettings:
    """The settings, with those of scaling brought to the one replica there is."""
    for name in ("min_replicas", "max_replicas"):
        default = getattr(DeploymentSettings(), name)
        if given.get(name, default) not in (1, default):
            raise NotSupported(
                KIND,
                f"have {given[name]} replicas of an endpoint",
                remedy=f"Leave {name} at 1, or use a local inference cluster or one of Ray.",
            )
    return DeploymentSettings.read({**given, **_ONE})


def _limits(held: Held) -> tuple[float, float]:
    """Processor cores and gigabytes of all deployments together."""
    whole = held.reserves()
    return round(whole.cpu_cores, 6), round(whole.memory_gb, 6)


def _hold(container: Any, held: Held) -> None:
    """Hold a container to its limits: of Podman's own it forgets those that it was given while it ran."""
    cores, memory = _limits(held)
    made_with = container.attrs["HostConfig"]
    if (made_with.get("NanoCpus"), made_with.get("Memory")) != (
        round(cores * 1e9),
        round(memory * 1e9),
    ):
        engines.set_limits(container, cores, memory)


def _answers(held: Held, port: int) -> bool:
    host = "127.0.0.1" if held.host == "0.0.0.0" else held.host  # noqa: S104  # read, not bound
    line = http.client.HTTPConnection(host, port, timeout=5)
    if held.certificate:
        # Whether it answers is asked here, and not who it is.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        line = http.client.HTTPSConnection(host, port, timeout=5, context=context)
    try:
        line.request("GET", "/readyz")
        return line.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()
