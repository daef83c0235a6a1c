"""Real servers for tests, on ports of their own, with steps run in the test's process."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from modelwright.actions.home import Home
from modelwright.api.app import create_app
from modelwright.api.here import Here
from modelwright.api.server import ApiServer, address_of, listen
from tests.actions.homes import open_home


@dataclass(frozen=True)
class Running:
    """A server that answers.  client: asks it with an API token."""

    home: Home
    app: FastAPI
    address: str
    client: httpx.Client

    @property
    def here(self) -> Here:
        """What its routes share."""
        here: Here = self.app.state.here
        return here

    def anyone(self, **headers: str) -> httpx.Client:
        """A client of nobody in particular."""
        return httpx.Client(base_url=self.address, headers=headers, timeout=30)

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a successful GET."""
        return _json(self.client.get(path, params=query))

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON of a successful POST."""
        return _json(self.client.post(path, json=body, params=query))

    def finished(self, run_id: str) -> Any:
        """The run, once this process has ended its work on it."""
        self.here.runs.join(run_id, 60)
        return self.get(f"/api/runs/{run_id}")


@contextmanager
def running(folder: Path, **options: Any) -> Iterator[Running]:
    """A server over a home in a folder; options: as `create_app` has them."""
    with open_home(folder) as home, serving(home, **options) as server:
        yield server


@contextmanager
def serving(home: Home, **options: Any) -> Iterator[Running]:
    """A server over an opened home."""
    app = create_app(home, **options)
    line = listen("127.0.0.1", 0)
    ready = threading.Event()
    server = ApiServer(app, ready.set)
    thread = threading.Thread(target=lambda: server.run(sockets=[line]))
    thread.start()
    try:
        assert ready.wait(30)
        address = address_of("127.0.0.1", line.getsockname()[1])
        token, _ = home.workspace.people.create_api_token("test")
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
            yield Running(home, app, address, client)
    finally:
        server.should_exit = True
        thread.join()
        line.close()


def fault(response: httpx.Response, status: int) -> dict[str, Any]:
    """The error in a response that must have this status and our shape."""
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert {"code", "message", "happened", "remedy", "fields"} <= error.keys()
    return error


def messages(response: httpx.Response) -> Iterator[tuple[int | None, Mapping[str, Any]]]:
    """The id and the data of each message of a stream of server-sent events."""
    number: int | None = None
    data: str | None = None
    for line in response.iter_lines():
        if line.startswith("id: "):
            number = int(line[4:])
        elif line.startswith("data: "):
            data = line[6:]
        elif not line and data is not None:
            yield number, json.loads(data)
            number = data = None


def _json(response: httpx.Response) -> Any:
    assert response.is_success, response.text
    return response.json()
