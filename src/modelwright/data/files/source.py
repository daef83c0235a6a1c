"""Where the bytes of a file come from: a path, or bytes at hand."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from modelwright.data.files.errors import EmptyFile, FileMissing


@dataclass(frozen=True)
class Source:
    """Bytes with a name for messages.  Exactly one of `path` and `content` is given."""

    name: str
    path: Path | None = None
    content: bytes | None = None

    @classmethod
    def of(cls, given: Path | bytes, name: str | None = None) -> Source:
        """The source of a path or of bytes.  Raises FileMissing and EmptyFile."""
        if isinstance(given, bytes):
            source = cls(name or "The data", content=given)
        else:
            try:
                with given.open("rb"):
                    source = cls(name or given.name, path=given)
            except FileNotFoundError as error:
                raise FileMissing(str(given)) from error
            except OSError as error:
                raise FileMissing(str(given), error.strerror or str(error)) from error
        if not source.size:
            raise EmptyFile(source.name)
        return source

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size if self.path else len(self.content or b"")

    @property
    def given(self) -> Path | bytes:
        """What a reading library takes."""
        return self.path or self.content or b""

    def head(self, size: int) -> bytes:
        """The first bytes, `size` at the most."""
        with self.open() as file:
            return file.read(size)

    def open(self) -> BinaryIO:
        """The bytes as a stream from their start."""
        import io

        return self.path.open("rb") if self.path else io.BytesIO(self.content or b"")

    def array(self) -> np.ndarray:
        """All bytes without a copy; those of a file are mapped."""
        if self.path is None:
            return np.frombuffer(self.content or b"", dtype=np.uint8)
        if not self.size:
            return np.empty(0, dtype=np.uint8)
        with self.path.open("rb") as file:
            return np.frombuffer(
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), dtype=np.uint8
            )
