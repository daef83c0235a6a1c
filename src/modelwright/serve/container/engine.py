"""A container engine as endpoints use it: Docker, or Podman's service, at one address."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import socket
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modelwright.data.errors import ModelwrightError
from modelwright.serve.capacity import Resources
from modelwright.serve.logs import KEPT, LARGEST

RUNNING = "/run/modelwright"
"""The folder in a container for what changes: keys, settings, the present package."""

_MOST_FILES, _MOST_PROCESSES = 16_384, 4_096

_PERIOD = 100_000

_ASK_S = 180
_OLDEST = "1.24"

_ASK = (
    "import socket, sys; s = socket.socket(socket.AF_UNIX); s.settimeout({seconds}); "
    "s.connect('{path}'); s.sendall(sys.argv[1].encode() + b'\\n'); "
    "print(s.makefile().readline(), end='')"
)


class NoContainerEngine(ModelwrightError):
    """No Docker or Podman answers."""

    code = "no-container-engine"

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"No container engine answers at {address}: {why}.",
            remedy="Start Docker, or Podman with: podman system service --time=0; or give its "
            "address as the option engine_url of the inference cluster.",
            address=address,
            why=why,
        )


class ContainerRefuses(ModelwrightError):
    """The process in a container did not take a command."""

    code = "container-refuses"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f'The container of endpoint "{name}" did not follow: {why}.',
            remedy=f"Look at its log with: modelwright endpoint logs {name}.",
            name=name,
            why=why,
        )


def address_of(options: Mapping[str, Any]) -> str:
    """Where the engine is: as the cluster or the environment says, or the first usual socket there is."""
    given = options.get("engine_url") or os.environ.get("DOCKER_HOST")
    if given:
        return str(given)
    runtime = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    usual = ("/var/run/docker.sock", f"{runtime}/podman/podman.sock", "/run/podman/podman.sock")
    return "unix://" + next((p for p in usual if Path(p).is_socket()), usual[0])


def connected(address: str) -> Any:
    """A client of the engine.  Raises NoContainerEngine."""
    import docker
    from docker.errors import DockerException

    try:
        if address.startswith("unix://"):
            # Where nobody listens, the SDK would leave a socket open.
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.connect(address.removeprefix("unix://"))
        client = docker.DockerClient(base_url=address, version=_version(address), timeout=_ASK_S)
        client.ping()
    except (DockerException, OSError) as error:
        raise NoContainerEngine(address, _why(error)) from None
    return client


def _version(address: str) -> str:
    """The version of the interface that an engine speaks, without asking all that it is made of.

    That is what the SDK does by itself, for which Podman starts programs and takes a third of a second.
    """
    import docker

    with contextlib.closing(
        docker.APIClient(base_url=address, version=_OLDEST, timeout=_ASK_S)
    ) as line:
        said: str | None = line.get(f"{line.base_url}/_ping", timeout=_ASK_S).headers.get(
            "Api-Version"
        )
    return said or "auto"


def capacity(client: Any) -> Resources:
    """All that the engine's machine has."""
    found = client.info()
    return Resources(float(found["NCPU"]), found["MemTotal"] / 1e9)


def own_limits() -> list[Any]:
    """Bounds of open files and processes that are within those of this process.

    Engines ask for more by default, which not every machine allows.
    """
    from docker.types import Ulimit

    kinds = {
        "nofile": (resource.RLIMIT_NOFILE, _MOST_FILES),
        "nproc": (resource.RLIMIT_NPROC, _MOST_PROCESSES),
    }
    found = []
    for name, (kind, most) in kinds.items():
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        found.append(Ulimit(name=name, soft=bound, hard=bound))
    return found


def log_config() -> Any:
    """Logs that are turned over, as those of this machine are."""
    from docker.types import LogConfig

    config = {"max-size": f"{LARGEST}", "max-file": f"{1 + KEPT}"}
    return LogConfig(type=LogConfig.types.JSON, config=config)


def set_limits(container: Any, cores: float, memory_gb: float) -> bool:
    """Bound a running container otherwise; False where the engine cannot, or not so low now."""
    api, memory = container.client.api, round(memory_gb * 1e9)
    docker = {"NanoCpus": round(cores * 1e9), "Memory": memory, "MemorySwap": 2 * memory}
    # Podman's answer to Docker's way is younger than its own.
    podman = {
        "memory": {"limit": memory, "swap": 2 * memory},
        "cpu": {"quota": round(cores * _PERIOD), "period": _PERIOD},
    }
    ways = (
        (f"/v{api.api_version}/containers/{container.id}/update", docker),
        (f"/v4.0.0/libpod/containers/{container.id}/update", podman),
    )
    return any(api.post(f"{api.base_url}{path}", json=said).ok for path, said in ways)


def put_files(
    container: Any, files: Mapping[str, bytes | str], *, mode: int = 0o644, owner: int = 0
) -> None:
    """Write files below the folder for what changes; text is the target of a symbolic link.

    owner: the user in the container whose they are.
    """
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.mode, info.uid, info.gid = mode, owner, owner
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    container.put_archive(RUNNING, held.getvalue())


def files_of(container: Any, folder: str) -> Iterator[tuple[str, bytes]]:
    """The files below a folder of a container, also of a stopped one, by their paths in it."""
    from docker.errors import NotFound

    with tempfile.TemporaryFile() as held:
        try:
            parts, _ = container.get_archive(folder)
            for part in parts:
                held.write(part)
        except NotFound:
            return
        held.seek(0)
        with tarfile.open(fileobj=held) as tar:
            for info in tar:
                content = tar.extractfile(info) if info.isfile() else None
                if content is not None:
                    yield info.name.partition("/")[2], content.read()


def folder_files(folder: Path, below: str) -> dict[str, bytes | str]:
    """The files of a folder, to be put below another one."""
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {f"{below}/{p.relative_to(folder).as_posix()}": p.read_bytes() for p in files}


def ask(container: Any, name: str, command: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
    """Give the replica in a container a command.  Raises ContainerRefuses and what it answers."""
    from docker.errors import APIError

    program = _ASK.format(path=f"{RUNNING}/control.sock", seconds=seconds)
    try:
        status, output = _run(container, ["python", "-S", "-c", program, json.dumps(dict(command))])
    except APIError as error:
        # It has just ended, as a rule, and its engine starts it again.
        raise ContainerRefuses(name, error.explanation or _why(error)) from None
    text = output.decode(errors="replace").strip()
    if status or not text:
        raise ContainerRefuses(name, text.splitlines()[-1] if text else "it said nothing")
    said: dict[str, Any] = json.loads(text)
    if "error" in said:
        raise ModelwrightError.from_json(said["error"])
    return said


def _run(container: Any, command: list[str]) -> tuple[int, bytes]:
    """Exit status and output of a command in a container; unlike the SDK's own, it leaves no socket open."""
    from docker.utils.socket import frames_iter

    api = container.client.api
    number = api.exec_create(container.id, command)["Id"]
    line = api.exec_start(number, socket=True)
    try:
        output = b"".join(part for _, part in frames_iter(line, tty=False))
    finally:
        # The SDK keeps the answer that the line belongs to beside it, and lets go of neither.
        held = [getattr(line, name, None) for name in ("_response", "_sock")]
        for one in (*held, line):
            if one is not None:
                one.close()
    return int(api.exec_inspect(number)["ExitCode"] or 0), output


def _why(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
