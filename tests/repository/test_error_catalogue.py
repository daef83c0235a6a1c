from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_error_codes_fits_the_code() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "error_catalogue.py", "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_code_on_the_page_says_when_it_comes() -> None:
    lines = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8").splitlines()
    codes = [number for number, line in enumerate(lines) if line.startswith("### ")]
    assert len(codes) > 100
    assert [lines[number] for number in codes if not lines[number + 2].strip()] == []
