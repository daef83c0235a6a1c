from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from modelwright.serve.errors import MalformedKeys
from modelwright.serve.keys import Keys, Lock


def test_both_keys_open_and_nothing_else_does() -> None:
    keys = Keys.new()
    lock = keys.lock()
    assert lock.admits(keys.primary.encode())
    assert lock.admits(keys.secondary.encode())
    for other in (b"", b"x", keys.primary.encode()[:-1], keys.primary.encode() + b"x"):
        assert not lock.admits(other)


def test_keys_are_new_each_time_and_do_not_show() -> None:
    first, second = Keys.new(), Keys.new()
    assert len({first.primary, first.secondary, second.primary, second.secondary}) == 4
    assert first.primary not in repr(first)


def test_one_key_is_made_anew_and_the_other_stays() -> None:
    keys = Keys.new()
    changed = keys.regenerated("secondary")
    assert changed.primary == keys.primary
    assert changed.secondary != keys.secondary


def test_a_lock_is_written_for_its_owner_only_and_read_back(tmp_path: Path) -> None:
    keys, path = Keys.new(), tmp_path / "keys.json"
    keys.lock().write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.primary not in path.read_text(encoding="utf-8")
    assert Lock.read(path) == keys.lock()
    assert [p.name for p in tmp_path.iterdir()] == ["keys.json"]


def test_plain_keys_in_a_file_are_taken(tmp_path: Path) -> None:
    keys, path = Keys.new(), tmp_path / "keys.json"
    text = json.dumps({"primary": keys.primary, "secondary": keys.secondary})
    path.write_text(text, encoding="utf-8")
    assert Lock.read(path) == keys.lock()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"primary": "0123456789abcdef"}',
        '{"primary": "short", "secondary": "0123456789abcdef"}',
        '{"primary": 5, "secondary": "0123456789abcdef"}',
        '{"primary": "sha256:00000000000", "secondary": "0123456789abcdef"}',
        '{"primary": "sha256:nothexadecimal", "secondary": "0123456789abcdef"}',
    ],
)
def test_a_file_that_holds_no_keys_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text, encoding="utf-8")
    with pytest.raises(MalformedKeys):
        Lock.read(tmp_path / "keys.json")


def test_a_missing_file_of_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedKeys):
        Lock.read(tmp_path / "nowhere.json")
