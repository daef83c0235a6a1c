from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.actions.stored_files import NoSuchFile, read_file
from modelwright.data.file_bundle import FileBundle
from tests.actions.homes import open_home


def test_a_file_that_a_stored_value_lacks_is_named_with_the_nearest(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        digest = home.store.put(FileBundle({"plot-1.png": b"..."}))
        assert read_file(home, digest, "plot-1.png") == b"..."
        with pytest.raises(NoSuchFile, match=r'no file "plot-2\.png".*Nearest: "plot-1\.png"'):
            read_file(home, digest, "plot-2.png")
