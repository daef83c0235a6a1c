"""Text files in any encoding, brought to UTF-8 with plain line ends; no guess is taken for granted."""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelwright import temporary
from modelwright.data.files.errors import EmptyFile, UnknownFormat, WrongEncoding
from modelwright.data.files.source import Source

_BLOCK = 1 << 22
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings of one byte a character fit almost any bytes, so they are offered, never assumed.
LIKELY = ("windows-1252", "windows-1251", "shift_jis", "gb18030", "iso-8859-15")


def marked_encoding(head: bytes) -> str | None:
    """The encoding that a file's first bytes name or show: a byte order mark, or UTF-16's zeros."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    pairs = len(head) // 2
    if pairs and head[1 : 2 * pairs : 2].count(0) > 0.4 * pairs and not head[::2].count(0):
        return "utf-16-le"
    if pairs and head[: 2 * pairs : 2].count(0) > 0.4 * pairs and not head[1::2].count(0):
        return "utf-16-be"
    return None


@contextmanager
def as_utf8(source: Source, encoding: str | None) -> Iterator[Source]:
    """The source in UTF-8, its lines ending in a line feed; itself when it is so already.

    Only a file that is not so is copied, to a temporary file.  That bytes are valid UTF-8 is not
    checked here: `wrong_byte` finds the fault when a reader stumbles.
    Raises WrongEncoding, UnknownFormat for what is no text, EmptyFile for a mere byte order mark.
    """
    head = source.head(1 << 16)
    name = encoding or marked_encoding(head) or "utf-8"
    plain = codecs.lookup(name).name in ("utf-8", "utf-8-sig")
    if plain and b"\0" in head:
        raise UnknownFormat(source.name, "no text: it holds zero bytes")
    if plain and (b"\r" not in head or b"\n" in head):
        if head == codecs.BOM_UTF8:
            raise EmptyFile(source.name)
        yield source
        return
    with tempfile.TemporaryDirectory(dir=temporary.place()) as folder:
        copy = Path(folder) / "text"
        _transcode(source, name, copy)
        yield Source.of(copy, source.name)


def wrong_byte(source: Source, encoding: str = "utf-8") -> WrongEncoding | None:
    """The first byte that does not fit an encoding, as the error to raise; None when all fit."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset, lines, before = 0, 1, b""
    with source.open() as file:
        while True:
            block = file.read(_BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                # The decoder may have kept the start of a character from the block before.
                kept = len(error.object) - len(block)
                place = error.start - kept
                lines += block[: max(place, 0)].count(b"\n")
                around = (before + block)[len(before) + place - 20 : len(before) + place + 20]
                return WrongEncoding(
                    source.name,
                    encoding.upper(),
                    offset=offset + place,
                    line=lines,
                    readings=_readings(around),
                )
            if not block:
                return None
            lines += block.count(b"\n")
            offset += len(block)
            before = block[-64:]


def _readings(around: bytes) -> list[tuple[str, str]]:
    """How the bytes at a fault read in other encodings; only those in which they are text."""
    found: list[tuple[str, str]] = []
    for name in LIKELY:
        try:
            text = around.decode(name)
        except UnicodeDecodeError:
            continue
        shown = " ".join(text.split())
        if shown.isprintable() and shown not in (text for _, text in found):
            found.append((name, shown))
    return found[:3]


def _transcode(source: Source, encoding: str, target: Path) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    # Written text keeps "\r\n"; lone "\r" of old files become line ends.
    lone = b"\r" in source.head(1 << 16) and "\n" not in _start(source, encoding)
    with source.open() as file, target.open("w", encoding="utf-8", newline="") as out:
        while True:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError:
                if fault := wrong_byte(source, encoding):
                    raise fault from None
                raise
            out.write(text.replace("\r", "\n") if lone else text)
            if not block:
                return


def _start(source: Source, encoding: str) -> str:
    return codecs.getincrementaldecoder(encoding)(errors="replace").decode(source.head(1 << 16))
