"""Named connections and what pipelines may reach, as a running step learns of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from modelwright.components.context import Context
from modelwright.components.places.errors import InvalidConnection, UnknownConnection

CONNECTION = "connection:"
"""Before a connection's name, what `Context.secret` is asked for; the answer is its JSON."""

REACH = "reach:"
"""What `Context.secret` is asked for to learn what pipelines may reach; the answer is its JSON."""

LARGEST_DOWNLOAD = 5_000_000_000

Kind = Literal["files", "database"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PASSWORD = re.compile(r"(?<=//)([^/@:?#]*):([^/?#]*)@")


@dataclass(frozen=True)
class Connection:
    """A place with a name.

    url: of a folder or bucket, or of a database, without its password.  values: the password and
    whatever else the place asks for, such as keys; texts by name.
    """

    name: str
    kind: Kind
    url: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of_url(cls, name: str, url: str, values: Mapping[str, str] | None = None) -> Connection:
        """The connection to a URL; a password in it is taken out.  Raises InvalidConnection."""
        from urllib.parse import unquote

        url = url.strip()
        given = dict(values or {})
        if found := _PASSWORD.search(url):
            given.setdefault("password", unquote(found[2]))
            url = url[: found.start()] + found[1] + "@" + url[found.end() :]
        scheme = scheme_of(url)
        if "::" in url:
            raise InvalidConnection(url, "one place within another is not supported")
        if scheme in ("http", "https"):
            raise InvalidConnection(url, "a web address is imported with URL via HTTP")
        kind: Kind = "database" if is_database(scheme) else "files"
        return cls(name, kind, url, given)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON, secrets too."""
        return {
            "name": self.name,
            "kind": self.kind,
            "url": self.url,
            "values": dict(self.values),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Connection:
        """Read what `to_json` wrote."""
        return cls(value["name"], value["kind"], value["url"], value["values"])


@dataclass(frozen=True)
class Reach:
    """What pipelines may reach beside the public network and the connections that people made.

    folders: on this machine, with all below them; a path without a root lies in the first.
    hosts: names, addresses or networks (10.0.0.0/8) in the private network.
    largest_download: bytes of one file.
    """

    folders: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    largest_download: int = LARGEST_DOWNLOAD

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "folders": list(self.folders),
            "hosts": list(self.hosts),
            "largest_download": self.largest_download,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reach:
        """Read what `to_json` wrote; what is left out is as by default."""
        return cls(
            tuple(value.get("folders", ())),
            tuple(value.get("hosts", ())),
            int(value.get("largest_download", LARGEST_DOWNLOAD)),
        )


def find_connection(context: Context, name: str) -> Connection:
    """The connection of that name.  Raises UnknownConnection."""
    found = context.secret(CONNECTION + name)
    if found is None:
        raise UnknownConnection(name)
    return Connection.from_json(json.loads(found))


def reach_of(context: Context) -> Reach:
    """What the step may reach; nothing beyond the public network where nobody says more."""
    found = context.secret(REACH)
    return Reach() if found is None else Reach.from_json(json.loads(found))


def scheme_of(url: str) -> str:
    """What stands before "://", in lower case; empty for a path on this machine."""
    found = _SCHEME.match(url)
    return found[1].lower() if found else ""


_DATABASES = frozenset(
    (
        *("sqlite", "postgresql", "postgres", "mysql", "mariadb", "mssql", "oracle", "snowflake"),
        *("redshift", "trino", "duckdb", "clickhouse", "clickhousedb", "cockroachdb", "bigquery"),
        *("hana", "db2", "firebird", "databricks"),
    )
)


def is_database(scheme: str) -> bool:
    """Whether a URL's scheme, such as postgresql+psycopg, is that of a database."""
    return scheme.partition("+")[0] in _DATABASES
