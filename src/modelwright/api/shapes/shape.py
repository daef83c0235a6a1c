"""What all bodies have in common."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")

Json = Any
"""Any JSON value."""

Name = Annotated[str, Field(min_length=1, max_length=200)]


Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""A number that counts from 1, such as a version or a revision; databases hold no larger one."""


class Shape(BaseModel):
    """A body; made from a record with the same field names by `of`."""

    model_config = ConfigDict(
        from_attributes=True, use_attribute_docstrings=True, ser_json_inf_nan="null"
    )

    @classmethod
    def of(cls, record: Any) -> Self:
        """The body of a record."""
        return cls.model_validate(record)


class Asked(BaseModel):
    """A body that a caller sends; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Fault(Shape):
    """The inside of every error."""

    code: str
    """Stable name of what is wrong, for programs."""
    message: str
    """What happened and what to do, as one text."""
    happened: str
    remedy: str
    fields: dict[str, Any]
    """The values in the message."""
    reference: str | None = None
    """Only for mistakes of ours: finds the details in the server's log."""


class ErrorReply(Shape):
    """Every answer that is not a success."""

    error: Fault


class PageOf(Shape, Generic[T]):
    """A page of a long list, newest first."""

    items: list[T]
    total: int
    """How many there are on all pages."""
    after: str | None
    """Send it to the same address for the next page; null on the last."""


class Listed(Shape, Generic[T]):
    """A list that is given whole."""

    items: list[T]


class Done(Shape):
    """What was asked for has been done, and there is nothing to tell."""

    done: bool = True


Moment = datetime
"""A time, in ISO 8601 with its zone."""
