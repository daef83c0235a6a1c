"""What is kept on this machine of endpoints that run elsewhere: in containers, on a Ray cluster."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from modelwright.inference.package import Package
from modelwright.serve.capacity import Resources
from modelwright.serve.endpoint_folder import Served, leading
from modelwright.serve.errors import EndpointBusy, InvalidEndpointName, UnknownEndpoint
from modelwright.serve.keys import Keys
from modelwright.serve.names import ENDPOINT_NAME
from modelwright.serve.settings import DeploymentSettings, EndpointSettings


@dataclass(frozen=True, slots=True)
class Held:
    """What is wanted of an endpoint.

    deployments: by number.  port: 0 until it is known.  baked: the package that is in the image of its
    container, named as in `Served.package`.  based_on: what the base of that image was made for.
    certificate: the digest of the pair that it was given, see `Pair`; empty without TLS.
    door: the port on which it answers over TLS, where that is another than without; 0 until it is known.
    version: what Ray Serve was told that its replicas are of; those of another one are made anew.
    """

    deployments: Mapping[int, Served]
    host: str = ""
    port: int = 0
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    running: bool = True
    baked: str = ""
    based_on: Sequence[str] = ()
    certificate: str = ""
    door: int = 0
    version: str = ""

    @property
    def leading(self) -> Served:
        """The deployment that most requests go to; of several the newest."""
        return self.deployments[leading(self.deployments)]

    @property
    def packages(self) -> set[str]:
        """The packages that are needed."""
        return {served.package for served in self.deployments.values()}

    @property
    def collecting(self) -> dict[int, int]:
        """How many files of requests and replies stay, by the number of each deployment that keeps some."""
        found = {n: DeploymentSettings.read(d.settings) for n, d in self.deployments.items()}
        return {n: one.collection_files for n, one in found.items() if one.data_collection}

    def reserves(self) -> Resources:
        """What a replica with all deployments reserves; one that answers and looks on counts twice."""
        found = Resources()
        for one in self.deployments.values():
            each = Resources.reserved_by(DeploymentSettings.read(one.settings))
            found += each * ((not one.shadow or one.share > 0) + (one.shadow > 0))
        return found

    def parts(self, place: Callable[[str], str]) -> dict[str, Any]:
        """The deployments as replicas are told of them, see `Part`.

        place: where a replica finds a package.
        """
        return {
            str(number): {**asdict(one), "package": place(one.package), "nursery": None}
            for number, one in self.deployments.items()
        }

    def told(self, seen: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
        """The deployments for a status.  seen: what a replica has told of each, see `Accompanied`."""
        known = {one["number"]: one for one in seen}
        return tuple(
            {
                "number": number,
                "share": one.share,
                "shadow": one.shadow,
                "settings": dict(one.settings),
                "compared": known.get(number, {}).get("compared") if one.shadow else None,
            }
            for number, one in sorted(self.deployments.items())
        )

    def changed(
        self,
        read: Callable[[Mapping[str, Any]], DeploymentSettings],
        settings: Mapping[str, Any] | None,
        number: int | None,
        endpoint: Mapping[str, Any] | None,
        access: Callable[[Mapping[str, Any]], EndpointSettings] = EndpointSettings.read,
    ) -> Held:
        """The same with some settings changed, of a deployment or of all for None.

        read and access: give the settings as the cluster can keep them.  Raises what they raise.
        """
        deployments = {
            n: replace(one, settings=read({**one.settings, **(settings or {})}).to_json())
            if number in (None, n)
            else one
            for n, one in self.deployments.items()
        }
        wanted = access({**self.endpoint, **(endpoint or {})})
        return replace(self, deployments=deployments, endpoint=wanted.to_json())

    def to_json(self) -> dict[str, Any]:
        """The wish as JSON."""
        found = asdict(self)
        found["deployments"] = {str(n): one for n, one in found["deployments"].items()}
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Held:
        """Read what `to_json` wrote, of this version or of one that knew a single deployment."""
        fields = dict(value)
        if "number" in fields:
            only = Served(fields.pop("package"), fields.pop("deployment"))
            return cls({fields.pop("number"): only}, **fields)
        fields["deployments"] = {int(n): Served(**one) for n, one in value["deployments"].items()}
        return cls(**fields)


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
        return Held.from_json(json.loads(text))

    def find(self, name: str) -> Held | None:
        """The same; None where there is no such endpoint."""
        return self.get(name) if name in self.names() else None

    def put(self, name: str, held: Held) -> None:
        """Say what is wanted from now on."""
        _write(self.folder(name) / "held.json", held.to_json())

    def forget(self, name: str) -> None:
        """Delete all that is kept of an endpoint."""
        shutil.rmtree(self.folder(name), ignore_errors=True)

    def package(self, name: str, served: Served) -> Package:
        """The package of a deployment.  Raises as `Package.open`."""
        return Package.open(self.folder(name) / served.package)

    def take_in(self, name: str, source: Path) -> str:
        """Copy a package below the endpoint's folder; what to call it in `Served.package`."""
        package = Package.open(source)
        place = f"packages/{package.digest.partition(':')[2][:24]}"
        target = self.folder(name) / place
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            shutil.copytree(package.folder, draft)
            draft.rename(target)
        return place

    def forget_packages(self, name: str, *, but: Iterable[str]) -> None:
        """Delete the packages of an endpoint that are not needed any more."""
        needed = {Path(one).name for one in but}
        for path in (self.folder(name) / "packages").iterdir():
            if path.name not in needed:
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
