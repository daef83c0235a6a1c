"""Folders on this machine and object stores: files found, brought here, and put there whole."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from modelwright.components.errors import MissingExtra
from modelwright.components.places.connection import Connection, Reach, scheme_of
from modelwright.components.places.errors import (
    FolderNotAllowed,
    InvalidConnection,
    NothingThere,
    StorageFailed,
    TargetExists,
)
from modelwright.data.errors import ModelwrightError
from modelwright.data.files.errors import CannotWriteFile

_LOCAL = ("", "file", "local")
# What fsspec knows beside these wraps other places, and would lead out of the allowed folders.
_OBJECTS = frozenset(
    ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "obs", "hf", "memory")
)
_SERVERS = frozenset(
    ("sftp", "ssh", "ftp", "smb", "hdfs", "webhdfs", "dbfs", "lakefs", "box", "dropbox", "gdrive")
)
_WILD = re.compile(r"[*?\[]")
_EXTRAS = {"s3": "s3", "s3a": "s3"}


@dataclass(frozen=True)
class Place:
    """A path in a folder or store.

    shown: as the user wrote it, for messages.  system: the file system of fsspec, None on this
    machine.  path: as the system wants it; may hold wildcards.
    """

    shown: str
    path: str
    reach: Reach
    system: Any = None
    objects: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return self.system is None


def place_of(path: str, connection: Connection | None, reach: Reach) -> Place:
    """The place of a path, which lies below the connection's folder when there is one.

    Without one the path is an address of its own (s3://bucket/cars.csv), or lies in the first folder
    that pipelines may use.  Raises InvalidConnection, FolderNotAllowed, StorageFailed and MissingExtra.
    """
    path = path.strip()
    shown = f"{connection.name}: {path}" if connection else path
    if "::" in path or "\0" in path or ".." in PurePosixPath(path.replace("\\", "/")).parts:
        raise InvalidConnection(shown, 'a path has neither "::" nor ".." in it')
    if connection is None:
        url, values, below = path, {}, ""
        if not path:
            raise InvalidConnection("(empty)", "neither a path nor a datastore is chosen")
    else:
        if scheme_of(path):
            raise InvalidConnection(shown, "the path lies in the datastore, and is no address")
        url, values = connection.url.rstrip("/"), dict(connection.values)
        below = f"/{path.lstrip('/')}"
    scheme = scheme_of(url)
    if scheme in _LOCAL:
        # In an address "%20" is a blank; in the path below it, every character is itself.
        local = (_path_of_address(url) if scheme else url) + below
        if not local.startswith(("/", "~")) and reach.folders:
            local = f"{reach.folders[0]}/{local}"
        whole = str(Path(local).expanduser().absolute())
        # The part without wildcards tells where it leads.
        fixed = _WILD.split(whole)[0]
        _allow(Path(fixed if fixed == whole else fixed.rpartition("/")[0] or "/"), reach)
        return Place(shown, whole, reach)
    if scheme not in _OBJECTS and not (scheme in _SERVERS and connection is not None):
        raise InvalidConnection(shown, f'"{scheme}" is no place for files without a connection')
    with _told(shown, scheme):
        import fsspec

        system, inside = fsspec.url_to_fs(url + below, **_options(scheme, values))
    return Place(shown, inside, reach, system, scheme in _OBJECTS)


def _path_of_address(url: str) -> str:
    """The path of file://…, where "?" and "#" are characters of a name or wildcards."""
    return unquote("/" + url.partition("://")[2].partition("/")[2])


def _options(scheme: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Values of a connection as fsspec takes them: what reads as JSON is that, such as true or {…}."""
    found: dict[str, Any] = {}
    for name, text in values.items():
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        # A key of digits only stays text.
        found[name] = value if isinstance(value, dict | bool) else text
    return found


def files_at(place: Place) -> list[str]:
    """The files of a path, in order of their names.

    FOLDER/** and FOLDER give every file under a folder, except hidden ones and those whose names
    begin with "_".  Raises NothingThere, FolderNotAllowed and StorageFailed.
    """
    found = _local_files(place) if place.is_local else _stored_files(place)
    if not found:
        raise NothingThere(place.shown)
    return found


def _local_files(place: Place) -> list[str]:
    path = place.path.removesuffix("/**").rstrip("/") or "/"
    if _WILD.search(path) and not Path(path).is_file():
        import glob

        # FOLD*/** takes the files below each of the folders.
        named = glob.glob(place.path, recursive=True)
        every = place.path.endswith("/**")
        found = [Path(p) for p in named if Path(p).is_file() and not (every and _is_aside(p))]
    elif Path(path).is_dir():
        under = Path(path)
        found = [p for p in under.rglob("*") if p.is_file() and _counts(str(p.relative_to(under)))]
    else:
        found = [Path(path)] if Path(path).is_file() else []
    for file in found:
        _allow(file, place.reach)
    return sorted(map(str, found))


def _stored_files(place: Place) -> list[str]:
    path = place.path.removesuffix("/**").rstrip("/")
    with _told(place.shown):
        if _WILD.search(path):
            listed = place.system.glob(place.path.rstrip("/"), detail=True)
            every = place.path.endswith("/**")
            found = [
                name
                for name, info in listed.items()
                if info["type"] == "file" and not (every and _is_aside(name))
            ]
        elif not place.path.endswith("/**") and place.system.isfile(path):
            found = [path]
        else:
            found = [
                name
                for name, info in place.system.find(path, detail=True).items()
                if info["type"] == "file" and _counts(name.removeprefix(path))
            ]
    return sorted(found)


def _counts(relative: str) -> bool:
    return not any(part.startswith((".", "_")) for part in PurePosixPath(relative).parts)


def _is_aside(path: str) -> bool:
    return not _counts(PurePosixPath(path).name)


def fetch(place: Place, file: str, folder: Path) -> Path:
    """A file of a place on this machine: itself, or a copy of it in the folder."""
    if place.is_local:
        return Path(file)
    # Files of several folders may have the same name.
    copy = folder / secrets.token_hex(4) / PurePosixPath(file).name
    copy.parent.mkdir(parents=True)
    with _told(place.shown):
        place.system.get_file(file, str(copy))
    return copy


def put(place: Place, write: Callable[[Path], object], scratch: Path, *, overwrite: bool) -> None:
    """Put a file in its place, whole or not at all.

    write: writes it at the path it is given.  overwrite: whether one that is there is replaced.
    Raises TargetExists, FolderNotAllowed and StorageFailed, and what `write` raises.
    """
    if _WILD.search(place.path) or place.shown.endswith("/"):
        raise InvalidConnection(place.shown, "it names no single file")
    if place.is_local:
        _put_here(place, write, overwrite=overwrite)
        return
    draft = scratch / secrets.token_hex(4) / PurePosixPath(place.path).name
    draft.parent.mkdir(parents=True)
    with _told(place.shown):
        if not overwrite and place.system.exists(place.path):
            raise TargetExists(place.shown)
    write(draft)
    with _told(place.shown):
        if place.objects:
            # An object is there once all of it has come, or not at all.
            place.system.put_file(str(draft), place.path)
            return
        folder, _, name = place.path.rpartition("/")
        part = f"{folder}/.{name}.{secrets.token_hex(4)}.part"
        place.system.makedirs(folder, exist_ok=True)
        try:
            place.system.put_file(str(draft), part)
            if overwrite and place.system.exists(place.path):
                place.system.rm_file(place.path)
            place.system.mv(part, place.path)
        except BaseException:
            if place.system.exists(part):
                place.system.rm_file(part)
            raise


def _put_here(place: Place, write: Callable[[Path], object], *, overwrite: bool) -> None:
    path = Path(place.path)
    _allow(path, place.reach)
    if path.is_dir():
        raise InvalidConnection(place.shown, "it is a folder, and a file is to be written")
    if path.exists() and not overwrite:
        raise TargetExists(place.shown)
    with _told(place.shown):
        path.parent.mkdir(parents=True, exist_ok=True)
    if overwrite:
        write(path)
        return
    draft = path.with_name(f".{secrets.token_hex(4)}.part")
    try:
        write(draft)
        _claim(draft, path, place.shown)
    except CannotWriteFile as error:
        raise CannotWriteFile(str(path), error.fields["why"]) from error
    finally:
        draft.unlink(missing_ok=True)


def _claim(draft: Path, path: Path, shown: str) -> None:
    """Gives a draft its name, unless something has come there since it was looked at."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise TargetExists(shown) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise CannotWriteFile(str(path), error.strerror or str(error)) from error
        # Not every file system has links.
        os.replace(draft, path)


def allowed_file(path: str, reach: Reach) -> Path:
    """A path on this machine that pipelines may use.  Raises FolderNotAllowed."""
    found = Path(path).expanduser().absolute()
    _allow(found, reach)
    return found


def _allow(path: Path, reach: Reach) -> None:
    # Where links lead is what counts.
    real = path.resolve()
    if not any(real.is_relative_to(Path(folder).resolve()) for folder in reach.folders):
        raise FolderNotAllowed(str(path), reach.folders)


@contextmanager
def _told(shown: str, scheme: str = "") -> Iterator[None]:
    """Tells of whatever a storage library raises as a fault of the place."""
    try:
        yield
    except ModelwrightError:
        raise
    except FileNotFoundError:
        raise NothingThere(shown) from None
    except ImportError as error:
        raise MissingExtra(error.name or scheme, _EXTRAS.get(scheme)) from error
    except Exception as error:  # each library has errors of its own
        why = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        raise StorageFailed(shown, why) from error
