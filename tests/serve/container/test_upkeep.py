"""What is kept of the logs of containers, with containers that only have a log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from modelwright.serve.container.upkeep import keep_log, logs, take_log


@dataclass
class Logging:
    """A container that has written something."""

    written: bytes

    def logs(self, **how: bool) -> bytes:
        """As an engine tells it."""
        assert how == {"stdout": True, "stderr": True, "timestamps": False}
        return self.written


def told(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in logs(folder))


@pytest.mark.parametrize(
    ("later", "whole"),
    [
        (b"one\ntwo\nthree\nfour\n", b"one\ntwo\nthree\nfour\n"),
        (b"four\n", b"one\ntwo\nthree\nfour\n"),
        (b"three\nfour\n", b"one\ntwo\nthree\nfour\n"),
        (b"", b"one\ntwo\nthree\n"),
        # The same words again are not the same line.
        (b"two\nfour\n", b"one\ntwo\nthree\ntwo\nfour\n"),
    ],
    ids=["goes on", "begun anew", "its beginning is gone", "emptied", "begun with known words"],
)
def test_what_a_log_has_told_stays_and_is_told_once(
    tmp_path: Path, later: bytes, whole: bytes
) -> None:
    container = Logging(b"one\ntwo\nthree\n")
    take_log(container, tmp_path)
    container.written = later
    for _ in "12":
        take_log(container, tmp_path)
        assert told(tmp_path) == whole
    assert logs(tmp_path)[-1].read_bytes() == later


def test_the_log_of_one_that_goes_stands_before_that_of_the_next(tmp_path: Path) -> None:
    first = Logging(b"one\n")
    take_log(first, tmp_path)
    first.written += b"last words\n"
    keep_log(first, tmp_path)
    assert told(tmp_path) == b"one\nlast words\n"
    take_log(Logging(b"one\n"), tmp_path)
    assert told(tmp_path) == b"one\nlast words\none\n"
