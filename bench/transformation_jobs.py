"""What `bench.transformations` measures: each transformation with settings, and the pandas code for it.

The pandas code is what a user of pandas 3 writes first: whole columns at once, `assign` instead of a
copy of the table, the functions that pandas has for the purpose.  It may leave out what pandas has no
word for: keeping what was learnt for later rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from modelwright.data.table import Table

NUMBERS = ["a", "b", "c", "d"]
NUMERIC = {"rules": [{"names": NUMBERS}]}
_SIDES = ("left_dataset", "right_dataset")


@dataclass(frozen=True)
class Data:
    """The same rows for both sides; a second table for joins."""

    table: Table
    other: Table
    frame: Any = None
    second: Any = None


@dataclass(frozen=True)
class Job:
    """A component with settings, and the pandas code for the same.

    given: settings of a step before it, and what pandas gets in its place as the second argument; neither
    is measured.  of_pandas: brings the result of pandas
    into the form of ours before the two are compared.  by_chance: numbers of rows are compared, not rows,
    in all and of each make.  in_any_order: rows are sorted by these columns before they are compared.
    """

    name: str
    component: str
    settings: dict[str, Any]
    pandas: Callable[[Any, Any], Any]
    second: bool = False
    ports: tuple[str, ...] = ("dataset",)
    given: tuple[dict[str, Any], Callable[[Any], Any]] | None = None
    of_pandas: Callable[[Any], Any] = field(default=lambda found: found)
    by_chance: bool = False
    in_any_order: tuple[str, ...] = ()


def rows(count: int, *, ours: bool = True, theirs: bool = True) -> Data:
    """Numbers with a few gaps, whole numbers, texts of few and of many values, and a second table."""
    chance = np.random.default_rng(7)
    values: dict[str, Any] = {}
    for name in NUMBERS:
        column = chance.lognormal(1.0, 0.7, count)
        column[chance.random(count) < 0.02] = np.nan
        values[name] = column
    values["whole"] = chance.integers(0, 1000, count)
    values["key"] = chance.integers(0, count // 10, count)
    values["make"] = np.array(["audi", "bmw", "fiat", "ford", "seat", "volvo"])[
        chance.integers(0, 6, count)
    ]
    values["flag"] = chance.random(count) < 0.4
    frame = pl.DataFrame(values).with_columns(pl.col(NUMBERS).fill_nan(None))
    # A twentieth of the keys has no row, and a few rows have no key of the other table.
    keys = np.arange(count // 200, count // 10 + count // 200)
    other = pl.DataFrame({"key": keys, "extra": chance.random(len(keys))})
    pandas = (frame.to_pandas(), other.to_pandas()) if theirs else (None, None)
    if not ours:
        frame, other = frame.clear(), other.clear()
    table = Table(frame).mark("make", categorical=True)
    return Data(table, Table(other), *pandas)


def _clip(df: Any, _: Any) -> Any:
    numbers = df[NUMBERS]
    low, high = numbers.quantile(0.01), numbers.quantile(0.99)
    return df.assign(**numbers.clip(low, high, axis=1))


def _zscore(df: Any, _: Any) -> Any:
    numbers = df[NUMBERS]
    return df.assign(**(numbers - numbers.mean()) / numbers.std(ddof=0))


def _minmax(df: Any, _: Any) -> Any:
    numbers = df[NUMBERS]
    low, high = numbers.min(), numbers.max()
    return df.assign(**(numbers - low) / (high - low))


def _logistic(df: Any, _: Any) -> Any:
    return df.assign(**1 / (1 + np.exp(-df[NUMBERS])))


def _lognormal(df: Any, _: Any) -> Any:
    from scipy import stats

    logs = np.log(df[NUMBERS])
    standard = (logs - logs.mean()) / logs.std(ddof=0)
    return df.assign(**{name: stats.norm.cdf(standard[name]) for name in NUMBERS})


def _bins(df: Any, _: Any) -> Any:
    import pandas as pd

    found = {n: pd.qcut(df[n], 10, labels=False, duplicates="drop") for n in NUMBERS}
    return df.assign(**{f"{n}_quantized": bins for n, bins in found.items()})


def _widths(df: Any, _: Any) -> Any:
    import pandas as pd

    return df.assign(**{f"{n}_quantized": pd.cut(df[n], 10, labels=False) for n in NUMBERS})


def _edges(df: Any, _: Any) -> Any:
    import pandas as pd

    edges = [-np.inf, 1, 2, 5, np.inf]
    return df.assign(**{f"{n}_quantized": pd.cut(df[n], edges, labels=False) for n in NUMBERS})


def _counted_from_one(df: Any) -> Any:
    return df.assign(**{f"{n}_quantized": df[f"{n}_quantized"] + 1 for n in NUMBERS})


def _indicators(df: Any, _: Any) -> Any:
    import pandas as pd

    made = pd.get_dummies(df["make"], prefix="make", prefix_sep="-", dtype=int)
    return pd.concat([df, made], axis=1)


def _chi_squared(df: Any, _: Any) -> Any:
    import pandas as pd
    from scipy.stats import chi2_contingency

    found = {}
    for name in [*NUMBERS, "whole", "key", "flag"]:
        column = df[name]
        if column.nunique() > 10:
            column = pd.qcut(column, 10, labels=False, duplicates="drop")
        found[name] = chi2_contingency(pd.crosstab(column, df["make"]))[0]
    best = sorted(found, key=lambda n: -found[n])[:3]
    return df[[n for n in df if n in best or n == "make"]]


def _pearson(df: Any, _: Any) -> Any:
    found = df[[*NUMBERS, "key", "flag"]].corrwith(df["whole"]).abs()
    best = found.nlargest(2).index
    return df[[n for n in df if n in best or n == "whole"]]


def _summary(df: Any, _: Any) -> Any:
    import pandas as pd

    numbers = df.drop(columns="make").astype({"flag": float})
    shares = {
        "1st Quartile": 0.25,
        "Median": 0.5,
        "3rd Quartile": 0.75,
        "P0.5": 0.005,
        "P1": 0.01,
        "P5": 0.05,
        "P95": 0.95,
        "P99.5": 0.995,
    }
    quantiles = numbers.quantile(list(shares.values()))
    quantiles.index = list(shares)
    told = {
        "Unique Value Count": df.nunique(),
        "Missing Value Count": df.isna().sum(),
        "Min": numbers.min(),
        "Max": numbers.max(),
        "Mean": numbers.mean(),
        "Mean Deviation": (numbers - numbers.mean()).abs().mean(),
        "Mode": pd.Series({n: numbers[n].mode()[0] for n in numbers}),
        "Sample Variance": numbers.var(),
        "Sample Standard Deviation": numbers.std(),
        "Sample Skewness": numbers.skew(),
        "Sample Kurtosis": numbers.kurt(),
        **quantiles.T.to_dict("series"),
    }
    told["Range"] = told["Max"] - told["Min"]
    return pd.DataFrame(told).reindex(df.columns).assign(Count=len(df))


def _as_report(df: Any) -> Any:
    order = "Feature Count Unique_Value_Count Missing_Value_Count Min Max Mean Mean_Deviation"
    order += " 1st_Quartile Median 3rd_Quartile Mode Range Sample_Variance"
    order += " Sample_Standard_Deviation Sample_Skewness Sample_Kurtosis P0.5 P1 P5 P95 P99.5"
    return df.rename_axis("Feature").reset_index()[[n.replace("_", " ") for n in order.split()]]


def _split(df: Any, _: Any) -> Any:
    first = df.sample(frac=0.7, random_state=7)
    return first, df.drop(first.index)


def _stratified(df: Any, _: Any) -> Any:
    first = df.groupby("make").sample(frac=0.7, random_state=7)
    return first, df.drop(first.index)


def _matching(df: Any, _: Any) -> Any:
    matching = df["make"].str.contains("^[a-f]")
    return df[matching], df[~matching]


def _above(df: Any, _: Any) -> Any:
    above = df["whole"] > 500
    return df[above], df[~above]


def _fold(df: Any) -> Any:
    return np.random.default_rng(7).permutation(len(df)) % 5


def _side_by_side(df: Any, _: Any) -> Any:
    import pandas as pd

    return pd.concat([df.add_suffix("_1"), df.add_suffix("_2")], axis=1)


def _below(df: Any, _: Any) -> Any:
    import pandas as pd

    return pd.concat([df, df], ignore_index=True)


def _full(df: Any, other: Any) -> Any:
    return df.merge(other, on="key", how="outer")


def _maths(name: str, work: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda df, _: df.assign(**work(df[NUMBERS]).rename(columns=lambda n: name.format(n)))


_SQL = "SELECT make, flag, count(*) AS n, avg(a) AS mean FROM t1 GROUP BY make, flag"
_KEYS = {"left_keys": ["key"], "right_keys": ["key"], "keep_right_keys": False}
_NORMAL = "normalize-data"
_SPLIT, _SAMPLE = "split-data", "partition-and-sample"
_CLEAN, _BINS, _MATHS = "clean-missing-data", "group-data-into-bins", "apply-math-operation"
_FOLDED = {"mode": "Assign to Folds", "folds": 5, "seed": 7}


def _joined(kind: str, pandas: Callable[[Any, Any], Any], *order: str) -> Job:
    settings = {**_KEYS, "join_type": kind}
    name = f"Join Data, {kind.lower().replace(' join', '')}"
    return Job(name, "join-data", settings, pandas, second=True, ports=_SIDES, in_any_order=order)


def _of_chance(name: str, component: str, pandas: Any, **settings: Any) -> Job:
    return Job(name, component, settings, pandas, by_chance=True)


JOBS = (
    Job(
        "Select Columns in Dataset",
        "select-columns-in-dataset",
        {"columns": ["a", "whole", "make"]},
        lambda df, _: df[["a", "whole", "make"]],
    ),
    Job("Clean Missing Data, rows", _CLEAN, {}, lambda df, _: df.dropna()),
    Job(
        "Clean Missing Data, columns",
        _CLEAN,
        {"mode": "Remove entire column"},
        lambda df, _: df.dropna(axis=1),
    ),
    Job(
        "Clean Missing Data, value",
        _CLEAN,
        {"mode": "Custom substitution value", "replacement": "1", "columns": NUMERIC},
        lambda df, _: df.fillna(dict.fromkeys(NUMBERS, 1)),
    ),
    Job(
        "Clean Missing Data, mean",
        _CLEAN,
        {"mode": "Replace with mean", "columns": NUMERIC},
        lambda df, _: df.fillna(df[NUMBERS].mean()),
    ),
    Job(
        "Clean Missing Data, median",
        _CLEAN,
        {"mode": "Replace with median", "columns": NUMERIC},
        lambda df, _: df.fillna(df[NUMBERS].median()),
    ),
    Job(
        "Clean Missing Data, mode",
        _CLEAN,
        {"mode": "Replace with mode", "columns": ["whole", "make"]},
        lambda df, _: df.fillna({n: df[n].mode()[0] for n in ("whole", "make")}),
    ),
    Job(
        "Clip Values, percentiles",
        "clip-values",
        {"columns": NUMERIC, "thresholds": "ClipPeaksAndSubpeaks", "both_kind": "Percentile"},
        _clip,
    ),
    Job(
        "Clip Values, constants",
        "clip-values",
        {
            "columns": NUMERIC,
            "thresholds": "ClipPeaksAndSubpeaks",
            "lower_constant": 1.0,
            "upper_constant": 9.0,
        },
        lambda df, _: df.assign(**df[NUMBERS].clip(1, 9)),
    ),
    Job("Normalize Data, ZScore", _NORMAL, {"columns": NUMERIC}, _zscore),
    Job("Normalize Data, MinMax", _NORMAL, {"columns": NUMERIC, "method": "MinMax"}, _minmax),
    Job("Normalize Data, Logistic", _NORMAL, {"columns": NUMERIC, "method": "Logistic"}, _logistic),
    Job(
        "Normalize Data, LogNormal",
        _NORMAL,
        {"columns": NUMERIC, "method": "LogNormal"},
        _lognormal,
    ),
    Job(
        "Normalize Data, TanH",
        _NORMAL,
        {"columns": NUMERIC, "method": "TanH"},
        lambda df, _: df.assign(**np.tanh(df[NUMBERS])),
    ),
    Job(
        "Group Data into Bins, quantiles",
        _BINS,
        {"columns": NUMERIC},
        _bins,
        of_pandas=_counted_from_one,
    ),
    Job(
        "Group Data into Bins, widths",
        _BINS,
        {"columns": NUMERIC, "mode": "Equal Width"},
        _widths,
        of_pandas=_counted_from_one,
    ),
    Job(
        "Group Data into Bins, edges",
        _BINS,
        {"columns": NUMERIC, "mode": "Custom Edges", "edges": "1, 2, 5"},
        _edges,
        of_pandas=_counted_from_one,
    ),
    Job(
        "Convert to Indicator Values",
        "convert-to-indicator-values",
        {"columns": ["make"]},
        _indicators,
    ),
    Job(
        "Convert to Dataset",
        "convert-to-dataset",
        {"action": "ReplaceValues", "replace": "Custom", "custom_value": "7", "new_value": "8"},
        lambda df, _: df.replace({7: 8, "7": "8"}),
    ),
    _joined("Inner Join", lambda df, other: df.merge(other, on="key")),
    _joined("Left Outer Join", lambda df, other: df.merge(other, on="key", how="left")),
    _joined("Full Outer Join", _full, "key", "a", "b", "c", "d"),
    _joined("Left Semi-Join", lambda df, other: df[df["key"].isin(other["key"])]),
    Job("Add Columns", "add-columns", {}, _side_by_side, ports=_SIDES),
    Job("Add Rows", "add-rows", {}, _below, ports=("dataset1", "dataset2")),
    Job(
        "Remove Duplicate Rows",
        "remove-duplicate-rows",
        {"keys": ["key", "make"]},
        lambda df, _: df.drop_duplicates(["key", "make"]),
    ),
    _of_chance("Split Data, at random", _SPLIT, _split, fraction=0.7, seed=7),
    _of_chance(
        "Split Data, stratified",
        _SPLIT,
        _stratified,
        fraction=0.7,
        seed=7,
        stratified=True,
        stratification_column="make",
    ),
    Job(
        "Split Data, regular expression",
        _SPLIT,
        {"mode": "Regular Expression Split", "regular_expression": '\\"make" ^[a-f]'},
        _matching,
    ),
    Job(
        "Split Data, relational expression",
        _SPLIT,
        {"mode": "Relative Expression Split", "relational_expression": '\\"whole" > 500'},
        _above,
    ),
    Job(
        "Partition and Sample, head",
        _SAMPLE,
        {"mode": "Head", "head_rows": 100_000},
        lambda df, _: df.head(100_000),
    ),
    _of_chance(
        "Partition and Sample, sample",
        _SAMPLE,
        lambda df, _: df.sample(frac=0.1, random_state=7),
        rate=0.1,
        sampling_seed=7,
    ),
    _of_chance(
        "Partition and Sample, stratified",
        _SAMPLE,
        lambda df, _: df.groupby("make").sample(frac=0.1, random_state=7),
        rate=0.1,
        sampling_seed=7,
        sampling_stratified=True,
        sampling_key="make",
    ),
    _of_chance(
        "Partition and Sample, folds",
        _SAMPLE,
        lambda df, _: df.assign(fold=_fold(df)),
        **_FOLDED,
    ),
    Job(
        "Partition and Sample, one fold",
        _SAMPLE,
        {"mode": "Pick Fold", "fold": 2},
        lambda df, fold: df[fold == 1],
        given=(_FOLDED, _fold),
        by_chance=True,
    ),
    Job(
        "Apply Math Operation, Ln",
        _MATHS,
        {"basic": "Ln", "columns": NUMERIC},
        _maths("Ln({})", np.log),
    ),
    Job(
        "Apply Math Operation, Add",
        _MATHS,
        {"category": "Operations", "operations": "Add", "second": 2.5, "columns": NUMERIC},
        _maths("Add({}_$2.5)", lambda numbers: numbers + 2.5),
    ),
    Job(
        "Apply Math Operation, Pow",
        _MATHS,
        {"basic": "Pow", "second": 2.5, "columns": NUMERIC},
        _maths("Pow({}_$2.5)", lambda numbers: numbers**2.5),
    ),
    Job(
        "Apply Math Operation, GreaterThan",
        _MATHS,
        {"category": "Compare", "compare": "GreaterThan", "second": 2.5, "columns": NUMERIC},
        _maths("GreaterThan({}_$2.5)", lambda numbers: (numbers > 2.5).where(numbers.notna())),
    ),
    Job(
        "Apply Math Operation, RoundDown",
        _MATHS,
        {"category": "Rounding", "rounding": "RoundDown", "columns": NUMERIC},
        _maths("RoundDown({}_$0)", np.trunc),
    ),
    Job(
        "Apply Math Operation, Sin",
        _MATHS,
        {"category": "Trigonometric", "trigonometric": "Sin", "columns": NUMERIC},
        _maths("Sin({})", np.sin),
    ),
    Job(
        "Apply SQL Transformation, groups",
        "apply-sql-transformation",
        {"script": _SQL},
        lambda df, _: df.groupby(["make", "flag"])["a"].agg(n="size", mean="mean").reset_index(),
        ports=("t1",),
        in_any_order=("make", "flag"),
    ),
    Job(
        "Apply SQL Transformation, filter",
        "apply-sql-transformation",
        {"script": "SELECT a, whole, a * whole AS product FROM t1 WHERE make = 'bmw' AND a > 2"},
        lambda df, _: df.loc[(df["make"] == "bmw") & (df["a"] > 2), ["a", "whole"]].assign(
            product=lambda found: found["a"] * found["whole"]
        ),
        ports=("t1",),
    ),
    Job(
        "Edit Metadata, number and name",
        "edit-metadata",
        {"columns": ["whole"], "data_type": "Double", "new_names": "part"},
        lambda df, _: df.astype({"whole": float}).rename(columns={"whole": "part"}),
    ),
    Job(
        "Edit Metadata, text",
        "edit-metadata",
        {"columns": ["whole"], "data_type": "String"},
        lambda df, _: df.astype({"whole": str}),
    ),
    Job(
        "Edit Metadata, categories",
        "edit-metadata",
        {"columns": ["make"], "categorical": "Categorical"},
        lambda df, _: df.astype({"make": "category"}),
        of_pandas=lambda df: df.astype({"make": str}),
    ),
    Job(
        "Filter Based Feature Selection, Pearson",
        "filter-based-feature-selection",
        {"target": "whole", "count": 2},
        _pearson,
    ),
    Job(
        "Filter Based Feature Selection, chi squared",
        "filter-based-feature-selection",
        {"method": "Chi squared", "target": "make", "count": 3},
        _chi_squared,
    ),
    Job("Summarize Data", "summarize-data", {}, _summary, of_pandas=_as_report),
)
