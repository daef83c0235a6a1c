"""Endpoints on a Ray cluster: Ray Serve starts, scales, watches and updates their replicas."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import shutil
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelwright import temporary
from modelwright.data.errors import ModelwrightError
from modelwright.serve.assortment import together as settings_together
from modelwright.serve.capacity import Resources, Unschedulable
from modelwright.serve.certificates import Pair, named, pair_of
from modelwright.serve.collected_files import bring
from modelwright.serve.endpoint_folder import Served
from modelwright.serve.errors import DeploymentFailed, EndpointBusy, InvalidSetting
from modelwright.serve.held import Held, HeldEndpoints
from modelwright.serve.history import recent_of, together
from modelwright.serve.keys import Keys
from modelwright.serve.limits import thread_bounds
from modelwright.serve.logs import KEPT, turn_over
from modelwright.serve.on_ray.link import RayRefusedError, link_to
from modelwright.serve.settings import DeploymentSettings, EndpointSettings
from modelwright.serve.shadow import taken_together
from modelwright.serve.status import EndpointStatus, State
from modelwright.serve.target import Offer, Place

KIND = "ray"

START_S = 180.0
"""How long an endpoint may take until its fewest replicas answer."""

BEGIN_S = 75.0
"""After which a replica that Ray has not begun, though there is room, is ordered anew.

Ray itself ends workers that do not report themselves after 60 s, and starts others.
"""

DEFAULT_PORT = 8000

_log = logging.getLogger("modelwright.ray")

_NOTED_S = 1.5
_LOG_BYTES = 200_000
_STATES = {
    "RUNNING": State.HEALTHY,
    "DEPLOYING": State.TRANSITIONING,
    "DELETING": State.TRANSITIONING,
    "DEPLOY_FAILED": State.FAILED,
    "UNHEALTHY": State.UNHEALTHY,
}


class RayTarget:
    """The endpoints of a Ray cluster, each an application of Ray Serve with a path of its own."""

    def __init__(self, place: Place) -> None:
        """Raises InvalidSetting."""
        options = place.options
        address, port = options.get("address"), options.get("http_port", DEFAULT_PORT)
        if not isinstance(address, str) or not address:
            raise InvalidSetting("address", address, "the address of a Ray cluster, HOST:PORT,")
        if not str(port).isdigit() or not 0 < int(port) <= 65_535:
            raise InvalidSetting("http_port", port, "a number from 1 to 65535")
        self._name = place.name
        self._endpoints = place.endpoints
        self._kept = HeldEndpoints(place.folder / "endpoints")
        self._http = {"host": str(options.get("http_host", "127.0.0.1")), "port": int(port)}
        self._link = link_to(address)

    def check(self) -> str:
        """Why nothing can be started now."""
        try:
            self._link.ask("capacity")
        except ModelwrightError as error:
            return error.happened
        return ""

    def capacity(self) -> Resources:
        """What all nodes have together.  Raises RayUnreachable."""
        said = self._link.ask("capacity")
        return Resources(said["cpu_cores"], said["memory_gb"])

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
        """Serve deployments, each with its share, and wait until their replicas have scored their samples.

        Every replica has all of them.  Other shares and settings reach replicas that go on; other
        packages and reserves are for new ones, which are exchanged for the former one after the
        other while requests go on being answered.  host: not heeded, and port for an endpoint with a
        certificate only, since all others of a cluster share the address of Ray Serve.
        Raises RayUnreachable, Unschedulable, InvalidSetting, UnknownSetting, EndpointBusy,
        DeploymentFailed and what is wrong with a package; then what served before serves on.
        """
        settings = {n: DeploymentSettings.read(offer.settings) for n, offer in offers.items()}
        with self._kept.changing(name):
            former = self._kept.find(name)
            access = EndpointSettings.read(
                {**(former.endpoint if former else {}), **(endpoint or {})}
            )
            deployments = {
                n: Served("", settings[n].to_json(), offer.share, offer.shadow)
                for n, offer in offers.items()
            }
            held = Held(
                deployments,
                endpoint=access.to_json(),
                door=former.door if former else port,
                version=former.version if former else "",
            )
            self._check_room(name, held)
            packages = {n: self._kept.take_in(name, offer.package) for n, offer in offers.items()}
            deployments = {n: replace(d, package=packages[n]) for n, d in deployments.items()}
            held = replace(held, deployments=deployments)
            self._kept.keep_keys(name, keys)
            try:
                held = self._served(name, held)
            except BaseException:
                self._go_back(name, former)
                raise
            self._kept.put(name, held)
            self._kept.forget_packages(name, but=held.packages)
            if former is not None and former.collecting and not held.collecting:
                self._keep_no_more(name, former)
        return self.status(name)

    def change(
        self,
        name: str,
        *,
        deployment: Mapping[str, Any] | None = None,
        endpoint: Mapping[str, Any] | None = None,
        number: int | None = None,
    ) -> EndpointStatus:
        """Change settings while it serves; replicas are made anew for other reserves only.

        Raises as `apply`.
        """
        with self._kept.changing(name):
            former = self._kept.get(name)
            held = former.changed(DeploymentSettings.read, deployment, number, endpoint)
            if held.running:
                self._check_room(name, held)
                try:
                    held = self._served(name, held)
                except BaseException:
                    self._go_back(name, former)
                    raise
            self._kept.put(name, held)
            if former.collecting and not held.collecting:
                self._keep_no_more(name, former)
        return self.status(name)

    def status(self, name: str) -> EndpointStatus:
        """What it is now."""
        held = self._kept.get(name)
        package = self._kept.package(name, held.leading)
        known = EndpointStatus(
            name,
            State.UNHEALTHY if held.running else State.STOPPED,
            host=held.host,
            port=held.port,
            package=package.digest,
            deployment=held.leading.settings,
            endpoint=held.endpoint,
            deployments=held.told(()),
            memory={"by": "none", "gb": _whole(held).memory_reserve_gb},
            steps=tuple(s.to_json() for s in package.plan.steps),
        )
        if not held.running:
            return known
        try:
            said = self._link.ask("status", name=name)
        except (ModelwrightError, RayRefusedError) as error:
            return replace(known, message=str(error))
        if not said["status"]:
            why = "The Ray cluster does not know it; start it again."
            return replace(known, message=why)
        state = _STATES.get(said["status"], State.UNHEALTHY)
        return replace(
            known,
            state=state,
            message="" if state is State.HEALTHY else said["message"],
            replicas=tuple(said["pids"]),
            answered=sum(f["answered"] for f in said["figures"]),
            busy=sum(f["busy"] for f in said["figures"]),
            queued=sum(f["queued"] for f in said["figures"]),
            # Replicas that began under an earlier version tell nothing of it.
            recent=recent_of([f["last"] for f in said["figures"] if "last" in f]),
            deployments=held.told(_shadows(said["figures"])),
            # Replicas that began under an earlier version are not held to theirs.
            memory=next((f["memory"] for f in said["figures"] if "memory" in f), known.memory),
        )

    def set_keys(self, name: str, keys: Keys) -> None:
        """Have these keys open it from now on; no replica is made anew."""
        with self._kept.changing(name):
            held = self._kept.get(name)
            self._kept.keep_keys(name, keys)
            if held.running:
                self._kept.put(name, self._served(name, held))

    def start(self, name: str) -> EndpointStatus:
        """Serve again what was stopped, or what the cluster has lost."""
        with self._kept.changing(name):
            held = replace(self._kept.get(name), running=True)
            self._kept.put(name, self._served(name, held))
        return self.status(name)

    def stop(self, name: str) -> EndpointStatus:
        """Take it off the cluster when the requests in work are answered."""
        with self._kept.changing(name):
            held = self._kept.get(name)
            self._delete(name)
            if held.collecting:
                self._keep_no_more(name, held)
            self._kept.put(name, replace(held, running=False))
        return self.status(name)

    def remove(self, name: str) -> None:
        """Take it off the cluster and forget it."""
        with self._kept.changing(name):
            held = self._kept.get(name)
            self._delete(name)
            if held.collecting:
                self._keep_no_more(name, held)
            self._kept.forget(name)
            shutil.rmtree(self._endpoints / name, ignore_errors=True)

    def ensure_running(self) -> tuple[EndpointStatus, ...]:
        """Start every endpoint that should serve and is not on the cluster, as after its restart."""
        found = []
        for name in self.names():
            status = self.status(name)
            if status.state is State.UNHEALTHY and not status.replicas:
                try:
                    status = self.start(name)
                except ModelwrightError as error:
                    no_room = isinstance(error, Unschedulable)
                    state = State.UNSCHEDULABLE if no_room else State.FAILED
                    status = replace(status, state=state, message=str(error))
            found.append(status)
        return tuple(found)

    def tend(self) -> None:
        """Take up renewed certificates, bring what was collected, and order anew what Ray does not begin."""
        for name in self.names():
            try:
                with self._kept.changing(name):
                    self._tend(name)
            except EndpointBusy:
                continue
            except (ModelwrightError, RayRefusedError) as error:
                _log.warning("endpoint %s: %s", name, error)

    def _tend(self, name: str) -> None:
        held = self._kept.get(name)
        if not held.running:
            return
        if held.collecting:
            self._bring(name, held)
        told = self._link.ask("lost", name=name, begin_seconds=BEGIN_S, options=_options(held))
        if told["lost"]:
            _log.warning("endpoint %s: Ray has not begun a replica, which is ordered anew", name)
            held = replace(held, version=f"{held.version}-again")
        if told["lost"] or named(pair_of(held.endpoint)) != held.certificate:
            self._kept.put(name, self._served(name, held))

    def bring_collected(self, name: str) -> None:
        """Have all requests and replies that are kept on the cluster in the folder of the endpoint."""
        self._bring(name, self._kept.get(name))

    def _bring(self, name: str, held: Held, *, over: bool = False) -> None:
        """over: nothing is added any more."""

        def ask(wish: Mapping[str, Any]) -> Mapping[str, Any]:
            try:
                return self._link.ask("collected", name=name, wish={**wish, "over": over})
            except RayRefusedError as error:
                raise DeploymentFailed(name, f"what is kept was not told: {error}") from None

        bring(self._endpoints / name / "collected", ask, held.collecting)

    def _keep_no_more(self, name: str, held: Held) -> None:
        """Bring what is left, and end who keeps it."""
        try:
            self._bring(name, held, over=True)
            self._link.ask("keep_no_more", name=name)
        except (ModelwrightError, RayRefusedError) as error:
            _log.warning("endpoint %s: what was kept last is not brought: %s", name, error)

    def logs(self, name: str) -> list[Path]:
        """What its replicas have written, fetched from the nodes that they are on, in one log."""
        self._kept.get(name)
        folder = self._kept.folder(name) / "logs"
        folder.mkdir(exist_ok=True)
        path, noted = folder / "replicas.log", folder / "places.json"
        with noted.open("a+", encoding="utf-8") as file:
            # Whoever else reads it now would fetch the same.
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            places = json.loads(file.read() or "{}")
            try:
                said = self._link.ask("log", name=name, places=places, bytes=_LOG_BYTES)
            except (ModelwrightError, RayRefusedError):
                said = {"texts": {}}
            with path.open("a", encoding="utf-8") as log:
                for replica, (text, place) in said["texts"].items():
                    log.write(text)
                    places[replica] = place
            file.truncate(0)
            json.dump(places, file)
        turn_over(path)
        former = [path.with_name(f"{path.name}.{n}") for n in range(KEPT, 0, -1)]
        return [one for one in (*former, path) if one.exists()]

    def measurements(self, name: str, since: float = 0.0) -> list[dict[str, Any]]:
        """What its replicas have counted until a moment ago; nothing where they do not answer."""
        if not self._kept.get(name).running:
            return []
        try:
            said = self._link.ask("measurements", name=name, since=since)
        except (ModelwrightError, RayRefusedError):
            return []
        return together(said["replicas"], since=since, until=time.time() - _NOTED_S)

    def _served(self, name: str, held: Held) -> Held:
        """The same with its address, when it answers."""
        pair = pair_of(held.endpoint)
        # Replicas are beyond the door, and have neither certificate nor key.
        plain = {**held.endpoint, "tls_certificate": "", "tls_key": ""}
        changing = {
            "deployments": held.parts(str),
            "endpoint": plain,
            "keys": self._kept.keys(name).decode(),
            "memory_gb": _whole(held).memory_reserve_gb,
        }
        version = hashlib.sha256("\n".join(sorted(held.packages)).encode()).hexdigest()[:16]
        if held.version.startswith(version):
            version = held.version
        with tempfile.TemporaryDirectory(prefix="ray-", dir=temporary.place()) as folder:
            packed = {}
            for package in sorted(held.packages):
                path = Path(folder) / f"{Path(package).name}.zip"
                _pack(self._kept.folder(name) / package, path)
                packed[package] = str(path)
            try:
                said = self._link.ask(
                    "apply",
                    seconds=START_S,
                    begin_seconds=BEGIN_S,
                    name=name,
                    packages=packed,
                    version=version,
                    options={**_options(held), "user_config": changing},
                    http=self._http,
                    door=self._door(held, plain, pair),
                    kept={n: dict(held.deployments[n].settings) for n in held.collecting},
                )
            except RayRefusedError as error:
                raise DeploymentFailed(name, str(error)) from None
        return replace(
            held,
            host=said["host"],
            port=said["port"],
            certificate=named(pair),
            door=said["port"] if pair else held.door,
            version=said["version"],
        )

    def _door(
        self, held: Held, endpoint: Mapping[str, Any], pair: Pair | None
    ) -> dict[str, Any] | None:
        """How an endpoint answers over TLS."""
        if pair is None:
            return None
        shown = {"port": held.door, "shown": pair.digest}
        # As text: JSON has no bytes, and PEM is text.
        files = {"certificate": pair.certificate.decode(), "key": pair.key.decode()}
        return {"config": {**shown, "endpoint": dict(endpoint)}, "pair": files}

    def _go_back(self, name: str, former: Held | None) -> None:
        """Have the cluster serve again what it did; nothing is left of a new name."""
        if former is None:
            self._delete(name)
            self._kept.forget(name)
        elif former.running:
            self._kept.put(name, self._served(name, former))

    def _delete(self, name: str) -> None:
        try:
            self._link.ask("delete", seconds=60.0, name=name)
        except RayRefusedError as error:
            raise DeploymentFailed(name, f"the cluster did not end it: {error}") from None

    def _check_room(self, name: str, held: Held) -> None:
        """Raise Unschedulable where no node could ever hold a replica, or all not the fewest."""
        said = self._link.ask("capacity")
        each = held.reserves()
        replicas = max(1, _whole(held).min_replicas)
        largest = Resources(said["most_cores"], said["most_memory"])
        whole = Resources(said["cpu_cores"], said["memory_gb"])
        if short := largest.short(each) or whole.short(each * replicas):
            raise Unschedulable(name, self._name, replicas, short, whole.times(each))


def _whole(held: Held) -> DeploymentSettings:
    """The settings of replicas that have all deployments which answer."""
    found = [DeploymentSettings.read(d.settings) for d in held.deployments.values() if d.share]
    return settings_together(found or [DeploymentSettings.read(held.leading.settings)])


def _options(held: Held) -> dict[str, Any]:
    options = options_for(_whole(held))
    whole = held.reserves()
    actor = {
        "num_cpus": round(whole.cpu_cores, 6),
        "memory": round(whole.memory_gb * 1e9),
        "runtime_env": {"env_vars": thread_bounds(whole.cpu_cores, {})},
    }
    return {**options, "ray_actor_options": actor}


def _shadows(figures: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the shadows of all replicas have found, by deployment."""
    found: dict[int, list[Any]] = {}
    for figure in figures:
        for one in figure.get("shadows", ()):
            if one["compared"]:
                found.setdefault(one["number"], []).append(one["compared"])
    return [{"number": n, "compared": taken_together(many)} for n, many in found.items()]


def options_for(settings: DeploymentSettings) -> dict[str, Any]:
    """The settings as Ray Serve knows them.

    Its target is a number of requests for each replica: the utilization times what one works on.
    """
    options: dict[str, Any] = {
        "max_ongoing_requests": settings.max_concurrent_requests,
        "graceful_shutdown_timeout_s": 30.0,
        # What fails to score its samples fails again.
        "max_constructor_retry_count": 1,
        "backpressure_config": {"retry_after_s": 1},
    }
    if not settings.autoscale or settings.min_replicas == settings.max_replicas:
        return {**options, "num_replicas": max(1, settings.min_replicas)}
    target = settings.max_concurrent_requests * settings.target_utilization / 100
    options["autoscaling_config"] = {
        "min_replicas": settings.min_replicas,
        "max_replicas": settings.max_replicas,
        "initial_replicas": max(1, settings.min_replicas),
        "target_ongoing_requests": target,
        "metrics_interval_s": settings.refresh_period_s,
        "look_back_period_s": 2 * settings.refresh_period_s,
        "upscale_delay_s": settings.refresh_period_s,
        "downscale_delay_s": settings.calm_s,
    }
    return options


def ray_target(place: Place) -> RayTarget:
    """The target of a cluster that is one of Ray.  Raises InvalidSetting."""
    return RayTarget(place)


def _pack(folder: Path, path: Path) -> None:
    """The files of a folder as a zip; equal files give equal bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            info = zipfile.ZipInfo(file.relative_to(folder).as_posix())
            archive.writestr(info, file.read_bytes(), zipfile.ZIP_DEFLATED)
