"""The store in a folder: what is put is got, damage is found, accidents lose nothing finished."""

from __future__ import annotations

import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
import textwrap
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest

from modelwright.data.artifact import Artifact, CorruptArtifact, Digest
from modelwright.data.fitted import UntrainedModel
from modelwright.data.schema import Column, ColumnType, Role, Task
from modelwright.data.store import StepRecord, Store
from modelwright.data.store_errors import (
    MissingArtifact,
    NewerStore,
    StoreUnavailable,
    UnknownKind,
)
from modelwright.data.table import Table

ABSENT = Digest("sha256:" + "0" * 64)


def table(*values: float) -> Table:
    frame = pl.DataFrame({"x": values or (1.0, 2.0), "y": ["a", None] * (len(values or "ab") // 2)})
    return Table(frame, [Column("y", ColumnType.STRING, Role.LABEL, categorical=True)])


def long_table() -> Table:
    """Large enough that its edges are not all of it."""
    return Table(pl.DataFrame({"x": range(100_000)}))


def record(**outputs: Digest) -> StepRecord:
    made = {port: {"digest": d, "kind": "table", "summary": {}} for port, d in outputs.items()}
    return StepRecord(
        made, 1.5, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "a line\n", {"node": "n"}
    )


def frame_file(store: Store, digest: Digest) -> Path:
    folder = store.path(digest)
    assert folder is not None
    return folder / "frame.arrow"


def test_a_table_comes_back_with_its_rows_and_marks(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(table())
    found = store.get(digest)
    assert isinstance(found, Table)
    assert found.frame.equals(table().frame)
    assert found.schema == table().schema


def test_another_process_can_get_what_was_put(tmp_path: Path) -> None:
    digest = Store.open(tmp_path).put(table())
    code = f"""
        from modelwright.data.store import Store
        found = Store.open({str(tmp_path)!r}).get({digest!r})
        print(found.kind, found.rows, found.label().name)
    """
    assert run(code).stdout.split() == ["table", "2", "y"]


def test_equal_values_are_stored_once_and_different_ones_apart(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert store.put(table()) == store.put(table())
    assert store.put(table()) != store.put(table(1.0, 3.0))
    assert len(list((tmp_path / "artifacts").glob("??/*"))) == 2


def test_kinds_with_equal_files_have_different_digests(tmp_path: Path) -> None:
    learner = UntrainedModel(Task.REGRESSION, "linear-regression", 1, {"seed": 1})
    store = Store.open(tmp_path)
    digest = store.put(learner)
    content = store.path(digest)
    assert content is not None
    copied = Copy(content)
    assert store.put(copied) != digest


def test_only_what_is_stored_is_there(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert not store.has(ABSENT)
    assert not store.has(Digest("../../etc"))
    assert store.path(ABSENT) is None
    for digest in (ABSENT, Digest("../../etc")):
        with pytest.raises(MissingArtifact, match="not in the store"):
            store.get(digest)


def test_files_sizes_and_kind_are_known_without_loading(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(table())
    assert set(store.files(digest)) == {"columns.json", "frame.arrow"}
    assert store.files(digest)["frame.arrow"] == frame_file(store, digest).stat().st_size
    assert store.size(digest) == sum(store.files(digest).values())
    assert store.manifest(digest).kind == "table"
    assert store.manifest(digest).summary == {"rows": 2, "columns": 2}


def test_a_truncated_file_is_named_put_aside_and_can_be_stored_again(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(long_table())
    os.truncate(frame_file(store, digest), 100)
    with pytest.raises(CorruptArtifact, match=rf"table {digest}.*100 bytes") as caught:
        store.get(digest)
    assert caught.value.fields["digest"] == digest
    assert not store.has(digest)
    assert store.usage().quarantine > 100
    assert store.put(long_table()) == digest
    assert store.get(digest).summary() == {"rows": 100_000, "columns": 1}


def test_an_edited_file_is_found_by_its_time(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(long_table())
    overwrite(frame_file(store, digest), at=400_000)
    with pytest.raises(CorruptArtifact, match="altered"):
        store.get(digest)


def test_a_silent_change_at_the_end_is_found_on_every_load(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(long_table())
    path = frame_file(store, digest)
    overwrite(path, at=path.stat().st_size - 1000, keep_time=True)
    with pytest.raises(CorruptArtifact, match="at its start or its end"):
        store.get(digest)


def test_a_silent_change_in_the_middle_is_found_when_asked(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(long_table())
    overwrite(frame_file(store, digest), at=400_000, keep_time=True)
    with pytest.raises(CorruptArtifact, match="altered"):
        store.get(digest, verify=True)
    assert not store.has(digest)


def test_a_lost_file_is_found(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(table())
    frame_file(store, digest).unlink()
    with pytest.raises(CorruptArtifact, match=r'"frame\.arrow" is gone'):
        store.get(digest)


@pytest.mark.parametrize("content", ["", "{}", '{"digest": 3}', "[1]"])
def test_a_damaged_manifest_is_found(tmp_path: Path, content: str) -> None:
    store = Store.open(tmp_path)
    digest = store.put(table())
    manifest = next(tmp_path.glob("artifacts/*/*/manifest.json"))
    manifest.write_text(content)
    with pytest.raises(CorruptArtifact, match="manifest"):
        store.get(digest)
    assert not store.has(digest)


def test_a_manifest_that_does_not_fit_its_digest_is_found(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(table())
    manifest = next(tmp_path.glob("artifacts/*/*/manifest.json"))
    manifest.write_text(manifest.read_text().replace('"table"', '"model"'))
    with pytest.raises(CorruptArtifact, match="manifest"):
        store.get(digest)


@pytest.mark.parametrize(
    "name", ["../../outside", "/etc/outside", "a/../../outside", "..\\\\outside"]
)
def test_a_manifest_that_names_a_file_outside_is_damaged(tmp_path: Path, name: str) -> None:
    store = Store.open(tmp_path)
    digest = store.put(table())
    manifest = next(tmp_path.glob("artifacts/*/*/manifest.json"))
    manifest.write_text(manifest.read_text().replace("frame.arrow", name))
    with pytest.raises(CorruptArtifact, match="manifest"):
        store.get(digest)


def test_every_kind_is_found_by_a_process_that_has_imported_none() -> None:
    import modelwright.data
    from modelwright.data.store import _MODULES

    for module in pkgutil.walk_packages(modelwright.data.__path__, "modelwright.data."):
        importlib.import_module(module.name)
    places = {kind: cls.__module__ for kind, cls in Artifact.kinds.items()}
    assert {k: m for k, m in places.items() if m.startswith("modelwright.data.")} == _MODULES


def test_content_that_its_class_cannot_read_is_put_aside(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(Unreadable())
    with pytest.raises(CorruptArtifact, match="KeyError"):
        store.get(digest)
    assert not store.has(digest)


def test_a_failing_disk_puts_nothing_aside(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(DiskFails())
    with pytest.raises(CorruptArtifact, match="Input/output"):
        store.get(digest)
    assert store.has(digest)


def test_a_kind_of_a_missing_package_is_named(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(Unreadable())
    registered = Artifact.kinds.pop(Unreadable.kind)
    try:
        with pytest.raises(UnknownKind, match="test-unreadable"):
            store.get(digest)
    finally:
        Artifact.kinds[Unreadable.kind] = registered


def test_a_copied_store_is_read_and_noted_as_whole(tmp_path: Path) -> None:
    digest = Store.open(tmp_path / "old").put(long_table())
    shutil.copytree(tmp_path / "old", tmp_path / "new", copy_function=shutil.copyfile)
    store = Store.open(tmp_path / "new")
    noted = store.manifest(digest).files["frame.arrow"].changed
    assert frame_file(store, digest).stat().st_mtime_ns != noted
    assert store.get(digest).summary()["rows"] == 100_000
    assert frame_file(store, digest).stat().st_mtime_ns == noted


def test_a_large_table_is_mapped_and_survives_its_deletion(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    whole = Table(pl.DataFrame({"x": range(1_000_000)}))
    digest = store.put(whole)
    found = store.get(digest)
    assert isinstance(found, Table)
    assert "frame.arrow" in Path("/proc/self/maps").read_text()
    store.delete(digest)
    assert not store.has(digest)
    assert found.frame.equals(whole.frame)


def test_a_step_is_recorded_with_its_outputs(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    made = record(dataset=store.put(table()))
    assert store.result("key-1") is None
    store.record("key-1", made)
    assert Store.open(tmp_path).result("key-1") == made


def test_a_step_is_recorded_only_when_its_outputs_are_stored(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with pytest.raises(MissingArtifact):
        store.record("key-1", record(dataset=ABSENT))
    assert store.result("key-1") is None


def test_a_damaged_record_counts_as_unknown(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.record("key-1", record())
    path = next(tmp_path.glob("steps/*/*.json"))
    for content in ("", "[]", "{}", '{"outputs": {}, "seconds": "x"}'):
        path.write_text(content)
        assert store.result("key-1") is None


def test_a_key_that_is_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name a file"):
        Store.open(tmp_path).record("../key", record())


def test_unused_artifacts_are_those_nobody_keeps_or_has_just_stored(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    kept, old, fresh = (store.put(table(1.0, float(i))) for i in range(3))
    for digest in (kept, old):
        age(store, digest, hours=2)
    assert store.unused({kept}) == [old]
    assert set(store.unused({kept}, idle_s=0)) == {old, fresh}
    store.put(table(1.0, 1.0))
    assert store.unused({kept}) == []


def test_deleting_removes_the_artifact_and_nothing_else(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    gone, stays = store.put(table()), store.put(long_table())
    store.delete(gone)
    store.delete(gone)
    store.delete(Digest("nonsense"))
    assert not store.has(gone)
    assert store.has(stays)
    assert store.usage().temporary == 0


def test_usage_counts_by_kind(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert store.usage().to_json() == {"kinds": {}, "steps": 0, "quarantine": 0, "temporary": 0}
    digests = [store.put(table()), store.put(long_table())]
    store.put(UntrainedModel(Task.REGRESSION, "x", 1, {}))
    store.record("key-1", record())
    usage = store.usage()
    assert {kind: k.count for kind, k in usage.kinds.items()} == {"table": 2, "untrained-model": 1}
    assert usage.kinds["table"].size == sum(store.size(d) for d in digests)
    assert usage.steps == next(tmp_path.glob("steps/*/*.json")).stat().st_size


def test_sync_needs_the_artifact_and_leaves_it_as_it_is(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(table())
    store.sync(digest)
    assert store.get(digest, verify=True).summary()["rows"] == 2
    with pytest.raises(MissingArtifact):
        store.sync(ABSENT)


def test_a_store_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text('{"modelwright_store": 99}')
    with pytest.raises(NewerStore, match="99"):
        Store.open(tmp_path)


def test_a_place_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text("hello")
    with pytest.raises(StoreUnavailable, match="not that of a store"):
        Store.open(tmp_path)
    with pytest.raises(StoreUnavailable, match="it is a file"):
        Store.open(tmp_path / "store.json")


def test_opening_writes_nothing(tmp_path: Path) -> None:
    Store.open(tmp_path / "not yet")
    assert not (tmp_path / "not yet").exists()


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    digest = Store.open(tmp_path / "a b").put(table())
    assert Store.open(f"file://{tmp_path}/a%20b").has(digest)


def test_a_killed_writer_leaves_nothing_and_its_remains_are_swept(tmp_path: Path) -> None:
    code = f"""
        import sys, time
        from pathlib import Path
        from modelwright.data.store import Store
        from modelwright.data.table import Table
        class Slow(Table):
            def save(self, folder):
                super().save(folder)
                print("half way", flush=True)
                time.sleep(60)
        import polars as pl
        Store.open({str(tmp_path)!r}).put(Slow(pl.DataFrame({{"x": [1]}})))
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=-1) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"half way\n"
        remains = next((tmp_path / "temporary").iterdir())
        os.utime(remains, (0, 0))
        Store.open(tmp_path)
        assert remains.exists()
        writer.kill()
    store = Store.open(tmp_path)
    assert not remains.exists()
    assert store.usage().kinds == {}


def test_many_processes_may_put_and_get_the_same_at_once(tmp_path: Path) -> None:
    code = f"""
        import sys
        import polars as pl
        from modelwright.data.store import Store
        from modelwright.data.table import Table
        store = Store.open({str(tmp_path)!r})
        sys.stdin.readline()
        for i in range(40):
            digest = store.put(Table(pl.DataFrame({{"x": [i % 4]}})))
            assert store.get(digest, verify=True).frame["x"].to_list() == [i % 4]
        print("done")
    """
    args = [sys.executable, "-c", textwrap.dedent(code)]
    writers = [subprocess.Popen(args, stdin=-1, stdout=-1, text=True) for _ in range(3)]
    said = []
    threads = [
        threading.Thread(target=lambda w=w: said.append(w.communicate("go\n")[0])) for w in writers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == ["done\n"] * 3
    assert len(list(Store.open(tmp_path).unused(set(), idle_s=0))) == 4
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not (tmp_path / "quarantine").exists()


FULL = """
    import polars as pl
    from modelwright.data.store import Store
    from modelwright.data.store_errors import StoreFull
    from modelwright.data.table import Table
    store = Store.open({root!r})
    kept = store.put(Table(pl.DataFrame({{"x": [1]}})))
    {limit}
    try:
        store.put(Table(pl.DataFrame({{"x": range(500_000)}})))
    except StoreFull as error:
        print(error.code, error.fields["needed"], error.fields["free"] is not None)
    print(store.get(kept).rows, len(store.unused(set(), idle_s=0)), store.usage().temporary)
"""


def test_a_limit_on_files_leaves_nothing_half_written(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))"
    done = run(FULL.format(root=str(tmp_path), limit=limit))
    assert done.stdout.split() == ["store-full", "4000000", "True", "1", "1", "0"]


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    mount = ["unshare", "-Urm", "sh", "-c"]
    script = f'mount -t tmpfs -o size=1m none {tmp_path} && exec "$0" "$@"'
    if subprocess.run([*mount, script, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk in a namespace of its own")
    code = textwrap.dedent(FULL.format(root=str(tmp_path), limit=""))
    done = subprocess.run(
        [*mount, script, sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["store-full", "4000000", "True", "1", "1", "0"]


def test_a_read_only_store_is_read_and_says_that_it_cannot_be_written(tmp_path: Path) -> None:
    digest = Store.open(tmp_path).put(table())
    code = f"""
        import os
        from modelwright.data.store import Store
        from modelwright.data.store_errors import StoreReadOnly
        from modelwright.data.table import Table
        import polars as pl, pyarrow
        os.chmod({str(tmp_path)!r}, 0o555)
        os.chmod({str(tmp_path / "temporary")!r}, 0o555)
        for parent in {[str(p) for p in tmp_path.parents[:3]]!r}:
            os.chmod(parent, 0o755)
        if os.getuid() == 0:
            os.setuid(65534)
        store = Store.open({str(tmp_path)!r})
        print(store.get({digest!r}).rows)
        try:
            store.put(Table(pl.DataFrame({{"x": [1]}})))
        except StoreReadOnly as error:
            print(error.code)
    """
    done = run(code)
    tmp_path.chmod(0o755)
    assert done.stdout.split() == ["2", "store-read-only"]


class Copy(Artifact):
    """The files of another artifact under a kind of its own."""

    kind: ClassVar[str] = "test-copy"
    title: ClassVar[str] = "Copy"

    def __init__(self, content: Path) -> None:
        self.content = content

    def save(self, folder: Path) -> None:
        shutil.copytree(self.content, folder, dirs_exist_ok=True)

    @classmethod
    def load(cls, folder: Path) -> Any:
        return cls(folder)


class Unreadable(Artifact):
    kind: ClassVar[str] = "test-unreadable"
    title: ClassVar[str] = "Unreadable"

    def save(self, folder: Path) -> None:
        (folder / "deep" / "er").mkdir(parents=True)
        (folder / "deep" / "er" / "file").write_text("x")

    @classmethod
    def load(cls, folder: Path) -> Any:
        assert (folder / "deep" / "er" / "file").read_text() == "x"
        raise KeyError("no such entry")


class DiskFails(Unreadable):
    kind: ClassVar[str] = "test-disk-fails"

    @classmethod
    def load(cls, folder: Path) -> Any:
        try:
            raise OSError(5, "Input/output error")
        except OSError as error:
            raise CorruptArtifact("value", str(error)) from error


def overwrite(path: Path, *, at: int, keep_time: bool = False) -> None:
    times = path.stat()
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff\xfe\xfd\xfc")
    if keep_time:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def age(store: Store, digest: Digest, *, hours: int) -> None:
    folder = store.path(digest)
    assert folder is not None
    manifest = folder.parent / "manifest.json"
    then = manifest.stat().st_mtime - 3600 * hours
    os.utime(manifest, (then, then))


def run(code: str) -> subprocess.CompletedProcess[str]:
    args = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done
