"""Hashing of text: MurmurHash3 (x86, 32 bits), the same for ever and everywhere.

Source: Austin Appleby's public-domain algorithm; test vectors in the tests.
"""

from __future__ import annotations

from modelwright.data.expression.functions.form import INTEGER, STRING, Form, Function, Option

_MASK = 0xFFFFFFFF


def murmur3(data: bytes, seed: int) -> int:
    """The 32-bit MurmurHash3 of the bytes, unsigned."""
    h = seed & _MASK
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * 0xCC9E2D51 & _MASK
        k = (k << 15 | k >> 17) * 0x1B873593 & _MASK
        h ^= k
        h = (h << 13 | h >> 19) * 5 + 0xE6546B64 & _MASK
    if len(data) > whole:
        k = int.from_bytes(data[whole:], "little") * 0xCC9E2D51 & _MASK
        h ^= (k << 15 | k >> 17) * 0x1B873593 & _MASK
    h ^= len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B & _MASK
    h = (h ^ h >> 13) * 0xC2B2AE35 & _MASK
    return h ^ h >> 16


def hash_text(a: str, bits: int, seed: int) -> int:
    """The lowest `bits` bits of the MurmurHash3 of the text in UTF-8: 0 … 2**bits - 1."""
    return murmur3(a.encode("utf-8", "surrogatepass"), seed) & ((1 << bits) - 1)


FUNCTIONS = (
    Function(
        "hash",
        (Form(takes=(STRING,), gives=INTEGER, row=hash_text),),
        {
            "bits": Option(
                32, "a whole number from 1 to 32", lambda v: type(v) is int and 1 <= v <= 32
            ),
            "seed": Option(
                0, "a whole number from 0 to 2**32 - 1", lambda v: type(v) is int and 0 <= v < 2**32
            ),
        },
    ),
)
