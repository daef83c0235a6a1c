"""Parts of a date-time, in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter

from modelwright.data.expression.functions.form import DATETIME, INTEGER, Form, Function
from modelwright.data.expression.functions.later import pl


def _part(
    name: str, row: Callable[[datetime], int], table: Callable[[pl.Expr], pl.Expr]
) -> Function:
    return Function(
        name,
        (
            Form(
                takes=(DATETIME,),
                gives=INTEGER,
                row=row,
                table=lambda a: table(a).cast(pl.Int64),
            ),
        ),
    )


FUNCTIONS = (
    _part("year", attrgetter("year"), lambda a: a.dt.year()),
    _part("month", attrgetter("month"), lambda a: a.dt.month()),
    _part("day", attrgetter("day"), lambda a: a.dt.day()),
    _part("hour", attrgetter("hour"), lambda a: a.dt.hour()),
    _part("minute", attrgetter("minute"), lambda a: a.dt.minute()),
    _part("second", attrgetter("second"), lambda a: a.dt.second()),
    _part("weekday", datetime.isoweekday, lambda a: a.dt.weekday()),
    _part("day_of_year", lambda a: a.timetuple().tm_yday, lambda a: a.dt.ordinal_day()),
)
