"""Mistakes a user can mend, told in one form."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, ClassVar


class ModelwrightError(Exception):
    """A mistake the user can mend: what happened, where, and what to do.

    happened: one sentence that names the place.  remedy: one sentence that says what to do.
    fields: the values in the message, for programs that read the error as JSON.
    """

    code: ClassVar[str] = "modelwright-error"
    known: ClassVar[dict[str, type[ModelwrightError]]] = {}

    def __init__(self, happened: str, *, remedy: str, **fields: Any) -> None:
        self.happened = happened
        self.remedy = remedy
        self.fields: dict[str, Any] = fields
        super().__init__(f"{happened} {remedy}")

    def __init_subclass__(cls) -> None:
        """Register the code, so that the catalogue of errors is complete by construction."""
        super().__init_subclass__()
        if "code" not in cls.__dict__:
            return
        other = ModelwrightError.known.setdefault(cls.code, cls)
        if other.__qualname__ != cls.__qualname__:
            raise TypeError(f"error code {cls.code!r} is used by {other!r} and {cls!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by value: an error crosses from a worker to the runner unchanged."""
        return _rebuild, (type(self), self.happened, self.remedy, self.fields)

    def to_json(self) -> dict[str, Any]:
        """The error as one JSON object: code, message, happened, remedy, fields."""
        return {
            "code": self.code,
            "message": str(self),
            "happened": self.happened,
            "remedy": self.remedy,
            "fields": dict(self.fields),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ModelwrightError:
        """Rebuild an error that travelled as JSON; an unknown code gives a plain ModelwrightError."""
        kind = ModelwrightError.known.get(value["code"], ModelwrightError)
        error = _rebuild(kind, value["happened"], value["remedy"], dict(value["fields"]))
        if kind is ModelwrightError:
            error.code = value["code"]  # type: ignore[misc]  # an instance keeps a foreign code
        return error


def _rebuild(
    kind: type[ModelwrightError], happened: str, remedy: str, fields: dict[str, Any]
) -> ModelwrightError:
    error = kind.__new__(kind)
    ModelwrightError.__init__(error, happened, remedy=remedy, **fields)
    return error


def nearest(name: str, known: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """The known names most like a name that was not found, best first, three at the most."""
    folded = {k.casefold(): k for k in reversed(known)}
    return tuple(folded[m] for m in get_close_matches(name.casefold(), list(folded), 3, 0.6))


def suggestion(name: str, known: list[str] | tuple[str, ...]) -> str:
    """The words that offer the nearest names, or an empty text when nothing is near."""
    near = nearest(name, known)
    return "Nearest: " + ", ".join(f'"{n}"' for n in near) + ". " if near else ""
