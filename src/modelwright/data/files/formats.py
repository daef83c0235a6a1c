"""Which format a file is in: by its first bytes, then by its name."""

from __future__ import annotations

import json
import re
from pathlib import PurePath

from modelwright.data.files.encoding import marked_encoding
from modelwright.data.files.errors import UnknownFormat
from modelwright.data.files.options import Format
from modelwright.data.files.source import Source

_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),
)
_REFUSED = (
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet or document"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\x00", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstandard"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
# What servers often give in place of a file.
_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)[\s>]", re.I | re.S
)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\s")
_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".txt": "csv",
    ".data": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}


def format_of_name(name: str) -> Format | None:
    """The format that a file's ending stands for."""
    return _SUFFIXES.get(PurePath(name).suffix.lower())


def find_format(source: Source) -> Format:
    """The format of a file; text in no other one counts as CSV.  Raises UnknownFormat."""
    head = source.head(4096)
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    for magic, what in _REFUSED:
        if head.startswith(magic):
            raise UnknownFormat(source.name, what)
    if _PAGE.match(head):
        raise UnknownFormat(source.name, "a web page")
    if _XML.match(head):
        raise UnknownFormat(source.name, "an XML document")
    named = format_of_name(source.path.name if source.path else source.name)
    if named in ("parquet", "arrow"):
        return named
    if b"\0" in head and not marked_encoding(head):
        raise UnknownFormat(source.name, "in no format that is known here")
    if named == "jsonl" or (named is None and _is_json(head)):
        return "jsonl"
    return named or "csv"


def _is_json(head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith((b"{", b"[")):
        return False
    try:
        json.loads(start.splitlines()[0])
    except ValueError:
        return start[1:].lstrip()[:1] in (b'"', b"{")
    return True
