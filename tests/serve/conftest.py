"""What most tests of endpoints start from: packages that are only read, and endpoints that end with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwright.serve.endpoint import Endpoints
from tests.serve.replicas import package


@pytest.fixture(scope="session")
def cars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of an inference pipeline that answers with all columns and the price of a car."""
    return package(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="session")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with Scored Labels alone, so that it is told which of the two has answered."""
    return package(tmp_path_factory.mktemp("packages"), chosen=("Scored Labels",))


@pytest.fixture
def endpoints(tmp_path: Path) -> Iterator[Endpoints]:
    found = Endpoints(tmp_path / "endpoints")
    yield found
    for name in found.names():
        found.remove(name)
