"""What type a column of text has, and its values in that type.

A type is taken only when every value that is not missing fits it: Boolean (true or false in any
case), Integer (64 bits), Double (also inf, and nan where that is no mark for missing), DateTime
(ISO 8601 dates and times, all of a column in one form; times with a zone become UTC), else String.
A column of whole numbers that do not fit 64 bits stays String: as Double it would lose digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from modelwright.data.column_names import named
from modelwright.data.files.options import ReadOptions
from modelwright.data.schema import ColumnType

_DIGITS = r"^[+-]?\d+$"
_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})"
# Shape of a first value, and the format in which all values must then be.
_MOMENTS = (
    (r"^\d{4}-\d{2}-\d{2}$", "%Y-%m-%d"),
    (r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}$", "%Y-%m-%d %H:%M"),
    (r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$", "%Y-%m-%dT%H:%M"),
    (r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d+)?$", "%Y-%m-%d %H:%M:%S%.f"),
    (r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?$", "%Y-%m-%dT%H:%M:%S%.f"),
    (
        rf"^\d{{4}}-\d{{2}}-\d{{2}} \d{{2}}:\d{{2}}:\d{{2}}(?:\.\d+)?{_ZONE}$",
        "%Y-%m-%d %H:%M:%S%.f%#z",
    ),
    (
        rf"^\d{{4}}-\d{{2}}-\d{{2}}T\d{{2}}:\d{{2}}:\d{{2}}(?:\.\d+)?{_ZONE}$",
        "%Y-%m-%dT%H:%M:%S%.f%#z",
    ),
)


@dataclass(frozen=True)
class Reading:
    """How a column of text becomes values.  moment: the format of a DateTime."""

    type: ColumnType
    moment: str | None = None


BLANKS = " \t"
"""What may stand around a value without being part of it."""


def find_type(text: pl.Series, options: ReadOptions, *, whole: bool) -> Reading | None:
    """The type that all values fit.

    whole: whether these are all values; when they are only the first, None says that the others
    must be seen: nothing is known yet, or later values may turn large whole numbers to fractions.
    """
    bare = text.str.strip_chars(BLANKS)
    values = bare.filter(bare.is_not_null() & ~bare.is_in(options.missing))
    if not len(values):
        return Reading(ColumnType.STRING) if whole else None
    for kind in (ColumnType.BOOLEAN, ColumnType.INTEGER, ColumnType.DOUBLE):
        if not _fits(values.head(100), kind, options) or not _fits(values, kind, options):
            continue
        if kind is ColumnType.DOUBLE and values.str.contains(_DIGITS).all():
            return Reading(ColumnType.STRING) if whole else None
        return Reading(kind)
    moment = find_moment(values)
    return Reading(ColumnType.DATETIME, moment) if moment else Reading(ColumnType.STRING)


def find_moment(values: pl.Series) -> str | None:
    """The format of dates or times that all values are in."""
    first = values[0]
    for shape, form in _MOMENTS:
        if pl.Series([first]).str.contains(shape)[0]:
            expression = _moments(named(values.name), form)
            fit = values.to_frame().select(expression).to_series().null_count() == 0
            return form if fit else None
    return None


def typed(name: str, reading: Reading, options: ReadOptions, *, padded: bool) -> pl.Expr:
    """The values of the text column `name`; null where missing or where a value does not fit.

    padded: whether fields may have blanks around them; if not, marks for missing values are null
    in the text already.
    """
    text = named(name)
    if not padded:
        return _cast(text, reading, options).alias(name)
    bare = text.str.strip_chars(BLANKS)
    value = _cast(bare if options.trim else text, reading, options)
    if reading.type is not ColumnType.STRING:
        value = _cast(bare, reading, options)
    return pl.when(bare.is_in(options.missing)).then(None).otherwise(value).alias(name)


def unfit(name: str, reading: Reading, options: ReadOptions, *, padded: bool) -> pl.Expr:
    """Whether a value is neither missing nor of the type."""
    text = named(name)
    if reading.type is ColumnType.STRING:
        return pl.lit(value=False).alias(name)
    if not padded:
        return (_cast(text, reading, options).is_null() & text.is_not_null()).alias(name)
    bare = text.str.strip_chars(BLANKS)
    lost = _cast(bare, reading, options).is_null() & bare.is_not_null()
    return (lost & ~bare.is_in(options.missing)).alias(name)


def _fits(values: pl.Series, kind: ColumnType, options: ReadOptions) -> bool:
    cast = _cast(named(values.name), Reading(kind), options)
    return values.to_frame().select(cast).to_series().null_count() == 0


def _cast(bare: pl.Expr, reading: Reading, options: ReadOptions) -> pl.Expr:
    match reading.type:
        case ColumnType.INTEGER:
            return bare.cast(pl.Int64, strict=False)
        case ColumnType.DOUBLE if options.decimal == ",":
            pointed = bare.str.replace(",", ".", literal=True)
            plain = pl.when(~bare.str.contains(".", literal=True)).then(pointed)
            return plain.cast(pl.Float64, strict=False)
        case ColumnType.DOUBLE:
            return bare.cast(pl.Float64, strict=False)
        case ColumnType.BOOLEAN:
            return bare.str.to_lowercase().replace_strict(
                {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
            )
        case ColumnType.DATETIME:
            return _moments(bare, reading.moment or _MOMENTS[0][1])
        case _:
            return bare


def _moments(bare: pl.Expr, form: str) -> pl.Expr:
    return bare.str.to_datetime(form, strict=False, time_unit="us", ambiguous="null")
