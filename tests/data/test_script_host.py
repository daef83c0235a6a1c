from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modelwright.data.scripting.errors import ScriptHostFailed
from modelwright.data.scripting.process import ScriptProcess
from modelwright.data.scripting.r_process import RProcess


def test_packages_that_keep_python_from_starting_are_told_in_their_words(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('no room for scripts')\n")
    with pytest.raises(ScriptHostFailed, match="no room for scripts"):
        ScriptProcess("def azureml_main(): pass", entry="azureml_main", packages=tmp_path)


def test_what_a_script_puts_among_the_temporary_files_goes_with_its_process() -> None:
    said: list[str] = []
    source = (
        "import tempfile\nprint(tempfile.mkdtemp())\ndef azureml_main(a=None, b=None): return a\n"
    )
    with ScriptProcess(source, entry="azureml_main", log=said.append) as process:
        (left,) = map(Path, said)
        assert left.is_dir()
        assert process.folder in left.parents
    assert not process.folder.exists()


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed: NO R IS STARTED")
def test_what_r_puts_among_the_temporary_files_goes_with_its_process() -> None:
    said: list[str] = []
    source = "cat(tempdir(), '\\n')\nazureml_main <- function(a, b) list(a)\n"
    process = RProcess(source, log=said.append)
    try:
        left = Path(said[0].strip())
        assert left.is_dir()
        assert process.folder in left.parents
    finally:
        process.close()
    assert not process.folder.exists()
