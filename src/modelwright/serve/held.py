"""What is kept on this machine of endpoints that run elsewhere: in containers, on a Ray cluster."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from modelwright.inference.package import Package
from modelwright.serve.errors import EndpointBusy, InvalidEndpointName, UnknownEndpoint
from modelwright.serve.keys import Keys
from modelwright.serve.names import ENDPOINT_NAME


@dataclass(frozen=True, slots=True)
class Held:
    """What is wanted of an endpoint with one deployment.

    package: folder below its own.  number: of its deployment.  port: 0 until it is known.
    """

    package: str
    number: int
    host: str
    port: int
    deployment: Mapping[str, Any] = field(default_factory=dict)
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    running: bool = True


class HeldEndpoints:
    """The endpoints of a cluster, a folder each below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> tuple[str, ...]:
        """Every endpoint, by name."""
        if not self.root.is_dir():
            return ()
        return tuple(sorted(p.name for p in self.root.iterdir() if (p / "held.json").is_file()))

    def folder(self, name: str) -> Path:
        """Where the files of an endpoint are."""
        return self.root / name

    def get(self, name: str) -> Held:
        """What is wanted of an endpoint.  Raises UnknownEndpoint."""
        try:
            text = (self.folder(name) / "held.json").read_text(encoding="utf-8")
        except OSError:
            raise UnknownEndpoint(name, self.names()) from None
        return Held(**json.loads(text))

    def find(self, name: str) -> Held | None:
        """The same; None where there is no such endpoint."""
        return self.get(name) if name in self.names() else None

    def put(self, name: str, held: Held) -> None:
        """Say what is wanted from now on."""
        _write(self.folder(name) / "held.json", asdict(held))

    def forget(self, name: str) -> None:
        """Delete all that is kept of an endpoint."""
        shutil.rmtree(self.folder(name), ignore_errors=True)

    def package(self, name: str, held: Held) -> Package:
        """The package that an endpoint serves.  Raises as `Package.open`."""
        return Package.open(self.folder(name) / held.package)

    def take_in(self, name: str, source: Path) -> str:
        """Copy a package below the endpoint's folder; what to call it in `Held.package`."""
        package = Package.open(source)
        place = f"packages/{package.digest.partition(':')[2][:24]}"
        target = self.folder(name) / place
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            shutil.copytree(package.folder, draft)
            draft.rename(target)
        return place

    def forget_packages(self, name: str, *, but: str) -> None:
        """Delete all packages of an endpoint but one."""
        for path in (self.folder(name) / "packages").iterdir():
            if path.name != Path(but).name:
                shutil.rmtree(path, ignore_errors=True)

    def keep_keys(self, name: str, keys: Keys) -> bytes:
        """Keep the digests of keys, and give them as JSON."""
        path = self.folder(name) / "keys.json"
        keys.lock().write(path)
        return path.read_bytes()

    def keys(self, name: str) -> bytes:
        """The digests of the keys that were kept, as JSON."""
        return (self.folder(name) / "keys.json").read_bytes()

    @contextmanager
    def changing(self, name: str) -> Iterator[None]:
        """Be the only one who changes an endpoint.  Raises InvalidEndpointName and EndpointBusy."""
        if not ENDPOINT_NAME.fullmatch(name):
            raise InvalidEndpointName(name)
        locks = self.root.parent / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        handle = os.open(locks / f"{name.lower()}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EndpointBusy(name) from None
            yield
        finally:
            os.close(handle)


def _write(path: Path, value: Mapping[str, Any]) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_text(json.dumps(value, indent=1), encoding="utf-8")
    draft.replace(path)
