"""Rounding: whole numbers stay as they are, fractional ones stay doubles."""

from __future__ import annotations

import math
from collections.abc import Callable

from modelwright.data.expression.functions.form import DOUBLE, INTEGER, Form, Function, Option
from modelwright.data.expression.functions.later import pl


def _whole(to: Callable[[float], int]) -> Callable[[float], float]:
    def rounded(a: float) -> float:
        # Sign of zero as IEEE has it: -0.5 rounds up to -0.0.
        return math.copysign(float(to(a)), a) if math.isfinite(a) else a

    return rounded


def half_up(a: float, digits: int) -> float:
    """Round to that many decimals, halves away from zero; digits below 0 round to tens and more."""
    scale = 10.0 ** abs(digits)
    scaled = a * scale if digits >= 0 else a / scale
    if not math.isfinite(scaled):
        return a
    size = abs(scaled)
    whole = float(math.floor(size))
    if size - whole >= 0.5:
        whole += 1.0
    return math.copysign(whole / scale if digits >= 0 else whole * scale, a)


def _table_half_up(a: pl.Expr, digits: int) -> pl.Expr | None:
    return a.round(digits, mode="half_away_from_zero") if digits >= 0 else None


def _same(name: str, row: Callable[[float], float], ufunc: str) -> Function:
    return Function(
        name,
        (
            Form(takes=(INTEGER,), gives=INTEGER, row=lambda a: a, inline="{0}", table=lambda a: a),
            Form(takes=(DOUBLE,), gives=DOUBLE, row=row, ufunc=ufunc),
        ),
    )


FUNCTIONS = (
    _same("floor", _whole(math.floor), "floor"),
    _same("ceiling", _whole(math.ceil), "ceil"),
    _same("truncate", _whole(math.trunc), "trunc"),
    Function(
        "round",
        (Form(takes=(DOUBLE,), gives=DOUBLE, row=half_up, table=_table_half_up),),
        {
            "digits": Option(
                0,
                "a whole number from -15 to 15",
                lambda v: type(v) is int and -15 <= v <= 15,
            )
        },
    ),
)
