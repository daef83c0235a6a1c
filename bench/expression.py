"""How fast the two forms of a formula are: a request's row, and a million rows at once.

Run as `python bench/expression.py [--json]`.  Each figure is the best of several rounds; the forms take
turns, and the results of both are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import psutil

from modelwright.data.expression import (
    Compute,
    Filter,
    Formula,
    any_missing,
    column,
    dot,
    lookup,
)
from modelwright.data.schema import Column, ColumnType, Schema

CATEGORIES = [f"category {n:02d}" for n in range(22)]


def linear(texts: int, numbers: int, *, seed: int) -> tuple[Formula, Schema]:
    """A linear model behind a normalisation and a filter of incomplete rows, as tutorials end up with.

    One column, the old label, may be missing and is only handed on.
    """
    random = np.random.default_rng(seed)
    text_names = [f"text column {n}" for n in range(texts)]
    number_names = [f"number column {n}" for n in range(numbers)]
    features = [*text_names, *number_names]
    normalized = {
        name: (column(name) - float(random.normal())) / float(random.uniform(1, 9))
        for name in number_names[: numbers // 3]
    }
    terms = [
        (lookup(column(name), {c: float(random.normal()) for c in CATEGORIES[:-2]}, 0.0), 1.0)
        for name in text_names
    ]
    terms += [(column(name), float(random.normal())) for name in number_names]
    formula = Formula(
        Filter(~any_missing(features), "a feature is missing"),
        Compute(normalized),
        Compute({"Scored Labels": dot(terms, 13_000.0)}),
    )
    schema = Schema(
        (
            *(Column(n, ColumnType.STRING) for n in text_names),
            *(Column(n, ColumnType.DOUBLE) for n in number_names),
            Column("label", ColumnType.DOUBLE),
        )
    )
    return formula, schema


def table(schema: Schema, rows: int, *, seed: int) -> pl.DataFrame:
    """Random rows, a tenth of the categories unseen in training."""
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            c.name: np.array(CATEGORIES)[random.integers(0, len(CATEGORIES), rows)]
            if c.type is ColumnType.STRING
            else random.normal(size=rows)
            for c in schema
        }
    )


def best(work: Callable[[], object], *, times: int, rounds: int = 7) -> float:
    """Seconds per call in the best round."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(times):
            work()
        found.append((time.perf_counter() - start) / times)
    return min(found)


def extra_memory(work: Callable[[], object]) -> int:
    """Bytes of resident memory above those at the start, looked at every millisecond."""
    process = psutil.Process()
    before = process.memory_info().rss
    most = before
    over = threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.001):
            most = max(most, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    over.set()
    watcher.join()
    return most - before


def measure_rows() -> dict[str, Any]:
    """One row of 25 columns to 26: row form, and the Table form on a frame of one row."""
    formula, schema = linear(texts=10, numbers=14, seed=1)
    frame = table(schema, 500, seed=2)
    rows = frame.to_dicts()
    program = formula.compile_rows(schema)
    assert [program.score(r) for r in rows] == formula.apply(frame).to_dicts()
    score, row = program.score, rows[0]
    compile_s = best(lambda: formula.compile_rows(schema), times=3)
    return {
        "columns": len(schema),
        "row form, µs a row": best(lambda: score(row), times=50_000) * 1e6,
        "row form over 500 different rows, µs a row": best(
            lambda: [score(r) for r in rows], times=50
        )
        / len(rows)
        * 1e6,
        "Table form, records to records, µs a row": best(
            lambda: formula.apply(pl.DataFrame([row], schema=frame.schema)).to_dicts(), times=50
        )
        * 1e6,
        "compiling the row form, ms": compile_s * 1e3,
    }


def measure_table(rows: int) -> dict[str, Any]:
    """Many rows of 20 feature columns at once."""
    formula, schema = linear(texts=8, numbers=12, seed=3)
    frame = table(schema, rows, seed=4)
    small = frame.head(1000)
    program = formula.compile_rows(schema)
    assert [program.score(r) for r in small.to_dicts()] == formula.apply(small).to_dicts()
    extra = max(extra_memory(lambda: formula.apply(frame)) for _ in range(3))
    seconds = [best(lambda: formula.apply(frame), times=1, rounds=1) for _ in range(7)]
    return {
        "rows": rows,
        "columns": len(schema),
        "Table form, s": min(seconds),
        "Table form, median s": statistics.median(seconds),
        "input, MB": frame.estimated_size("mb"),
        "extra memory at most, MB": extra / 1e6,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the large table")
    arguments = parser.parse_args()
    found = {"a row": measure_rows(), "a table": measure_table(arguments.rows)}
    if arguments.json:
        print(json.dumps(found))
        return
    for title, figures in found.items():
        print(title)
        for name, value in figures.items():
            shown = f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"
            print(f"  {name:<46} {shown:>12}")


if __name__ == "__main__":
    main()
