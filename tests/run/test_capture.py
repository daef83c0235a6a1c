from __future__ import annotations

import io
from pathlib import Path

from modelwright.run.capture import Follower, Prints


class Told:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.omitted = 0

    def __call__(self, lines: tuple[str, ...], omitted: int) -> None:
        self.lines.extend(lines)
        self.omitted += omitted


def follow(*pieces: bytes) -> Told:
    """What is told of a file that grows by these pieces."""
    told, file = Told(), io.BytesIO()
    follower = Follower(file, told)
    for piece in pieces:
        place = file.tell()
        file.write(piece)
        file.seek(place)
        follower.look()
    follower.look(last=True)
    return told


def test_lines_are_told_once_they_end() -> None:
    told = Told()
    file = io.BytesIO(b"one\ntw")
    follower = Follower(file, told)
    follower.look()
    assert told.lines == ["one"]
    follower.look(last=True)
    assert told.lines == ["one", "tw"]


def test_a_line_that_comes_in_pieces_is_one_line() -> None:
    assert follow(b"on", b"e\nt", b"wo\n").lines == ["one", "two"]


def test_of_many_lines_the_last_are_told_and_the_others_counted() -> None:
    told = follow(b"".join(b"%d\n" % number for number in range(1000)))
    assert told.lines == [str(number) for number in range(800, 1000)]
    assert told.omitted == 800


def test_a_very_long_line_is_shortened() -> None:
    (line,) = follow(b"x" * 5_000_000 + b"\n").lines
    assert line == "x" * 2000 + "…"


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert follow(b"\xe9t\xe9\n\xff\n").lines == ["\ufffdt\ufffd", "\ufffd"]


def test_empty_lines_and_line_ends_of_other_systems_are_kept_apart() -> None:
    assert follow(b"one\r\n\r\ntwo\r\n").lines == ["one", "", "two"]


def test_prints_go_to_the_log_and_come_back_afterwards(tmp_path: Path) -> None:
    told = Told()
    with Prints().to(tmp_path / "log", told):
        print("ünï")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "ünï\n"
    assert told.lines == ["ünï"]


def test_a_log_is_made_anew(tmp_path: Path) -> None:
    for word in ("first", "second"):
        with Prints().to(tmp_path / "log", Told()):
            print(word)
    assert (tmp_path / "log").read_text() == "second\n"
