"""An image with Python and Modelwright made of the running environment, so that no network is needed.

It holds the interpreter, its standard library, the distributions that serving needs, and the shared
libraries that these are linked to.
"""

from __future__ import annotations

import hashlib
import io
import platform
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from modelwright import temporary
from modelwright.data.errors import ModelwrightError

PLACE = "/opt/modelwright"
USER = 10_001

ENVIRONMENT = {
    "PATH": f"{PLACE}/bin",
    "LD_LIBRARY_PATH": f"{PLACE}/lib",
    "HOME": "/tmp",  # noqa: S108  # the one place in the image that anybody may write to
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""What the interpreter in the image needs to be found and to find itself."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
_LINKED = re.compile(r"^\s*\S+ => (/\S+) |^\s*(/\S+) \(", re.MULTILINE)
_UNUSED = {"__pycache__", "site-packages", "test", "idlelib", "tkinter", "ensurepip", "lib2to3"}


class NoBaseImage(ModelwrightError):
    """The running environment cannot be made into an image."""

    code = "no-base-image"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"No image can be made of this Python environment: {why}.",
            remedy='Name an image that has "modelwright[serve]" installed as the option base_image '
            "of the inference cluster.",
            why=why,
        )


class BaseImage:
    """What is to be in the image.

    extras: of Modelwright.  more: distributions beside, such as "lightgbm".
    """

    def __init__(self, extras: Iterable[str] = ("serve",), more: Iterable[str] = ()) -> None:
        self.distributions = _closure(("modelwright", *more), frozenset(extras))

    @property
    def tag(self) -> str:
        """A name for the image that changes with whatever is in it."""
        import modelwright

        found = hashlib.sha256(platform.python_version().encode())
        for name, one in sorted(self.distributions.items()):
            found.update(f"{name}=={one.version}\n".encode())
        for path in _source():
            found.update(path.relative_to(Path(modelwright.__path__[0])).as_posix().encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
        # Podman imports under the tag "latest", whatever it is told.
        return f"localhost/modelwright-base-{found.hexdigest()[:16]}:latest"

    def write(self, path: Path) -> None:
        """Write the file system of the image as a tar file.  Raises NoBaseImage."""
        import modelwright

        if not sys.platform.startswith("linux"):
            raise NoBaseImage("it is not one of Linux")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        stdlib = Path(sysconfig.get_paths()["stdlib"])
        site = f"{PLACE}/lib/{version}/site-packages"
        linked: list[Path] = []
        with tarfile.open(path, "w") as tar:
            _folders(tar)
            executable = Path(sys.executable).resolve()
            _put(tar, executable, f"{PLACE}/bin/{version}", linked)
            for name in ("python", "python3"):
                _link(tar, f"{PLACE}/bin/{name}", version)
            for file in _below(stdlib):
                _put(tar, file, f"{PLACE}/lib/{version}/{file.relative_to(stdlib)}", linked)
            source = Path(modelwright.__path__[0])
            for file in _source():
                _put(tar, file, f"{site}/modelwright/{file.relative_to(source)}", linked)
            for one in self.distributions.values():
                for file, place in _files(one):
                    if not place.startswith("modelwright/"):
                        _put(tar, file, f"{site}/{place}", linked)
            for library in _libraries(linked):
                _put(tar, library, str(library), [])
                _put(tar, library, f"{PLACE}/lib/{library.name}", [])


def _closure(names: Iterable[str], extras: frozenset[str]) -> dict[str, Distribution]:
    """The installed distributions of these names and all that they require."""
    found: dict[str, Distribution] = {}
    waiting = [*names]
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            # Wanted on other platforms or by other versions of Python.
            continue
        for requirement in found[name].requires or ():
            wanted, _, marker = requirement.partition(";")
            extra = _EXTRA.search(marker)
            mine = extras if name == "modelwright" else frozenset[str]()
            if extra is None or extra.group(1) in mine:
                match = _NAME.match(wanted.strip())
                if match:
                    waiting.append(match.group())
    return found


def _source() -> list[Path]:
    import modelwright

    root = Path(modelwright.__path__[0])
    left_out = {"__pycache__", "studio_dist"}
    return sorted(
        p for p in root.rglob("*") if p.is_file() and left_out.isdisjoint(p.relative_to(root).parts)
    )


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _UNUSED or path.name.startswith("config-"):
            continue
        if path.is_dir():
            yield from _below(path)
        elif path.is_file():
            yield path


def _files(one: Distribution) -> Iterator[tuple[Path, str]]:
    for file in one.files or ():
        place = file.as_posix()
        if place.startswith("..") or "__pycache__" in place or place.endswith(".pth"):
            continue
        path = Path(str(file.locate()))
        if path.is_file():
            yield path, place


def _folders(tar: tarfile.TarFile) -> None:
    for name, mode in (("tmp", 0o1777), ("etc", 0o755), ("proc", 0o755), ("sys", 0o755)):
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, mode
        tar.addfile(info)
    users = f"root:x:0:0::/:/none\nmodelwright:x:{USER}:{USER}::/tmp:/none\n".encode()
    info = tarfile.TarInfo("etc/passwd")
    info.size, info.mode = len(users), 0o644
    tar.addfile(info, io.BytesIO(users))


def _put(tar: tarfile.TarFile, source: Path, place: str, linked: list[Path]) -> None:
    real = source.resolve()
    info = tarfile.TarInfo(place.lstrip("/"))
    info.size = real.stat().st_size
    info.mode = 0o755 if real.stat().st_mode & 0o111 else 0o644
    with real.open("rb") as file:
        if file.read(4) == b"\x7fELF":
            linked.append(real)
        file.seek(0)
        tar.addfile(info, file)


def _link(tar: tarfile.TarFile, place: str, target: str) -> None:
    info = tarfile.TarInfo(place.lstrip("/"))
    info.type, info.linkname = tarfile.SYMTYPE, target
    tar.addfile(info)


def _libraries(linked: Iterable[Path]) -> list[Path]:
    """The shared libraries of the system that programs and libraries are linked to."""
    found: dict[str, Path] = {}
    try:
        said = subprocess.run(
            ["ldd", *map(str, linked)],  # noqa: S607  # a part of the C library, wherever it lies
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    except OSError as error:
        raise NoBaseImage(f"ldd cannot be run ({error.strerror})") from None
    for match in _LINKED.finditer(said):
        place = match.group(1) or match.group(2)
        if "site-packages" not in place and Path(place).is_file():
            found.setdefault(place, Path(place))
    if not any("ld-" in name for name in found):
        raise NoBaseImage("its interpreter is not linked to a C library that could be taken along")
    return list(found.values())


def ensure(engine: Any, base: BaseImage) -> str:
    """The tag of the image on a container engine, made there unless it is there.  Raises NoBaseImage."""
    from docker.errors import ImageNotFound

    tag = base.tag
    try:
        engine.images.get(tag)
    except ImageNotFound:
        with tempfile.TemporaryDirectory(prefix="base-", dir=temporary.place()) as folder:
            path = Path(folder) / "base.tar"
            base.write(path)
            repository, _, label = tag.rpartition(":")
            engine.api.import_image_from_file(str(path), repository=repository, tag=label)
    return tag
