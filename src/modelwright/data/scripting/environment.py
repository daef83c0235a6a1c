"""Packages that a script asks for beyond those of this installation, installed once in a folder each set."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

from modelwright.data.scripting.errors import RequirementsNotInstalled

FOLDER_VARIABLE = "MODELWRIGHT_SCRIPT_PACKAGES"
"""Environment variable that names the folder of the sets; in the user's cache folder by default."""

_LONGEST = 500
_FRAME = " \u2570\u2500\u25b6\u00d7\u2502"
_INSTALL_S = 1800.0


def packages_for(
    requirements: str, *, log: Callable[[str], None] = lambda line: None
) -> Path | None:
    """The folder of the packages that requirements name, as in a requirements file; None for none.

    They come before the packages of this installation and leave it as it is.  A set that was
    installed before is taken as it is.  Raises RequirementsNotInstalled.
    """
    wanted = _wanted(requirements)
    if not wanted:
        return None
    place = _sets() / _key(wanted)
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        draft.mkdir()
        _install(wanted, draft, log)
        try:
            draft.rename(place)
        except OSError:
            # Another step has just installed the same set.
            if not place.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    log(f"Installed {', '.join(_versions(place))}.")
    return place


def pinned(requirements: str) -> str:
    """The requirements with the exact versions that are installed for them; as they are when none are.

    Lines that are options, such as --index-url, stay.
    """
    wanted = _wanted(requirements)
    place = _sets() / _key(wanted)
    if not wanted or not place.is_dir():
        return requirements
    options = [line for line in wanted if line.startswith("-")]
    direct = [line for line in wanted if _is_direct(line)]
    named = {_plain(_file_project(line)) for line in direct}
    versions = [v for v in _versions(place) if _plain(v.partition("==")[0]) not in named]
    return "\n".join([*options, *direct, *versions])


def _wanted(requirements: str) -> tuple[str, ...]:
    lines = (line.partition(" #")[0].strip() for line in requirements.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _is_direct(line: str) -> bool:
    """Whether a line names a file or an address and not a project."""
    return not line.startswith("-") and ("/" in line.partition("@")[0] or "://" in line)


def _file_project(line: str) -> str:
    return Path(line.partition("#")[0]).name.partition("-")[0]


def _plain(name: str) -> str:
    return name.replace("_", "-").replace(".", "-").lower()


def _key(wanted: tuple[str, ...]) -> str:
    """Names a set: what is wanted, the content of local files, and what it is installed for."""
    files = [
        hashlib.sha256(Path(line).read_bytes()).hexdigest() if Path(line).is_file() else ""
        for line in wanted
    ]
    text = json.dumps([wanted, files, sys.version_info[:2], platform.platform(terse=True)])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _sets() -> Path:
    if given := os.environ.get(FOLDER_VARIABLE):
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("modelwright") / "script-packages"


def _install(wanted: tuple[str, ...], folder: Path, log: Callable[[str], None]) -> None:
    text = "\n".join(wanted)
    file = folder.with_name(f"{folder.name}.txt")
    file.write_text(text + "\n", encoding="utf-8")
    try:
        log(f"Installing {', '.join(wanted)} …")
        done = subprocess.run(
            [*_installer(), "--target", str(folder), "-r", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_INSTALL_S,
        )
        said = done.stdout.decode("utf-8", "replace").strip().splitlines()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RequirementsNotInstalled(text, str(error)) from error
    finally:
        file.unlink(missing_ok=True)
    for line in said:
        log(line)
    if done.returncode:
        why = " ".join(line.strip(_FRAME) for line in said) or "the installer says nothing"
        raise RequirementsNotInstalled(text, why[:_LONGEST].strip().rstrip("."))


def _installer() -> list[str]:
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _versions(place: Path) -> list[str]:
    found = {d.metadata["Name"]: d.version for d in distributions(path=[str(place)])}
    return [f"{name}=={version}" for name, version in sorted(found.items())]
