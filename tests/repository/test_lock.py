from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
# What each file is compiled from, beside the base list; not locked: torch, kubernetes.
USERS = ("learn", "serve", "server", "tune", "plots", "exchange", "postgres", "setup")
EXTRAS = {
    "lock.txt": USERS,
    "dev.txt": (*USERS, "dev", "s3", "ray", "container", "onnx", "explain"),
}


def locked(file: str) -> dict[str, set[str]]:
    """Versions by package; a package may have one per Python version."""
    versions: dict[str, set[str]] = {}
    for line in (ROOT / "requirements" / file).read_text().splitlines():
        if found := re.match(r"([\w.-]+)==([\w.+!-]+)", line):
            versions.setdefault(canonicalize_name(found[1]), set()).add(found[2])
    return versions


@pytest.mark.parametrize("file", EXTRAS)
def test_every_declared_dependency_is_locked_at_a_version_it_allows(file: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    declared = [
        *project["dependencies"],
        *(line for name in EXTRAS[file] for line in extras[name]),
    ]
    versions = locked(file)
    wrong = [
        str(wanted)
        for wanted in map(Requirement, declared)
        if not any(v in wanted.specifier for v in versions.get(canonicalize_name(wanted.name), ()))
    ]
    assert not wrong, "run 'make lock'"


def test_tests_run_on_the_versions_that_users_install() -> None:
    users, tests = locked("lock.txt"), locked("dev.txt")
    assert {name: tests.get(name) for name in users} == users


@pytest.mark.parametrize("file", EXTRAS)
def test_every_locked_package_has_hashes_and_no_address(file: str) -> None:
    text = (ROOT / "requirements" / file).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 50
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
