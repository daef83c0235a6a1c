from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.data.scripting.errors import ScriptHostFailed
from modelwright.data.scripting.process import ScriptProcess


def test_packages_that_keep_python_from_starting_are_told_in_their_words(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('no room for scripts')\n")
    with pytest.raises(ScriptHostFailed, match="no room for scripts"):
        ScriptProcess("def azureml_main(): pass", entry="azureml_main", packages=tmp_path)
