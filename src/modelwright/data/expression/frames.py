"""Formulas over whole frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

import polars as pl
import polars.selectors as cs

from modelwright.data.expression.at_once import computed
from modelwright.data.expression.nodes import AllOf
from modelwright.data.expression.steps import (
    Compute,
    Drop,
    Filter,
    Keep,
    Rename,
    Step,
    check_names,
)
from modelwright.data.expression.table import TableForm, free_name, named
from modelwright.data.expression.tracking import Tracked
from modelwright.data.memory import in_parts as in_parts
from modelwright.data.memory import rows_where
from modelwright.data.native import Native


def extended(
    lazy: pl.LazyFrame, steps: Iterable[Step], natives: Mapping[str, Native]
) -> pl.LazyFrame:
    """The lazy frame with the steps added to its plan."""
    dtypes: dict[str, pl.DataType] = dict(lazy.collect_schema())
    for step in _filters_joined(steps):
        lazy, dtypes = _extended(lazy, dtypes, step, natives)
    return lazy


def carried_out(
    frame: pl.DataFrame, steps: Iterable[Step], natives: Mapping[str, Native]
) -> pl.DataFrame:
    """The frame after the steps: those in one plan that need one, the others by themselves."""
    waiting: list[Step] = []
    for step in _filters_joined(steps):
        made: pl.DataFrame | None = None
        if not waiting:
            match step:
                case Compute():
                    made = computed(frame, step)
                case Filter():
                    made = rows_where(frame, _truth(frame, step, natives))
                case _:
                    made = arranged(frame, [step])
        if made is None:
            waiting.append(step)
        else:
            frame = made
    return collected(extended(frame.lazy(), waiting, natives)) if waiting else frame


def arranged(frame: pl.DataFrame, steps: Iterable[Step]) -> pl.DataFrame:
    """The frame after steps that only choose, order and name columns; no row is looked at.

    Raises TypeError for a step that computes or filters.
    """
    for step in steps:
        if not isinstance(step, Keep | Drop | Rename):
            raise TypeError(f"{type(step).__name__} reads rows")
        check_names(step, frame.columns)
        match step:
            case Keep(names):
                frame = frame[list(names)]
            case Drop(names):
                frame = frame[[n for n in frame.columns if n not in names]]
            case Rename(pairs):
                frame = renamed(frame, dict(pairs))
    return frame


def renamed(frame: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """The same columns, some under new names; all names must then differ."""
    other = frame.clone()
    other.columns = [names.get(n, n) for n in frame.columns]
    return other


def _filters_joined(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps with filters that follow each other as one, so that rows are copied once."""
    for filters, group in groupby(steps, key=lambda step: isinstance(step, Filter)):
        if not filters:
            yield from group
            continue
        conditions = tuple(step.condition for step in group if isinstance(step, Filter))
        yield Filter(AllOf(conditions) if len(conditions) > 1 else conditions[0], "")


def tracked(frame: pl.DataFrame, steps: Iterable[Step], natives: Mapping[str, Native]) -> Tracked:
    """The frame after the steps, and what became of its rows."""
    kept = pl.int_range(frame.height, eager=True)
    dropped: list[tuple[int, str]] = []
    waiting: list[Step] = []
    for step in steps:
        if not isinstance(step, Filter):
            waiting.append(step)
            continue
        frame = collected(extended(frame.lazy(), waiting, natives))
        waiting = []
        true = _truth(frame, step, natives)
        dropped += [(row, step.reason) for row in kept.filter(~true).to_list()]
        frame, kept = frame.filter(true), kept.filter(true)
    frame = collected(extended(frame.lazy(), waiting, natives))
    return Tracked(frame, kept.to_list(), sorted(dropped))


def collected(lazy: pl.LazyFrame) -> pl.DataFrame:
    """The frame that a plan gives, carried out step by step as it stands."""
    # The other engine cuts rows into pieces, so that every later step would have to join them again.
    return lazy.collect(optimizations=pl.QueryOptFlags.none(), engine="in-memory")


def _truth(frame: pl.DataFrame, step: Filter, natives: Mapping[str, Native]) -> pl.Series:
    form = TableForm(frame.schema)
    lazy = _with(frame.lazy(), form.native_columns([step.condition], natives))
    condition = form.condition(step.condition).alias("true")
    # A condition without columns gives a single value where it is selected, a column beside others.
    return collected(lazy.with_columns(condition))["true"].fill_null(value=False)


def _extended(
    lazy: pl.LazyFrame,
    dtypes: dict[str, pl.DataType],
    step: Step,
    natives: Mapping[str, Native],
) -> tuple[pl.LazyFrame, dict[str, pl.DataType]]:
    match step:
        case Compute(columns):
            form = TableForm(dtypes)
            called = form.native_columns(columns.values(), natives, columns)
            lazy = _with(lazy, called)
            # Replaced columns are computed under names of their own: when with_columns comes after
            # with_columns, Polars may move the new value before an expression that reads the old one.
            held: dict[str, str] = {}
            for name in dtypes.keys() & columns.keys():
                held[name] = free_name(f"new {name}", (*dtypes, *columns, *called, *held.values()))
            lazy = lazy.with_columns(form.of(e).alias(held.get(n, n)) for n, e in columns.items())
            dtypes = dtypes | {n: form.result_dtype(e, n) for n, e in columns.items()}
            if held or called:
                lazy = lazy.select(named(held.get(n, n)).alias(n) for n in dtypes)
            return lazy, dtypes
        case Filter(condition):
            form = TableForm(dtypes)
            called = form.native_columns([condition], natives)
            lazy = _without(_with(lazy, called).filter(form.condition(condition)), called)
            return lazy, dtypes
        case Keep(names):
            check_names(step, dtypes)
            return lazy.select([named(n) for n in names]), {n: dtypes[n] for n in names}
        case Drop(names):
            check_names(step, dtypes)
            lazy = lazy.drop(cs.by_name(*(n for n in names if n in dtypes)))
            return lazy, {n: d for n, d in dtypes.items() if n not in names}
        case Rename(pairs):
            check_names(step, dtypes)
            renamed = dict(pairs)
            return lazy.rename(renamed), {renamed.get(n, n): d for n, d in dtypes.items()}


def _with(lazy: pl.LazyFrame, columns: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    return lazy.with_columns(e.alias(n) for n, e in columns.items()) if columns else lazy


def _without(lazy: pl.LazyFrame, columns: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    return lazy.drop(cs.by_name(*columns)) if columns else lazy
