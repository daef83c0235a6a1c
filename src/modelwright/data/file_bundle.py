"""File bundles: a few files that travel together, as from a zip archive."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Self

from modelwright.data.artifact import Artifact, CorruptArtifact
from modelwright.data.errors import ModelwrightError

LARGEST_BUNDLE = 1 << 30
"""Bytes that an archive may unpack to: a small one can hold any number."""

_FOLDER = "files"
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    OSError,
)


class InvalidBundle(ModelwrightError):
    """An archive or folder cannot be taken as a bundle of files."""

    code = "invalid-file-bundle"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The files cannot be taken: {why}.",
            remedy="Make a plain zip archive of the files, without links or absolute paths.",
            why=why,
        )


@dataclass(frozen=True, eq=False)
class FileBundle(Artifact):
    """Files by their path within the bundle, with "/" between folders.

    Raises InvalidBundle for a path that leads out of the bundle.
    """

    kind: ClassVar[str] = "files"
    title: ClassVar[str] = "Files"

    files: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.files:
            parts = PurePosixPath(path).parts
            # A drive or a backslash is a path of its own on Windows.
            if (
                not parts
                or ".." in parts
                or path.startswith("/")
                or any(c in path for c in "\\:\0")
            ):
                raise InvalidBundle(f"{path!r} is not a path inside the bundle")

    @classmethod
    def of_zip(cls, content: bytes, *, limit: int = LARGEST_BUNDLE) -> Self:
        """The files of a zip archive, of `limit` bytes at the most.  Raises InvalidBundle."""
        files: dict[str, bytes] = {}
        left = limit
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for entry in archive.infolist():
                    if entry.is_dir():
                        continue
                    if stat.S_ISLNK(entry.external_attr >> 16):
                        raise InvalidBundle(f"{entry.filename!r} is a link")
                    with archive.open(entry) as file:
                        # What the archive says of its sizes may be a lie.
                        files[entry.filename] = file.read(left + 1)
                    left -= len(files[entry.filename])
                    if left < 0:
                        raise InvalidBundle(f"they unpack to more than {limit} bytes")
        except _UNREADABLE as error:
            raise InvalidBundle(f"this is no readable zip archive ({error})") from None
        return cls(files)

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """The files of a folder and the folders below it; links are followed."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return cls({path.relative_to(folder).as_posix(): path.read_bytes() for path in files})

    def unpack(self, folder: Path) -> None:
        """Write the files below a folder, which is made if it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def save(self, folder: Path) -> None:
        """Write the files as they are, below a folder of their own."""
        self.unpack(folder / _FOLDER)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        if not (folder / _FOLDER).is_dir():
            raise CorruptArtifact("bundle of files", "its folder is not there")
        try:
            return cls.of_folder(folder / _FOLDER)
        except OSError as error:
            raise CorruptArtifact("bundle of files", str(error)) from error

    def summary(self) -> dict[str, Any]:
        """How many files, and their bytes."""
        return {"files": len(self.files), "bytes": self.size}

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(map(len, self.files.values()))
