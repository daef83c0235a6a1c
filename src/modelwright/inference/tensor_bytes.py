"""Tensors of the Open Inference Protocol as bytes: little-endian numbers, texts with their lengths."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

_FORMATS = {
    "BOOL": "?",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
_LENGTH = struct.Struct("<I")


def unpacked(data: bytes, datatype: str) -> list[Any] | None:
    """The values of a tensor; None when the bytes are not whole values.  Texts are UTF-8."""
    if datatype == "BYTES":
        return _texts(data)
    form = _FORMATS[datatype]
    size = struct.calcsize(f"<{form}")
    if len(data) % size:
        return None
    return list(struct.unpack(f"<{len(data) // size}{form}", data))


def packed(values: Sequence[Any], datatype: str) -> bytes | None:
    """The bytes of a tensor of BYTES, INT64, FP64 or BOOL; None when it lacks a value.

    Among fractional numbers a missing one is not a number.
    """
    if datatype == "FP64":
        numbers = [math.nan if v is None else v for v in values]
        return struct.pack(f"<{len(numbers)}d", *numbers)
    if any(v is None for v in values):
        return None
    if datatype == "BYTES":
        texts = [v.encode() if isinstance(v, str) else None for v in values]
        if any(t is None for t in texts):
            return None
        return b"".join(_LENGTH.pack(len(t)) + t for t in texts if t is not None)
    return struct.pack(f"<{len(values)}{_FORMATS[datatype]}", *values)


def _texts(data: bytes) -> list[str] | None:
    found = []
    at = 0
    while at < len(data):
        if at + _LENGTH.size > len(data):
            return None
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if at + length > len(data):
            return None
        try:
            found.append(data[at : at + length].decode())
        except UnicodeDecodeError:
            return None
        at += length
    return found
