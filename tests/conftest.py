from __future__ import annotations

import resource

import pytest

from tests.ray_cluster import ray_cluster as ray_cluster  # a fixture for every test

EXPECTED_FAILURES = ("not_yet", "upstream", "never")


MOST_MEMORY = 6 * 2**30


def pytest_configure() -> None:
    """Bound the memory of each test process and its children: a runaway fails alone, at once."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = MOST_MEMORY if hard == resource.RLIM_INFINITY else min(MOST_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make a strict xfail of each expected failure that says its kind; refuse any other.

    What belongs together comes first: a process of many takes the beginning of the list, and the others
    take tests off its end, so that there is one Ray cluster at a time.
    """
    items.sort(key=lambda item: item.get_closest_marker("together") is None)
    for item in items:
        if item.get_closest_marker("xfail"):
            raise pytest.UsageError(
                f"{item.nodeid}: an expected failure says its kind: {', '.join(EXPECTED_FAILURES)}"
            )
        for kind in EXPECTED_FAILURES:
            if mark := item.get_closest_marker(kind):
                if len(mark.args) != 1 or not isinstance(mark.args[0], str):
                    raise pytest.UsageError(f"{item.nodeid}: {kind} needs one text, the reason")
                item.add_marker(pytest.mark.xfail(reason=f"{kind}: {mark.args[0]}", strict=True))
