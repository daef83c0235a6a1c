"""Settings, tokens, connections, compute and storage as bodies."""
# ruff: noqa: RUF012  # pydantic copies the defaults of fields

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from modelwright.api.shapes.shape import Asked, Moment, Name, Shape


class Settings(Shape):
    """What the studio remembers for everyone: named JSON values."""

    values: dict[str, Any]


SettingName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,99}$")]


class SettingsChange(Asked):
    """Values to set by name; null takes a value away."""

    values: Annotated[dict[SettingName, Any], Field(max_length=200)]


class NewToken(Asked):
    """A token for a program."""

    name: Name
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """How long it opens the door; null for always."""


class ApiToken(Shape):
    """A token for a program, without its secret."""

    id: int
    name: str
    person: str
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class CreatedToken(Shape):
    """A new token with its secret, which is shown this once."""

    secret: str
    token: ApiToken


class NewSecret(Asked):
    """A named connection; its values are sealed and never shown again."""

    values: Annotated[dict[str, str], Field(min_length=1, max_length=50)]
    kind: Annotated[str, Field(max_length=100)] = "connection"
    description: Annotated[str, Field(max_length=10_000)] = ""
    public: dict[str, Any] = {}
    """Fields that anyone may see, such as a host."""


class Secret(Shape):
    """A named connection without its secret values."""

    name: str
    kind: str
    description: str
    public: dict[str, Any]
    keys: list[str]
    """The names of the sealed values."""
    created_at: Moment
    changed_at: Moment


class NewConnection(Asked):
    """A connection for Import Data and Export Data; its values are sealed and never shown again."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    """Of a database, a bucket or a folder; a password in it is sealed."""
    values: Annotated[dict[str, str], Field(max_length=50)] = {}
    """What it asks for, such as a password or keys."""
    description: Annotated[str, Field(max_length=10_000)] = ""


class Connection(Shape):
    """A connection for Import Data and Export Data without its secret values."""

    name: str
    kind: str
    """files or database."""
    url: str
    description: str
    keys: list[str]
    """The names of the sealed values."""
    changed_at: Moment


class Reach(Shape):
    """What pipelines may reach beside the public network and the connections."""

    folders: list[str]
    """Of the server's machine; a path without a root lies in the first."""
    hosts: list[str]
    largest_download: int
    """Bytes of one file."""


class KindUsage(Shape):
    """What the artifacts of one kind take."""

    kind: str
    count: int
    size: int


class Storage(Shape):
    """What the store takes, in bytes."""

    store: str
    kinds: list[KindUsage]
    steps: int
    quarantine: int
    temporary: int
    free: int
    """Left on the disk of the home."""
