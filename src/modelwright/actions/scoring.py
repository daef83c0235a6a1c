"""Send rows to an endpoint, as whoever consumes it does."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from modelwright.actions.endpoints import (
    EndpointReport,
    endpoint_keys,
    endpoint_package,
    show_endpoint,
)
from modelwright.actions.files import read_bytes
from modelwright.actions.tokens import issue_token
from modelwright.data.errors import ModelwrightError
from modelwright.data.schema import ColumnType
from modelwright.serve.status import State

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.inference.package import Package

_TIMEOUT_S = 120.0

Row = Mapping[str, Any]


class EndpointUnreachable(ModelwrightError):
    """An endpoint does not answer."""

    code = "endpoint-unreachable"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f'Endpoint "{name}" does not answer: {why}.',
            remedy=f"Start it with: modelwright endpoint start {name}.",
            name=name,
            why=why,
        )


class RequestRefused(ModelwrightError):
    """An endpoint answered a request with an error."""

    code = "request-refused"

    def __init__(self, name: str, status: int, message: str, details: Mapping[str, Any]) -> None:
        found = details.get("code", status)
        super().__init__(
            f'Endpoint "{name}" refused the request with status {status} [{found}]: {message}',
            remedy="",
            name=name,
            status=status,
            details=dict(details),
        )


class UnreadableRequest(ModelwrightError):
    """A file of rows to score is in no form that is understood."""

    code = "unreadable-request"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f'The rows in "{path}" cannot be sent: {why}.',
            remedy='Write a list of rows, {"INPUT": [rows]}, or a whole request with "Inputs"; '
            "or a CSV file when the pipeline has one input.",
            path=str(path),
            why=why,
        )


@dataclass(frozen=True)
class Scored:
    """An endpoint's reply.

    results: rows by output.  dropped: rows that a step took out, as the reply has them.
    """

    results: Mapping[str, Sequence[Row]]
    dropped: Sequence[Mapping[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The reply as the endpoint gave it."""
        found: dict[str, Any] = {"Results": dict(self.results)}
        return {**found, "Dropped": list(self.dropped)} if self.dropped else found


def score_rows(home: Home, name: str, inputs: Mapping[str, Sequence[Row]]) -> Scored:
    """Send rows, by input, to an endpoint over HTTP with its primary key.

    Raises NotFound, EndpointUnreachable and RequestRefused.
    """
    report = show_endpoint(home, name)
    address = urlsplit(report.scoring_url)
    if not address.hostname or report.state in (State.STOPPED, State.FAILED):
        raise EndpointUnreachable(report.record.name, f"it is {report.state}")
    body = json.dumps({"Inputs": inputs, "GlobalParameters": {}}, allow_nan=False).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {_key(home, report)}"}
    line = _line(report, address.hostname, address.port)
    try:
        line.request("POST", address.path, body, headers)
        answer = line.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise EndpointUnreachable(report.record.name, str(error) or type(error).__name__) from None
    finally:
        line.close()
    value = json.loads(content)
    if answer.status != http.client.OK:
        fault = value["error"]
        raise RequestRefused(report.record.name, answer.status, fault["message"], fault["details"])
    return Scored(value["Results"], value.get("Dropped", []))


def _key(home: Home, report: EndpointReport) -> str:
    """A key of the endpoint, or a token where it takes no keys."""
    access = report.status.endpoint if report.status else {}
    if access.get("auth") == "tokens":
        return issue_token(home, report.record.name, seconds=int(_TIMEOUT_S)).value
    return endpoint_keys(home, report.record.name).primary


def _line(report: EndpointReport, host: str, port: int | None) -> http.client.HTTPConnection:
    """A connection to an endpoint, which must show the certificate that it was given."""
    certificate = report.status.endpoint.get("tls_certificate") if report.status else ""
    if not certificate:
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    context = ssl.create_default_context(cafile=certificate)
    # It is called by its address on this machine, for which no certificate is made.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=context)


def read_rows(home: Home, name: str, path: Path) -> dict[str, list[Row]]:
    """The rows in a file, by input of an endpoint's pipeline: JSON, or a file of one table.

    Columns of a table are read in the types that the endpoint asks for.
    Raises NotFound, FileMissing, UnreadableRequest, and the errors of `data.files.errors`.
    """
    package = endpoint_package(home, name)
    if path.suffix.lower() == ".json":
        return _from_json(package, path)
    return {_only_input(package, path): _from_table(package, path)}


def sample_rows(home: Home, name: str, count: int = 1) -> dict[str, list[Row]]:
    """Rows that an endpoint is known to answer, by input.  Raises NotFound."""
    package = endpoint_package(home, name)
    return {request.name: list(request.samples[:count]) for request in package.inputs}


def _from_json(package: Package, path: Path) -> dict[str, list[Row]]:
    try:
        value = json.loads(read_bytes(path))
    except ValueError as error:
        raise UnreadableRequest(path, f"it is not JSON ({error})") from None
    if isinstance(value, list):
        value = {_only_input(package, path): value}
    elif isinstance(value, dict) and isinstance(value.get("Inputs"), dict):
        value = value["Inputs"]
    if not isinstance(value, dict) or not all(isinstance(v, list) for v in value.values()):
        raise UnreadableRequest(path, "it holds no rows")
    return value


def _from_table(package: Package, path: Path) -> list[Row]:
    from modelwright.data.files.options import ReadOptions
    from modelwright.data.files.reading import read_table
    from modelwright.inference.reply import json_rows

    known = {c.name: c.type for c in package.inputs[0].columns if c.type is not ColumnType.OTHER}
    # First as it is: a type can only be asked for where there is the column.
    names = read_table(path).schema.names
    types = {n: kind for n, kind in known.items() if n in names}
    table = read_table(path, ReadOptions(types=types))
    return list(json_rows(table.frame))


def _only_input(package: Package, path: Path) -> str:
    if len(package.inputs) != 1:
        listed = ", ".join(f'"{request.name}"' for request in package.inputs)
        raise UnreadableRequest(path, f"the pipeline has several inputs ({listed})")
    return package.inputs[0].name
