"""The line to a server: requests go out as JSON, its errors come back as ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self
from urllib.parse import quote

from modelwright.data.errors import ModelwrightError

if TYPE_CHECKING:
    import httpx


class ServerUnreachable(ModelwrightError):
    """The server does not answer."""

    code = "server-unreachable"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"The server at {url} does not answer: {why}.",
            remedy="Start it with: modelwright up, and give the address that it prints.",
            url=url,
            why=why,
        )


class ForeignAnswer(ModelwrightError):
    """Something answers at the address, but not a Modelwright server."""

    code = "foreign-answer"

    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            f"What answers at {url} is no Modelwright server (status {status}).",
            remedy="Give the address of the server, without a path.",
            url=url,
            status=status,
        )


class Connection:
    """Asks a server, as the program that holds an API token.

    timeout_s: how long an answer may take; deployments and long profiles take longest.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = 300.0) -> None:
        import httpx

        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(timeout_s, connect=10.0),
        )

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON at an address.  Raises what the server says, and ServerUnreachable."""
        return self._json("GET", path, query=query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON of the answer to a JSON body."""
        return self._json("POST", path, body=body, query=query)

    def put(self, path: str, body: Any) -> Any:
        """The JSON of the answer to a JSON body."""
        return self._json("PUT", path, body=body)

    def patch(self, path: str, body: Any) -> Any:
        """The JSON of the answer to a JSON body."""
        return self._json("PATCH", path, body=body)

    def delete(self, path: str, **query: Any) -> Any:
        """The JSON of the answer."""
        return self._json("DELETE", path, query=query)

    def send_file(self, path: str, file: BinaryIO) -> Any:
        """Send a file as a body, read as it goes."""
        return self._json("PUT", path, content=file)

    def content(self, path: str, **query: Any) -> bytes:
        """The bytes at an address."""
        return self._ask("GET", path, query=query).content

    def events(self, path: str, *, since: int = 0) -> Iterator[tuple[int | None, dict[str, Any]]]:
        """The messages of a stream: their number, if they have one, and their data."""
        import httpx

        headers = {"Last-Event-ID": str(since)} if since else {}
        # Between two messages any time may pass; the server says now and then that it is there.
        timeout = httpx.Timeout(60.0, connect=10.0)
        try:
            with self._http.stream("GET", path, headers=headers, timeout=timeout) as response:
                if not response.is_success:
                    response.read()
                    raise self._error(response)
                yield from _messages(response.iter_lines())
        except httpx.TransportError as error:
            raise ServerUnreachable(self.url, str(error) or type(error).__name__) from error

    def _json(
        self,
        verb: str,
        path: str,
        *,
        body: Any = None,
        content: BinaryIO | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        response = self._ask(verb, path, body=body, content=content, query=query)
        try:
            return response.json()
        except ValueError:
            raise ForeignAnswer(self.url, response.status_code) from None

    def _ask(
        self,
        verb: str,
        path: str,
        *,
        body: Any = None,
        content: BinaryIO | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        import httpx

        wanted = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            response = self._http.request(verb, path, json=body, content=content, params=wanted)
        except httpx.TransportError as error:
            raise ServerUnreachable(self.url, str(error) or type(error).__name__) from error
        if not response.is_success:
            raise self._error(response)
        return response

    def _error(self, response: httpx.Response) -> ModelwrightError:
        try:
            return ModelwrightError.from_json(response.json()["error"])
        except (ValueError, KeyError, TypeError):
            return ForeignAnswer(self.url, response.status_code)


def segment(name: str) -> str:
    """A name as a part of an address, whatever it holds."""
    return quote(name, safe="")


def _messages(lines: Iterator[str]) -> Iterator[tuple[int | None, dict[str, Any]]]:
    number: int | None = None
    data: list[str] = []
    for line in lines:
        if line.startswith("id: "):
            number = int(line[4:])
        elif line.startswith("data: "):
            data.append(line[6:])
        elif not line:
            if data:
                yield number, json.loads("\n".join(data))
            number, data = None, []
