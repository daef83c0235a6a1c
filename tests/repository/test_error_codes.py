"""Every code that a user may meet is met by a test."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.error_catalogue import errors, problems, refusals

from modelwright.data.errors import ModelwrightError

ROOT = Path(__file__).parents[2]
NAMELESS = {"invalid-tensor", "unknown-encoding", "unknown-model", "unknown-tensor"}
"""Of the Open Inference Protocol, whose errors are a text alone; tested by their words."""


def test_every_code_stands_in_a_test() -> None:
    """By its text or by its class."""
    classes = {code: ModelwrightError.known[code].__name__ for code in errors()}
    codes = {*classes, *problems(), *refusals()} - NAMELESS
    words: set[str] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        words.update(re.findall(r"[\w-]+", path.read_text(encoding="utf-8")))
    assert len(codes) > 150
    untested = {code for code in codes if not {code, classes.get(code, code)} & words}
    assert not untested, "each needs a test that meets it"
