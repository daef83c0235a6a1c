"""Who may come in, and what is kept from others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who uses the workspace."""

    id: int
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A person who has logged in; `secret` goes into the cookie and is stored only as a hash."""

    person: Person
    secret: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A token for a program, without its secret.

    last_used_at: to the minute.
    """

    id: int
    name: str
    person: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A named connection without its secret values.

    kind: what it connects to.  public: the fields that need no sealing, such as a host.
    keys: the names of the sealed values.
    """

    name: str
    kind: str
    description: str
    public: Mapping[str, Any]
    keys: tuple[str, ...]
    created_at: datetime
    changed_at: datetime
