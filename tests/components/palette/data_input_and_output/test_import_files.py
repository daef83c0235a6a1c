from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from tests.components.palette.data_input_and_output.test_import_data import place
from tests.components.places.test_web import content, served

from modelwright.components.errors import InvalidParameter
from modelwright.components.palette.data_input_and_output.import_files import ImportFiles
from modelwright.data.file_bundle import InvalidBundle


def zipped(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return out.getvalue()


def test_an_archive_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(zipped(prices="1", deep__more="2"))

    bundle = ImportFiles(path="bundle.zip").run(context=place(tmp_path))

    assert bundle.files == {"prices": b"1", "deep/more": b"2"}


def test_an_archive_may_come_from_the_web(tmp_path: Path) -> None:
    with served(get=content(zipped(prices="1"))) as web:
        component = ImportFiles(data_source="URL via HTTP", url=f"{web.address}/get")
        bundle = component.run(context=place(tmp_path, hosts=("127.0.0.1",)))

    assert bundle.files == {"prices": b"1"}


@pytest.mark.parametrize("path", ["code", "code/**", "code/*.py"])
def test_files_of_a_folder_keep_their_places_in_it(path: str, tmp_path: Path) -> None:
    (tmp_path / "code" / "deep").mkdir(parents=True)
    (tmp_path / "code" / "a.py").write_text("x = 1")
    (tmp_path / "code" / "deep" / "b.txt").write_text("y")

    bundle = ImportFiles(path=path).run(context=place(tmp_path))

    deep = {} if path.endswith(".py") else {"deep/b.txt": b"y"}
    assert bundle.files == {"a.py": b"x = 1", **deep}


def test_an_archive_that_leads_out_of_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(zipped(**{"..__out": "1"}))

    with pytest.raises(InvalidBundle):
        ImportFiles(path="bundle.zip").run(context=place(tmp_path))


def test_an_empty_path_is_known_before_a_run() -> None:
    with pytest.raises(InvalidParameter):
        ImportFiles().outline()
