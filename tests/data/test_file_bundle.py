from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from modelwright.data.artifact import CorruptArtifact
from modelwright.data.file_bundle import FileBundle, InvalidBundle

FILES = {"tools.py": b"x = 1\n", "data/numbers.csv": b"a\n1\n", "empty": b""}


def zipped(files: dict[str, bytes], *, mode: int = 0o644) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return memory.getvalue()


def test_a_zip_archive_keeps_its_folders() -> None:
    assert FileBundle.of_zip(zipped(FILES)).files == FILES


def test_folders_of_an_archive_are_no_files() -> None:
    assert FileBundle.of_zip(zipped({"data/": b"", "data/a": b"1"})).files == {"data/a": b"1"}


def test_a_bundle_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    FileBundle(FILES).save(tmp_path)

    assert FileBundle.load(tmp_path).files == FILES


def test_an_empty_bundle_comes_back_too(tmp_path: Path) -> None:
    FileBundle().save(tmp_path)

    assert FileBundle.load(tmp_path).files == {}


def test_a_bundle_without_its_folder_is_corrupt(tmp_path: Path) -> None:
    with pytest.raises(CorruptArtifact):
        FileBundle.load(tmp_path)


def test_a_bundle_is_unpacked_into_a_folder(tmp_path: Path) -> None:
    FileBundle(FILES).unpack(tmp_path / "new")

    assert FileBundle.of_folder(tmp_path / "new").files == FILES


def test_it_says_how_much_it_holds() -> None:
    assert FileBundle(FILES).summary() == {"files": 3, "bytes": 10}


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../b", "c:\\x", "", "a\\b"])
def test_a_path_that_leads_out_of_the_bundle_is_refused(path: str) -> None:
    with pytest.raises(InvalidBundle) as caught:
        FileBundle({path: b""})

    assert caught.value.code == "invalid-file-bundle"


def test_an_archive_with_such_a_path_is_refused() -> None:
    with pytest.raises(InvalidBundle):
        FileBundle.of_zip(zipped({"../evil.py": b""}))


def test_a_link_in_an_archive_is_refused() -> None:
    with pytest.raises(InvalidBundle, match="is a link"):
        FileBundle.of_zip(zipped({"a": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a zip",
        zipped(FILES)[:40],
        zipped(FILES)[40:],
        zipped(FILES).replace(b"x = 1", b"y"),
    ],
)
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidBundle, match="no readable zip"):
        FileBundle.of_zip(content)


def test_an_archive_that_unpacks_to_too_much_is_refused() -> None:
    content = zipped({"a": b"0" * 600, "b": b"0" * 600})

    with pytest.raises(InvalidBundle, match="more than 1000 bytes"):
        FileBundle.of_zip(content, limit=1000)
    assert FileBundle.of_zip(content, limit=1200).size == 1200
