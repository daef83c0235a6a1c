"""Split Data: the rows of a table in two tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Bypass, Component
from modelwright.components.errors import ComponentError, InvalidParameter
from modelwright.components.outline import Outline, TableOutline
from modelwright.components.palette.data_transformation.column_faults import plain_column
from modelwright.components.palette.data_transformation.random_rows import (
    draw,
    draw_stratified,
    share,
)
from modelwright.components.palette.data_transformation.recommender_split import (
    RatingShares,
    split_ratings,
)
from modelwright.components.palette.data_transformation.row_expression import (
    Pattern,
    Relation,
    parse_pattern,
    parse_relation,
)
from modelwright.components.parameters import ColumnName, Shown
from modelwright.data.memory import in_parts, rows_apart, rows_where
from modelwright.data.schema import Schema
from modelwright.data.table import Table

Fraction = Annotated[float, Field(ge=0, le=1)]
_ROWS, _PATTERN, _RELATION, _RATINGS = (
    "Split Rows",
    "Regular Expression Split",
    "Relative Expression Split",
    "Recommender Split",
)


class RatingColumnsError(ComponentError):
    """Ratings to be split do not begin with a user and an item in each row."""

    code = "not-ratings"

    def __init__(self, why: str) -> None:
        super().__init__(
            f'The data on port "dataset" are not ratings: {why}.',
            remedy="Put the user into the first column and the item into the second, in each row.",
            port="dataset",
            why=why,
        )


class Split(NamedTuple):
    results_dataset1: Table
    results_dataset2: Table


class SplitData(Component, category="Data Transformation", at_inference=Bypass("dataset")):
    r"""Divide the rows of a table into two tables.

    Every row goes to one of the two, in the order of the input; only the recommender split may
    leave rows out, and its log says how many.

    Split Rows: the first table has the fraction of the rows, rounded to the nearest whole number.
    A seed gives the same rows whenever the input is the same; 0 is a seed like any other.
    Without chance the first rows go to the first table.  Stratified, each value of the key column
    (missing is one) is divided alike.

    Regular Expression Split: `\"Text" Gryphon` or `(\1) ^[a-f]`, the position counted from 0, sends
    rows whose column holds the pattern to the first table.  The pattern is Python's, tells upper
    from lower case, and is found anywhere; numbers are searched as they are written.

    Relative Expression Split: `\"Year" > 2010` or `(\0) <= 30 & != 20` sends rows that satisfy it to
    the first table.  `&` binds more tightly than `|`.  Text and true/false compare with == and !=
    only; dates are written as 2010-01-31 or 1/31/2010, with a time or without.  A missing value
    satisfies nothing, `!=` neither.

    Recommender Split: for rows of user, item and rating.  Some users are in the first (training)
    table only; of the others, the test users, a fraction of the ratings trains and the rest is in
    the second (test) table.  Cold users and items are in the second table only, so a rating of a
    cold item by a training user is left out; ignored ones are in neither.
    """

    mode: Annotated[
        Literal[
            "Split Rows",
            "Regular Expression Split",
            "Relative Expression Split",
            "Recommender Split",
        ],
        Field(title="Splitting mode"),
    ] = "Split Rows"
    """How rows are told apart."""

    fraction: Annotated[
        Fraction,
        Field(title="Fraction of rows in the first output dataset"),
        Shown(mode=_ROWS),
    ] = 0.5
    """Share of the rows that go to the first table, from 0 to 1."""

    randomized: Annotated[bool, Field(title="Randomized split"), Shown(mode=_ROWS)] = True
    """Whether chance decides; otherwise the first rows go to the first table."""

    seed: Annotated[int, Field(title="Random Seed", ge=0), Shown(mode=_ROWS, randomized=True)] = 0
    """Start of the chance: the same number gives the same split."""

    stratified: Annotated[bool, Field(title="Stratified split"), Shown(mode=_ROWS)] = False
    """Whether both tables get the same share of each value of the key column."""

    stratification_column: Annotated[
        ColumnName,
        Field(title="Stratification key column"),
        Shown(mode=_ROWS, stratified=True),
    ] = ""
    """Column whose values are to be shared out alike."""

    regular_expression: Annotated[str, Field(title="Regular expression"), Shown(mode=_PATTERN)] = ""
    r"""A column and a pattern to be found in it, such as `\"Text" Gryphon`."""

    relational_expression: Annotated[
        str, Field(title="Relational expression"), Shown(mode=_RELATION)
    ] = ""
    r"""A column and comparisons of it, such as `\"Year" > 2010`."""

    training_only_users: Annotated[
        Fraction, Field(title="Fraction of training-only users"), Shown(mode=_RATINGS)
    ] = 0.5
    """Share of the users all of whose ratings train."""

    test_ratings_for_training: Annotated[
        Fraction, Field(title="Fraction of test user ratings for training"), Shown(mode=_RATINGS)
    ] = 0.25
    """Share of each test user's ratings that train."""

    cold_users: Annotated[Fraction, Field(title="Fraction of cold users"), Shown(mode=_RATINGS)] = (
        0.0
    )
    """Share of the users who are tested without any rating in training."""

    cold_items: Annotated[Fraction, Field(title="Fraction of cold items"), Shown(mode=_RATINGS)] = (
        0.0
    )
    """Share of the items that are tested without any rating in training."""

    ignored_users: Annotated[
        Fraction, Field(title="Fraction of ignored users"), Shown(mode=_RATINGS)
    ] = 0.0
    """Share of the users who are left out of both tables."""

    ignored_items: Annotated[
        Fraction, Field(title="Fraction of ignored items"), Shown(mode=_RATINGS)
    ] = 0.0
    """Share of the items that are left out of both tables."""

    drop_cold_items: Annotated[
        bool,
        Field(title="Remove occasionally produced cold items"),
        Shown(mode=_RATINGS),
    ] = False
    """Whether tested items that by chance have no rating in training are left out."""

    recommender_seed: Annotated[
        int, Field(title="Random seed for Recommender", ge=0), Shown(mode=_RATINGS)
    ] = 0
    """Start of the chance: the same number gives the same split."""

    def run(self, dataset: Table, *, context: Context) -> Split:
        if self.mode == _RATINGS:
            return self._split_ratings(dataset, context)
        frame = dataset.frame
        condition = self._condition(dataset.schema)
        if condition is not None:
            chosen = in_parts(frame, lambda rows: condition.holds(rows).to_frame()).to_series()
        elif not self.stratified:
            first = share(frame.height, self.fraction)
            if not self.randomized:
                return Split(dataset.of(frame[:first]), dataset.of(frame[first:]))
            chosen = draw(frame.height, first, seed=self.seed)
        else:
            key = frame.get_column(self.stratification_column)
            seed = self.seed if self.randomized else None
            chosen = draw_stratified(key, self.fraction, seed=seed)
        return Split(*map(dataset.of, rows_apart(frame, chosen)))

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        dataset = inputs.get("dataset")
        if not isinstance(dataset, TableOutline):
            return super().outline(**inputs)
        first = second = None
        if dataset.complete:
            self._condition(dataset.schema)
        if self.mode == _ROWS and dataset.rows is not None:
            first = share(dataset.rows, self.fraction)
            second = dataset.rows - first
        return {
            "results_dataset1": TableOutline(dataset.schema, dataset.complete, first),
            "results_dataset2": TableOutline(dataset.schema, dataset.complete, second),
        }

    def _condition(self, schema: Schema) -> Pattern | Relation | None:
        """What rows are told apart by, if not by chance; refuses what cannot work on this schema."""
        if self.mode == _PATTERN:
            return parse_pattern(self.regular_expression, schema, parameter="Regular expression")
        if self.mode == _RELATION:
            expression = self.relational_expression
            return parse_relation(expression, schema, parameter="Relational expression")
        if self.mode == _RATINGS:
            self._refuse_too_many_users()
            if len(schema) < 2:
                raise RatingColumnsError("there are fewer than two columns")
        elif self.stratified:
            if not self.stratification_column:
                raise InvalidParameter("Stratification key column", "", "no column is chosen")
            plain_column(schema, self.stratification_column)
        return None

    def _refuse_too_many_users(self) -> None:
        for kind, shares in (
            ("users", (self.training_only_users, self.cold_users, self.ignored_users)),
            ("items", (self.cold_items, self.ignored_items)),
        ):
            if sum(shares) > 1 + 1e-9:
                raise InvalidParameter(
                    f"Fraction of ignored {kind}",
                    shares[-1],
                    f"the fractions of {kind} add up to {sum(shares):g}, which is more than 1",
                )

    def _split_ratings(self, dataset: Table, context: Context) -> Split:
        self._condition(dataset.schema)
        frame = dataset.frame
        for name in frame.columns[:2]:
            column = frame.get_column(name)
            lacking = column.is_null() | (column.is_nan() if column.dtype.is_float() else False)
            if lacking.any():
                raise RatingColumnsError(f'column "{name}" has {lacking.sum()} missing values')
        shares = RatingShares(
            self.training_only_users,
            self.test_ratings_for_training,
            self.cold_users,
            self.cold_items,
            self.ignored_users,
            self.ignored_items,
        )
        train, test = split_ratings(
            frame, shares, drop_cold_items=self.drop_cold_items, seed=self.recommender_seed
        )
        neither = frame.height - int(train.sum()) - int(test.sum())
        if neither:
            context.log(f"{neither} of {frame.height} ratings are in neither table.")
        return Split(dataset.of(rows_where(frame, train)), dataset.of(rows_where(frame, test)))
