"""The structure of text, chunk by chunk, as a plain walk over its characters finds it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.data.files import structure
from modelwright.data.files.structure import scan


def found(text: str, width: int = 2, *, quote: int = 34) -> structure.Structure:
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    return scan(data, start=0, line=1, width=width, separator=ord(","), quote=quote)


def walked(text: str, width: int) -> dict[str, Any]:
    """The same for text without quotes, one line at a time."""
    lines = text.split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    blank = [n for n, line in enumerate(lines) if line in ("", "\r")]
    counts = [line.count(",") + 1 for line in lines]
    bad = [n for n, count in enumerate(counts) if count != width and n not in blank]
    fields = [field.removesuffix("\r") for line in lines for field in line.split(",")]
    return {
        "records": len(lines),
        "bad": bad,
        "bad_fields": [counts[n] for n in bad],
        "bad_lines": [n + 1 for n in bad],
        "blank": blank,
        "padded": any(f.strip(" \t") != f for f in fields),
    }


def shown(result: structure.Structure) -> dict[str, Any]:
    arrays = {n: getattr(result, n).tolist() for n in ("bad", "bad_fields", "bad_lines", "blank")}
    return {"records": result.records, "padded": result.padded, **arrays}


@given(
    text=st.lists(st.sampled_from([*"ab, \t\n", "\r\n"]), max_size=60).map("".join),
    width=st.integers(1, 3),
    chunk=st.integers(1, 20),
)
@settings(max_examples=200, deadline=None)
def test_text_in_chunks_of_any_size_is_as_a_plain_walk_finds_it(
    text: str, width: int, chunk: int
) -> None:
    usual = structure._CHUNK
    structure._CHUNK = chunk
    try:
        result = found(text, width)
    finally:
        structure._CHUNK = usual
    assert shown(result) == walked(text, width)


@given(text=st.text(st.sampled_from(list('ab," \n')), max_size=40), chunk=st.integers(1, 20))
@settings(max_examples=200, deadline=None)
def test_quotes_are_judged_alike_in_chunks_of_any_size(text: str, chunk: int) -> None:
    whole = found(text)
    usual = structure._CHUNK
    structure._CHUNK = chunk
    try:
        parts = found(text)
    finally:
        structure._CHUNK = usual
    assert parts.odd_line == whole.odd_line
    assert parts.unclosed_line == whole.unclosed_line
    if whole.odd_line is None:
        assert shown(parts) == shown(whole)


@pytest.mark.parametrize(
    ("text", "odd", "unclosed"),
    [
        ('a,"b,c"\n', None, None),
        ('"a\n\nb",c\n"d",""\n', None, None),
        ('"say ""hi""",c', None, None),
        ('a,5"\n', 1, None),
        ('a,b\nc,x"y"\n', 2, None),
        ('a,b\n"c"d,e\n', 2, None),
        ('a,b\nc,"d\ne,f\n', None, 2),
        ('a,"', None, 1),
    ],
)
def test_odd_and_unclosed_quotes_are_placed(
    text: str, odd: int | None, unclosed: int | None
) -> None:
    result = found(text)
    assert (result.odd_line, result.unclosed_line) == (odd, unclosed)


def test_lines_inside_quotes_count_for_the_place_but_not_as_records() -> None:
    result = found('"a\nb",1\nc\n"d\n\n",2,3\n')
    assert result.records == 3
    assert result.bad_lines.tolist() == [3, 4]
    assert result.bad_fields.tolist() == [1, 3]


def test_without_a_quote_character_quotes_are_characters() -> None:
    result = found('a,5"\n"b,c\n', quote=-1)
    assert (result.records, len(result.bad), result.quoted) == (2, 0, False)
