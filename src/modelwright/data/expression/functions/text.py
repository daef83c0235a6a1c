"""Text, counted in code points; patterns are Python's regular expressions in both forms."""

from __future__ import annotations

import operator
import re
from functools import lru_cache

from modelwright.data.expression.functions.form import (
    BOOLEAN,
    INTEGER,
    STRING,
    Form,
    Function,
    Option,
)
from modelwright.data.expression.functions.later import pl
from modelwright.data.expression.scalars import Scalar


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _is_pattern(value: Scalar) -> bool:
    if not isinstance(value, str):
        return False
    try:
        re.compile(value)
    except re.error:
        return False
    return True


def _is_count(value: Scalar) -> bool:
    return value is None or (type(value) is int and value >= 0)


def _slice(a: str, start: int, length: int | None) -> str:
    cut = a[start:]
    return cut if length is None else cut[:length]


_PATTERN = {"pattern": Option("", "a regular expression", _is_pattern)}

FUNCTIONS = (
    Function("lower", (Form(takes=(STRING,), gives=STRING, row=str.lower),)),
    Function("upper", (Form(takes=(STRING,), gives=STRING, row=str.upper),)),
    Function("strip", (Form(takes=(STRING,), gives=STRING, row=str.strip),)),
    Function(
        "length",
        (
            Form(
                takes=(STRING,),
                gives=INTEGER,
                row=len,
                table=lambda a: a.str.len_chars().cast(pl.Int64),
            ),
        ),
    ),
    Function(
        "slice",
        (Form(takes=(STRING,), gives=STRING, row=_slice),),
        {
            "start": Option(
                0, "a whole number, from the end when negative", lambda v: type(v) is int
            ),
            "length": Option(None, "a whole number of at least 0, or nothing", _is_count),
        },
    ),
    Function(
        "concat",
        (
            Form(
                takes=(STRING,),
                gives=STRING,
                row=lambda *parts: "".join(parts),
                table=lambda *parts: pl.concat_str(parts),
            ),
        ),
        variadic=True,
    ),
    Function(
        "contains",
        (
            Form(
                takes=(STRING, STRING),
                gives=BOOLEAN,
                row=operator.contains,
                inline="({1} in {0})",
                atoms=False,
                table=lambda a, b: a.str.contains(b, literal=True),
            ),
        ),
    ),
    Function(
        "starts_with",
        (
            Form(
                takes=(STRING, STRING),
                gives=BOOLEAN,
                row=str.startswith,
                table=lambda a, b: a.str.starts_with(b),
            ),
        ),
    ),
    Function(
        "ends_with",
        (
            Form(
                takes=(STRING, STRING),
                gives=BOOLEAN,
                row=str.endswith,
                table=lambda a, b: a.str.ends_with(b),
            ),
        ),
    ),
    Function(
        "matches",
        (
            Form(
                takes=(STRING,),
                gives=BOOLEAN,
                row=lambda a, pattern: _compiled(pattern).search(a) is not None,
            ),
        ),
        _PATTERN,
    ),
    Function("replace", (Form(takes=(STRING, STRING, STRING), gives=STRING, row=str.replace),)),
    Function(
        "replace_matches",
        (
            Form(
                takes=(STRING, STRING),
                gives=STRING,
                row=lambda a, b, pattern: _compiled(pattern).sub(lambda _: b, a),
            ),
        ),
        _PATTERN,
    ),
)
