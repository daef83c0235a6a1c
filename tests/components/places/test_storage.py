from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from modelwright.components.errors import MissingExtra
from modelwright.components.places.connection import Connection, Reach
from modelwright.components.places.errors import (
    FolderNotAllowed,
    InvalidConnection,
    NothingThere,
    StorageFailed,
    TargetExists,
)
from modelwright.components.places.storage import fetch, files_at, place_of, put


def reach(*folders: Path) -> Reach:
    return Reach(folders=tuple(map(str, folders)))


def filled(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def found(path: str, allowed: Reach, connection: Connection | None = None) -> list[str]:
    return files_at(place_of(path, connection, allowed))


def test_a_path_without_a_root_lies_in_the_first_folder(tmp_path: Path) -> None:
    filled(tmp_path / "own", "cars.csv")

    assert found("cars.csv", reach(tmp_path / "own")) == [str(tmp_path / "own" / "cars.csv")]


@pytest.mark.parametrize("path", ["data/**", "data", "data/", "data/**/*.csv"])
def test_a_folder_gives_every_file_below_it_in_order(path: str, tmp_path: Path) -> None:
    filled(tmp_path, "data/b.csv", "data/a.csv", "data/deep/c.csv", "other/d.csv")

    names = [Path(f).name for f in found(path, reach(tmp_path))]

    assert names == ["a.csv", "b.csv", "c.csv"]


def test_files_that_tell_of_other_files_are_left_out_of_a_folder(tmp_path: Path) -> None:
    filled(tmp_path, "data/a.parquet", "data/_SUCCESS", "data/.crc", "data/_delta_log/1.json")

    assert [Path(f).name for f in found("data", reach(tmp_path))] == ["a.parquet"]


def test_nothing_at_a_path_is_told_of(tmp_path: Path) -> None:
    for path in ("cars.csv", "empty", "*.csv"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(NothingThere):
            found(path, reach(tmp_path))


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/**", "file:///etc/passwd", "~/x", "/"])
def test_other_folders_of_this_machine_are_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(FolderNotAllowed):
        found(path, reach(tmp_path))
    with pytest.raises(FolderNotAllowed):
        found(path, Reach())


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    filled(tmp_path / "secret", "key.csv")
    own = filled(tmp_path / "own", "a.csv")
    (own / "link.csv").symlink_to(tmp_path / "secret" / "key.csv")
    (own / "deep").symlink_to(tmp_path / "secret")

    for path in ("link.csv", "*.csv", "deep/key.csv", "deep/*.csv", "deep"):
        with pytest.raises(FolderNotAllowed):
            found(path, reach(own))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "../secret/key.csv",
        "a/../../key.csv",
        "zip://*.csv::file:///etc/x.zip",
        "filecache://x",
        "reference://x",
        "https://example.org/cars.csv",
        "sftp://host/cars.csv",
    ],
)
def test_what_wraps_other_places_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidConnection):
        found(path, reach(tmp_path))


def test_a_connection_keeps_its_paths_below_its_folder(tmp_path: Path) -> None:
    filled(tmp_path / "data", "cars.csv")
    connection = Connection.of_url("shelf", str(tmp_path / "data"))

    assert found("cars.csv", reach(tmp_path), connection) == [str(tmp_path / "data" / "cars.csv")]
    assert found("/cars.csv", reach(tmp_path), connection)
    for path in ("../secret", "s3://other/cars.csv"):
        with pytest.raises(InvalidConnection):
            found(path, reach(tmp_path), connection)
    with pytest.raises(FolderNotAllowed):
        found("cars.csv", reach(tmp_path / "elsewhere"), connection)


def test_a_connection_may_not_wrap_other_places() -> None:
    connection = Connection("odd", "files", "reference://x", {"fo": "/etc/passwd"})

    with pytest.raises(InvalidConnection):
        found("x", Reach(), connection)


def test_files_of_an_object_store_are_found_and_brought_here(tmp_path: Path) -> None:
    bucket = f"memory://{uuid4().hex}"
    connection = Connection.of_url("shop", bucket)
    for name in ("2/b.csv", "1/a.csv", "1/_log"):
        place = place_of(name, connection, Reach())
        put(place, lambda path: path.write_text("x,y"), tmp_path, overwrite=False)

    place = place_of("**", connection, Reach())
    files = files_at(place)
    copies = [fetch(place, file, tmp_path) for file in files]

    assert [Path(f).name for f in files] == ["a.csv", "b.csv"]
    assert [(c.name, c.read_text()) for c in copies] == [("a.csv", "x,y"), ("b.csv", "x,y")]
    assert files_at(place_of(f"{bucket}/1/*.csv", None, Reach())) == files[:1]


def test_a_file_is_put_whole_or_not_at_all(tmp_path: Path) -> None:
    own = filled(tmp_path / "own", "cars.csv")
    for place in (
        place_of("cars.csv", None, reach(own)),
        place_of(f"memory://{uuid4().hex}/cars.csv", None, Reach()),
    ):
        put(place, lambda path: path.write_text("new"), tmp_path, overwrite=True)
        with pytest.raises(TargetExists):
            put(place, lambda path: path.write_text("newer"), tmp_path, overwrite=False)
        with pytest.raises(ZeroDivisionError):
            put(place, lambda path: path.write_text(str(1 // 0)), tmp_path, overwrite=True)

        (file,) = files_at(place)
        assert fetch(place, file, tmp_path).read_text() == "new"


def test_folders_on_the_way_are_made_but_none_is_written_over(tmp_path: Path) -> None:
    put(
        place_of("a/b/cars.csv", None, reach(tmp_path)),
        lambda path: path.write_text("x"),
        tmp_path,
        overwrite=False,
    )

    assert (tmp_path / "a" / "b" / "cars.csv").read_text() == "x"
    with pytest.raises(InvalidConnection):
        put(place_of("a", None, reach(tmp_path)), lambda path: None, tmp_path, overwrite=True)


def test_what_a_store_says_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang_up(*arguments: object, **more: object) -> None:
        raise ConnectionResetError("the store hung up")

    for name in ("find", "ls", "info", "glob", "exists"):
        monkeypatch.setattr(MemoryFileSystem, name, hang_up)
    with pytest.raises(StorageFailed, match="the store hung up"):
        found("cars.csv", Reach(), Connection.of_url("shop", f"memory://{uuid4().hex}"))


def test_characters_of_a_name_are_themselves_below_an_address(tmp_path: Path) -> None:
    names = ["50%20off.csv", "a#b.csv", "c?.csv", "[1].csv"]
    filled(tmp_path, "a shelf/%2e%2e.csv", "out.csv", *(f"a shelf/{n}" for n in names))
    connection = Connection.of_url("shelf", f"file://{tmp_path}/a%20shelf")

    for name in names:
        assert [Path(f).name for f in found(name, reach(tmp_path), connection)] == [name]
    assert [Path(f).name for f in found("?#?.csv", reach(tmp_path), connection)] == ["a#b.csv"]
    with pytest.raises(NothingThere):
        found("%2e%2e/out.csv", reach(tmp_path), connection)


def test_several_folders_give_every_file_below_them(tmp_path: Path) -> None:
    filled(tmp_path, "y1/a.csv", "y1/deep/b.csv", "y1/_SUCCESS", "y2/c.csv", "z/d.csv")
    store = MemoryFileSystem()
    bucket = uuid4().hex
    for name in ("y1/a.csv", "y1/deep/b.csv", "y1/_SUCCESS", "y2/c.csv", "z/d.csv"):
        store.pipe_file(f"/{bucket}/{name}", b"x")

    for path, allowed in (("y*/**", reach(tmp_path)), (f"memory://{bucket}/y*/**", Reach())):
        assert [Path(f).name for f in found(path, allowed)] == ["a.csv", "b.csv", "c.csv"]


def test_a_path_that_ends_as_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(InvalidConnection, match="no single file"):
        put(place_of("out/", None, reach(tmp_path)), lambda p: None, tmp_path, overwrite=True)


def test_a_file_that_comes_while_another_is_written_stays(tmp_path: Path) -> None:
    def write(path: Path) -> None:
        path.write_text("late")
        (tmp_path / "cars.csv").write_text("early")

    with pytest.raises(TargetExists):
        put(place_of("cars.csv", None, reach(tmp_path)), write, tmp_path, overwrite=False)

    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("cars.csv", "early")]


def test_a_store_whose_library_is_not_installed_is_told_of() -> None:
    with pytest.raises(MissingExtra) as caught:
        place_of("gs://bucket/cars.csv", None, Reach())

    # There is no extra of that name.
    assert "modelwright[" not in str(caught.value)
