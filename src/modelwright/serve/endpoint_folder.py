"""The folder of an endpoint: what is wanted of it, what serves it, its keys, packages and logs."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from modelwright.serve.errors import EndpointBusy, InvalidEndpointName, UnknownEndpoint
from modelwright.serve.names import ENDPOINT_NAME
from modelwright.serve.processes import Process


@dataclass(frozen=True, slots=True)
class Served:
    """A deployment that an endpoint is to serve.

    package: folder below the endpoint's.  share: percent of the requests.  shadow: percent of the
    others' requests of which it gets a copy.
    """

    package: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    share: int = 100
    shadow: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of an endpoint.

    deployments: by number.  port: 0 until it has one, then always the same.  cluster: on which it is.
    """

    deployments: Mapping[int, Served]
    host: str = "127.0.0.1"
    port: int = 0
    running: bool = True
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    cluster: str = "default"

    @property
    def leading(self) -> Served:
        """The deployment that most requests go to; of several the newest."""
        return self.deployments[leading(self.deployments)]

    @property
    def packages(self) -> set[str]:
        """The folders that are needed."""
        return {served.package for served in self.deployments.values()}

    def to_json(self) -> dict[str, Any]:
        """The wish as JSON."""
        found = asdict(self)
        found["deployments"] = {str(n): one for n, one in found["deployments"].items()}
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Wanted:
        """Read what `to_json` wrote."""
        served = {int(n): Served(**one) for n, one in value["deployments"].items()}
        return cls(**{**value, "deployments": served})


def leading(deployments: Mapping[int, Served]) -> int:
    """The number of the deployment that most requests go to; of several the newest."""
    return max(deployments, key=lambda n: (deployments[n].share, n))


@dataclass(frozen=True, slots=True)
class Found:
    """The processes that serve an endpoint, as its controller noted them.

    fronts: those that answer, by slot.  nurseries: those that make scoring processes, and other helpers.
    """

    controller: Process
    host: str
    port: int
    fronts: Mapping[int, Process] = field(default_factory=dict)
    nurseries: tuple[Process, ...] = ()

    @property
    def processes(self) -> tuple[Process, ...]:
        """All of them, the controller first."""
        return (self.controller, *self.fronts.values(), *self.nurseries)

    def to_json(self) -> dict[str, Any]:
        """The record as JSON."""
        return {
            "controller": self.controller.to_json(),
            "host": self.host,
            "port": self.port,
            "fronts": {str(slot): p.to_json() for slot, p in self.fronts.items()},
            "nurseries": [p.to_json() for p in self.nurseries],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Found:
        """Read what `to_json` wrote."""
        return cls(
            Process.from_json(value["controller"]),
            value["host"],
            value["port"],
            {int(slot): Process.from_json(p) for slot, p in value["fronts"].items()},
            tuple(Process.from_json(p) for p in value["nurseries"]),
        )


class EndpointFolder:
    """One endpoint's files; each is written whole or not at all."""

    def __init__(self, root: Path, name: str) -> None:
        """Raises InvalidEndpointName."""
        if not ENDPOINT_NAME.fullmatch(name):
            raise InvalidEndpointName(name)
        self.name = name
        self.path = root / name
        self.keys = self.path / "keys.json"
        self.log = self.path / "endpoint.log"
        self.control = self.path / "control.sock"
        self.slots = self.path / "slots.bin"
        self.meters = self.path / "meters.bin"
        self.exposed = self.path / "metrics.txt"
        self.collected = self.path / "collected"
        self.reign = self.path / ".controller"
        self._state = self.path / "state.json"
        self._trouble = self.path / "trouble.json"
        self._wanted = self.path / "endpoint.json"

    @property
    def clusters(self) -> Path:
        """The folder that has a folder for each inference cluster."""
        return self.path.parent.parent / "clusters"

    @property
    def exists(self) -> bool:
        """Whether there is such an endpoint."""
        return self._wanted.is_file()

    def wanted(self) -> Wanted:
        """What is wanted.  Raises UnknownEndpoint."""
        if not self.exists:
            raise UnknownEndpoint(self.name, names(self.path.parent))
        return Wanted.from_json(json.loads(self._wanted.read_text(encoding="utf-8")))

    def want(self, wanted: Wanted) -> None:
        """Say what is wanted from now on."""
        _write(self._wanted, wanted.to_json())

    def found(self) -> Found | None:
        """The processes that were last seen to serve it, which may be gone."""
        try:
            return Found.from_json(json.loads(self._state.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError):
            # Without it the endpoint is simply started anew.
            return None

    def note(self, found: Found | None) -> None:
        """Remember the processes that serve it."""
        if found is None:
            self._state.unlink(missing_ok=True)
        else:
            _write(self._state, found.to_json())

    @property
    def trouble(self) -> tuple[str, str] | None:
        """Why it was last not started: a state and a message; None when it was."""
        try:
            state, message = json.loads(self._trouble.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return str(state), str(message)

    def note_trouble(self, state: str, message: str) -> None:
        """Remember why it is not started."""
        self._trouble.write_text(json.dumps([state, message]), encoding="utf-8")

    def forget_trouble(self) -> None:
        """Take note that it was started, or is not wanted to be."""
        self._trouble.unlink(missing_ok=True)

    def controller_command(self, listener: int | None = None) -> list[str]:
        """The command line of a controller; listener: a socket that is handed over to it."""
        command = [sys.executable, "-m", "modelwright.serve.controller", str(self.path)]
        return command if listener is None else [*command, "--fd", str(listener)]

    def front_control(self, slot: int) -> Path:
        """Where the replica in a slot takes commands."""
        return self.path / f"replica-{slot}.sock"

    def take_in(self, source: Path) -> str:
        """Copy a package below the folder; what to call it in `Served.package`.

        Raises NotAPackage, NewerPackage and CorruptPackage.
        """
        from modelwright.inference.package import Package

        package = Package.open(source)
        place = f"packages/{package.digest.partition(':')[2][:24]}"
        target = self.path / place
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            shutil.copytree(package.folder, draft)
            draft.rename(target)
        return place

    def forget_packages(self, *, but: set[str]) -> None:
        """Delete packages that are not among those."""
        for path in (self.path / "packages").glob("*"):
            if f"packages/{path.name}" not in but:
                shutil.rmtree(path, ignore_errors=True)

    def logs(self) -> list[Path]:
        """The log's files, oldest first."""
        former = sorted(self.path.glob(f"{self.log.name}.*"), reverse=True)
        return [*former, *([self.log] if self.log.exists() else [])]

    @property
    def is_changing(self) -> bool:
        """Whether a command is changing it just now."""
        try:
            with self.changing():
                return False
        except EndpointBusy:
            return True

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep other commands from changing it meanwhile.  Raises EndpointBusy."""
        self.path.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EndpointBusy(self.name) from None
            yield
        finally:
            os.close(handle)

    def delete(self) -> None:
        """Remove everything."""
        # First the file that makes it an endpoint, so that a deletion cut short leaves none.
        self._wanted.unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)


def names(root: Path) -> tuple[str, ...]:
    """The endpoints that have folders below `root`, by name."""
    if not root.is_dir():
        return ()
    found = [p.name for p in root.iterdir() if ENDPOINT_NAME.fullmatch(p.name)]
    return tuple(sorted(n for n in found if EndpointFolder(root, n).exists))


def _write(path: Path, value: Mapping[str, Any]) -> None:
    text = json.dumps(value, indent=1, sort_keys=True).encode()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _overwrite(path, text)


def _overwrite(path: Path, text: bytes) -> None:
    """Write in the place of what is there, as far as a full disk lets one: in one piece, blanks at its end."""
    with path.open("r+b", buffering=0) as file:
        before = os.fstat(file.fileno()).st_size
        content = text.ljust(before)
        if os.pwrite(file.fileno(), content, 0) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
