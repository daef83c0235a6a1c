"""Every test that asks for a workspace runs on SQLite, and on PostgreSQL when a URL is given."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import create_engine, make_url, text

from modelwright.workspace import Workspace

SERVER = os.environ.get("MODELWRIGHT_TEST_POSTGRES_URL")


class FakeClock:
    """A clock that stands still until it is moved on."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 15, 30, 12, 345678, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move_on(self, **by: float) -> datetime:
        self.time += timedelta(**by)
        return self.time


class OpenWorkspace(Protocol):
    def __call__(self) -> Workspace: ...


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The URL of a fresh schema."""
    if SERVER is None:
        pytest.skip("MODELWRIGHT_TEST_POSTGRES_URL is not set")
    schema = "test_" + uuid.uuid4().hex
    server = create_engine(make_url(SERVER).set(drivername="postgresql+psycopg"))
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    url = make_url(SERVER).update_query_dict({"options": f"-csearch_path={schema}"})
    yield url.render_as_string(hide_password=False)
    with server.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """The database of this test; None is the file in the home."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def open_workspace(
    home: Path, database_url: str | None, clock: FakeClock
) -> Iterator[OpenWorkspace]:
    """Opens this test's workspace, any number of times."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(
            Workspace.open(home, database_url=database_url, now=clock)
        )


@pytest.fixture
def workspace(open_workspace: OpenWorkspace) -> Workspace:
    return open_workspace()
