"""What can go wrong with a store, each with what to do."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelwright.data.errors import ModelwrightError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class MissingArtifact(ModelwrightError):
    """A value is not in the store."""

    code = "missing-artifact"

    def __init__(self, digest: str, place: str) -> None:
        super().__init__(
            f"The value {digest[:19]}… is not in the store {place}.",
            remedy="Run the step that makes it again, or open the store that holds it.",
            digest=digest,
            store=place,
        )


class UnknownKind(ModelwrightError):
    """A stored value is of a kind that nothing here can load."""

    code = "unknown-artifact-kind"

    def __init__(self, digest: str, kind: str) -> None:
        super().__init__(
            f'The stored value {digest[:19]}… is of the kind "{kind}", which is not known here.',
            remedy="Install the package that brings this kind, or a newer Modelwright.",
            digest=digest,
            kind=kind,
        )


class StoreFull(ModelwrightError):
    """There is no room for a value; nothing of it is kept."""

    code = "store-full"

    def __init__(self, place: str, *, needed: int | None, free: int | None, why: str) -> None:
        figures = [f"about {_amount(needed)} are needed"] if needed else []
        figures += [f"{_amount(free)} are free"] if free is not None else []
        super().__init__(
            f"The store {place} has no room left: {', '.join(figures) or 'nothing was written'} ({why}).",
            remedy="Free disk space, delete runs and data that are not needed, or move the store; "
            "what was stored before is still there.",
            store=place,
            needed=needed,
            free=free,
        )


class StoreReadOnly(ModelwrightError):
    """The store cannot be written to."""

    code = "store-read-only"

    def __init__(self, place: str, why: str) -> None:
        super().__init__(
            f"The store {place} cannot be written to: {why}.",
            remedy="Give this user the right to write there, or choose another store.",
            store=place,
            why=why,
        )


class StoreUnavailable(ModelwrightError):
    """The store cannot be reached or opened."""

    code = "store-unavailable"

    def __init__(self, place: str, why: str, *, remedy: str = "") -> None:
        super().__init__(
            f"The store {place} cannot be used: {why}.",
            remedy=remedy or "Check the address, the credentials and the connection.",
            store=place,
            why=why,
        )


class NewerStore(ModelwrightError):
    """A store was written by a newer version."""

    code = "newer-store"

    def __init__(self, place: str, found: int, known: int) -> None:
        super().__init__(
            f"The store {place} has format {found}; this version knows formats up to {known}.",
            remedy="Install a newer Modelwright, or open another store.",
            store=place,
            found=found,
            known=known,
        )


@contextmanager
def writing_to(place: Path, needed: int | None = None) -> Iterator[None]:
    """Say in the user's words why a folder could not be written: StoreFull, StoreReadOnly."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno in _FULL:
            raise StoreFull(str(place), needed=needed, free=_free(place), why=why) from error
        if error.errno in _READ_ONLY:
            raise StoreReadOnly(str(place), why) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EIO, errno.ESTALE):
            raise StoreUnavailable(
                str(place), why, remedy="Check the folder and the disk it is on."
            ) from error
        raise


def _free(place: Path) -> int | None:
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None


def _amount(size: int) -> str:
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"
