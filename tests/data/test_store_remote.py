"""The store behind a URL: in memory, and on a real S3-compatible server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modelwright.data.artifact import CorruptArtifact, Digest
from modelwright.data.fitted import UntrainedModel
from modelwright.data.schema import Task
from modelwright.data.store import StepRecord, Store
from modelwright.data.store_errors import (
    MissingArtifact,
    NewerStore,
    StoreReadOnly,
    StoreUnavailable,
)
from modelwright.data.table import Table
from tests.s3_server import s3_server as s3_server  # a fixture

ABSENT = Digest("sha256:" + "0" * 64)


@pytest.fixture
def memory_url() -> Iterator[str]:
    from fsspec.implementations.memory import MemoryFileSystem

    url = f"memory://{uuid.uuid4().hex}"
    yield url
    MemoryFileSystem.store.clear()


def s3_options(address: str) -> dict[str, Any]:
    return {"endpoint_url": address, "key": "k", "secret": "s", "skip_instance_cache": True}


@pytest.fixture
def bucket(s3_server: str) -> str:
    import s3fs

    name = f"b{uuid.uuid4().hex}"
    s3fs.S3FileSystem(**s3_options(s3_server)).mkdir(name)
    return f"s3://{name}/store"


def table(rows: int = 3) -> Table:
    return Table(pl.DataFrame({"x": range(rows)}))


def record(digest: Digest) -> StepRecord:
    made = {"dataset": {"digest": digest, "kind": "table", "summary": {"rows": 3}}}
    return StepRecord(made, 0.25, datetime(2026, 1, 2, tzinfo=UTC), "line", {})


def in_memory(url: str, part: str) -> list[str]:
    from fsspec.implementations.memory import MemoryFileSystem

    return sorted(path for path in MemoryFileSystem.store if part in path)


def check_everything(store: Store, other: Store) -> None:
    """What a store promises, through two doors to one place, each with a copy of its own."""
    assert not store.has(ABSENT)
    with pytest.raises(MissingArtifact):
        other.get(ABSENT)
    big, small = store.put(table(200_000)), store.put(UntrainedModel(Task.REGRESSION, "x", 1, {}))
    assert store.put(table(200_000)) == big
    assert other.has(big)
    assert other.path(big) is None
    found = other.get(big)
    assert isinstance(found, Table)
    assert found.frame.equals(table(200_000).frame)
    assert other.path(big) is not None
    assert other.size(big) == store.size(big)
    assert store.result("key-1") is None
    store.record("key-1", record(big))
    assert other.result("key-1") == record(big)
    with pytest.raises(MissingArtifact):
        store.record("key-2", record(ABSENT))
    assert set(other.unused({small}, idle_s=0)) == {big}
    assert other.unused(set(), idle_s=3600) == []
    assert {kind: k.count for kind, k in other.usage().kinds.items()} == {
        "table": 1,
        "untrained-model": 1,
    }
    assert other.usage().steps > 0
    other.delete(big)
    assert not store.has(big)
    assert store.has(small)


def test_a_store_in_memory_keeps_all_promises(memory_url: str, tmp_path: Path) -> None:
    store = Store.open(memory_url, cache=tmp_path / "one")
    check_everything(store, Store.open(memory_url, cache=tmp_path / "two"))


def test_a_store_on_s3_keeps_all_promises(bucket: str, s3_server: str, tmp_path: Path) -> None:
    options = s3_options(s3_server)
    store = Store.open(bucket, options=options, cache=tmp_path / "one")
    check_everything(store, Store.open(bucket, options=options, cache=tmp_path / "two"))


def test_a_bucket_that_is_not_there_is_not_made(s3_server: str, tmp_path: Path) -> None:
    store = Store.open("s3://no-such-bucket/x", options=s3_options(s3_server), cache=tmp_path)
    with pytest.raises(StoreUnavailable, match="no-such-bucket"):
        store.put(table())


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    pytest.importorskip("s3fs", reason="needs the extra s3")
    options = s3_options("http://127.0.0.1:9")
    options["config_kwargs"] = {"retries": {"max_attempts": 0}, "connect_timeout": 1}
    with pytest.raises(StoreUnavailable, match=r"s3://bucket/x.*127\.0\.0\.1:9"):
        Store.open("s3://bucket/x", options=options, cache=tmp_path)


def test_an_unknown_kind_of_url_is_refused() -> None:
    with pytest.raises(StoreUnavailable, match="Protocol not known"):
        Store.open("nonsense://bucket/x")


def test_a_password_in_the_address_is_not_shown() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        Store.open("nonsense://me:hidden@host/x")
    assert "hidden" not in str(caught.value)
    assert "nonsense://me:***@host/x" in str(caught.value)


def test_a_damaged_copy_is_fetched_again(memory_url: str, tmp_path: Path) -> None:
    store = Store.open(memory_url, cache=tmp_path)
    digest = store.put(table(200_000))
    copy = next(tmp_path.rglob("frame.arrow"))
    os.truncate(copy, 10)
    assert store.get(digest).summary()["rows"] == 200_000
    next(tmp_path.rglob("manifest.json")).write_text("{")
    assert store.get(digest).summary()["rows"] == 200_000


def test_damage_in_the_remote_store_is_found_on_arrival(memory_url: str, tmp_path: Path) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    digest = Store.open(memory_url, cache=tmp_path / "one").put(table(200_000))
    store = Store.open(memory_url, cache=tmp_path / "two")
    (path,) = in_memory(memory_url, "frame.arrow")
    content = bytearray(MemoryFileSystem().cat_file(path))
    content[1000] ^= 1
    MemoryFileSystem().pipe_file(path, bytes(content))
    with pytest.raises(CorruptArtifact, match=f"{digest}.*altered"):
        store.get(digest)
    assert not store.has(digest)
    assert store.put(table(200_000)) == digest
    again = Store.open(memory_url, cache=tmp_path / "three")
    assert again.get(digest, verify=True).summary()["rows"] == 200_000


def test_a_lost_remote_file_is_found(memory_url: str, tmp_path: Path) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    digest = Store.open(memory_url, cache=tmp_path / "one").put(table())
    MemoryFileSystem().rm(in_memory(memory_url, "frame.arrow")[0])
    with pytest.raises(CorruptArtifact, match=r"frame\.arrow"):
        Store.open(memory_url, cache=tmp_path / "two").get(digest)


def test_an_upload_without_its_manifest_is_no_artifact(memory_url: str, tmp_path: Path) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    digest = Store.open(memory_url, cache=tmp_path / "one").put(table())
    MemoryFileSystem().rm(in_memory(memory_url, "manifest.json")[0])
    store = Store.open(memory_url, cache=tmp_path / "two")
    assert not store.has(digest)
    assert store.unused(set(), idle_s=0) == []


def test_the_copy_keeps_to_its_limit(memory_url: str, tmp_path: Path) -> None:
    limit = 5_000_000
    store = Store.open(memory_url, cache=tmp_path, cache_limit=limit)
    digests = [store.put(table(100_000 + i)) for i in range(10)]
    held = [d for d in digests if store.path(d) is not None]
    assert 0 < sum(store.size(d) for d in held) <= limit
    assert held == digests[-len(held) :]
    assert all(store.has(d) for d in digests)
    assert store.get(digests[0]).summary()["rows"] == 100_000


def test_a_newer_remote_store_is_refused(memory_url: str, tmp_path: Path) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    MemoryFileSystem().pipe_file(f"{memory_url}/store.json", b'{"modelwright_store": 2}')
    with pytest.raises(NewerStore):
        Store.open(memory_url, cache=tmp_path)


def test_denied_access_is_told_apart_from_absence(memory_url: str, tmp_path: Path) -> None:
    from modelwright.data.store_remote import RemoteStore

    class Denied:
        def exists(self, path: str) -> bool:
            raise PermissionError(13, "Forbidden")

    remote = RemoteStore(memory_url, {})
    remote._fs = Denied()
    with pytest.raises(StoreReadOnly, match="Forbidden"):
        remote.has(ABSENT)
