"""Mistakes in training, scoring and evaluation that a user can mend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from modelwright.components.errors import ComponentError


class NoLabelColumn(ComponentError):
    """Nothing says which column is to be predicted, or was."""

    code = "no-label-column"

    def __init__(self, port: str, *, chosen: bool = True) -> None:
        """With `chosen` the component lets one choose a label column."""
        super().__init__(
            f'The data on port "{port}" have no label column.',
            remedy="Mark the column with the truth as label with Edit Metadata."
            if not chosen
            else 'Choose one as "Label column", or mark it as label with Edit Metadata.',
            port=port,
        )


class SeveralLabelColumns(ComponentError):
    """More than one column carries the label mark."""

    code = "several-label-columns"

    def __init__(self, port: str, columns: Iterable[str], *, chosen: bool = True) -> None:
        """With `chosen` the component lets one choose a label column."""
        names = list(columns)
        listed = ", ".join(f'"{n}"' for n in names)
        super().__init__(
            f'The data on port "{port}" have {len(names)} label columns: {listed}.',
            remedy="Leave the label mark to one, and clear that of the others with Edit Metadata."
            if not chosen
            else 'Choose one as "Label column", or clear the label mark of the others.',
            port=port,
            columns=names,
        )


class WrongLabelType(ComponentError):
    """The label column is of a type that the learner cannot predict."""

    code = "wrong-label-type"

    def __init__(self, column: str, found: str, wanted: str, *, learner: str) -> None:
        super().__init__(
            f'Label column "{column}" is {found}; {learner} needs {wanted}.',
            remedy="Choose another label column, convert it with Edit Metadata, "
            "or take a learner for that kind of label.",
            column=column,
            found=found,
            wanted=wanted,
            learner=learner,
        )


class LabelAllMissing(ComponentError):
    """No row has a label."""

    code = "label-all-missing"

    def __init__(self, column: str, port: str) -> None:
        super().__init__(
            f'Label column "{column}" on port "{port}" has no value in any row.',
            remedy="Rows without a label are ignored; bring data that have one.",
            column=column,
            port=port,
        )


class OneClassOnly(ComponentError):
    """A classifier gets a label that never changes."""

    code = "one-class-only"

    def __init__(self, column: str, value: Any) -> None:
        super().__init__(
            f'Label column "{column}" has the single value {value!r}; there is nothing to tell apart.',
            remedy="Bring rows of every class: a filter or a split before may have left one only.",
            column=column,
            value=value,
        )


class WrongClassCount(ComponentError):
    """A two-class learner gets a label with more values than two."""

    code = "not-two-classes"

    def __init__(self, column: str, found: int, values: Sequence[Any]) -> None:
        some = ", ".join(repr(v) for v in values) + (" …" if found > len(values) else "")
        super().__init__(
            f'Label column "{column}" has {found} values ({some}); exactly two are needed.',
            remedy="Use a multiclass learner, or bring the label to two values.",
            column=column,
            found=found,
            values=list(values),
        )


class TooManyClasses(ComponentError):
    """A multiclass learner gets a label that is no set of classes."""

    code = "too-many-classes"

    def __init__(self, column: str, found: int, limit: int) -> None:
        super().__init__(
            f'Label column "{column}" has {found} values; at most {limit} classes are learnt.',
            remedy="Use a regression learner for quantities, or group rare classes.",
            column=column,
            found=found,
            limit=limit,
        )


class FractionalClasses(ComponentError):
    """A classifier gets a label with fractional numbers that nobody marked categorical."""

    code = "label-not-discrete"

    def __init__(self, column: str, value: float) -> None:
        super().__init__(
            f'Label column "{column}" holds fractional numbers such as {value!r}, not classes.',
            remedy="Use a regression learner, or make the column categorical with Edit Metadata.",
            column=column,
            value=value,
        )


class NegativeLabel(ComponentError):
    """A learner for counts gets a label below zero."""

    code = "negative-label"

    def __init__(self, column: str, value: float, learner: str) -> None:
        super().__init__(
            f'Label column "{column}" holds {value!r}; {learner} needs numbers of at least 0.',
            remedy="Choose a column of counts, or another regression learner.",
            column=column,
            value=value,
            learner=learner,
        )


class NoFeatureColumns(ComponentError):
    """Nothing is left to learn from."""

    code = "no-feature-columns"

    def __init__(self, port: str, label: str | None) -> None:
        besides = f' besides the label "{label}"' if label is not None else ""
        super().__init__(
            f'The data on port "{port}" have no feature column{besides}.',
            remedy="Select more columns, or mark some as features with Edit Metadata.",
            port=port,
            label=label,
        )


class TooFewRows(ComponentError):
    """Too few rows have a label."""

    code = "too-few-labelled-rows"

    def __init__(self, port: str, found: int, needed: int, why: str = "") -> None:
        reason = f" {why}" if why else ""
        super().__init__(
            f'The data on port "{port}" have {found} rows to learn from; '
            f"at least {needed} are needed{reason}.",
            remedy="Bring more rows: a filter, a split or a cleaning step before leaves too few.",
            port=port,
            found=found,
            needed=needed,
        )


class InfiniteValues(ComponentError):
    """A column holds infinity, or a number so large that learning would make infinity of it."""

    code = "infinite-values"

    def __init__(
        self, column: str, port: str, rows: int | None, *, beyond: float | None = None
    ) -> None:
        some = "some rows" if rows is None else "a row" if rows == 1 else f"{rows} rows"
        what = "infinite" if beyond is None else f"beyond ±{beyond:g}, too large to count with,"
        super().__init__(
            f'Column "{column}" on port "{port}" is {what} in {some}.',
            remedy="Replace such values with Clip Values, or leave those rows out.",
            column=column,
            port=port,
            rows=rows,
        )


class AllMissing(ComponentError):
    """A feature has no value in any row."""

    code = "all-missing-column"

    def __init__(self, column: str, port: str, *, outside_fold: bool = False) -> None:
        rows = "row outside one of the folds" if outside_fold else "row"
        super().__init__(
            f'Column "{column}" on port "{port}" has no value in any {rows}.',
            remedy="Leave it out with Select Columns in Dataset, or clear its feature mark.",
            column=column,
            port=port,
        )


class TooManyUniqueValues(ComponentError):
    """A column of texts is an identifier or free text, not a set of categories."""

    code = "too-many-unique-values"

    def __init__(self, column: str, port: str, unique: int, values: int) -> None:
        super().__init__(
            f'Column "{column}" on port "{port}" has {unique} different values in {values} rows, '
            "so it cannot be learnt from as a set of categories.",
            remedy="Clear its feature mark with Edit Metadata, leave it out with Select Columns in "
            "Dataset, or derive from it what repeats, such as a part of the text.",
            column=column,
            port=port,
            unique=unique,
            values=values,
        )


class ScoreNameTaken(ComponentError):
    """A feature has the name of a column that scoring would add."""

    code = "score-name-taken"

    def __init__(self, column: str, port: str) -> None:
        super().__init__(
            f'Feature column "{column}" on port "{port}" has the name of a score column.',
            remedy="Give it another name with Edit Metadata, or leave it out.",
            column=column,
            port=port,
        )


class SchemaMismatch(ComponentError):
    """Data do not have the columns that a model was trained on."""

    code = "schema-mismatch"

    def __init__(self, port: str, model: str, faults: Iterable[str]) -> None:
        told = list(faults)
        whose = f" of {model}" if model else ""
        super().__init__(
            f'The data on port "{port}" do not suit the model{whose}: {"; ".join(told)}.',
            remedy="Prepare them by the same steps as the training data, or train the model again.",
            port=port,
            model=model,
            faults=told,
        )


class WrongLearner(ComponentError):
    """A learner reaches a step that trains another kind."""

    code = "wrong-kind-of-learner"

    def __init__(self, learner: str, task: str, use: str) -> None:
        super().__init__(
            f"{learner} ({task}) cannot be trained here.",
            remedy=f"Use {use}.",
            learner=learner,
            task=task,
            use=use,
        )


class WrongModel(ComponentError):
    """A model reaches a step that applies another kind."""

    code = "wrong-kind-of-model"

    def __init__(self, task: str, use: str) -> None:
        super().__init__(
            f"A model for {task} cannot be applied here.", remedy=f"Use {use}.", task=task, use=use
        )


class Diverged(ComponentError):
    """Training ran away: its numbers grew beyond all bounds."""

    code = "training-diverged"

    def __init__(self, learner: str, parameter: str) -> None:
        super().__init__(
            f"Training of {learner} diverged: its weights grew beyond all bounds.",
            remedy=f'Lower "{parameter}", and normalise the features.',
            learner=learner,
            parameter=parameter,
        )


class NoScoreColumns(ComponentError):
    """Data to be evaluated carry no scores."""

    code = "no-score-columns"

    def __init__(self, port: str, missing: str = "") -> None:
        what = f"lack the score column {missing}" if missing else "have no score columns"
        super().__init__(
            f'The data on port "{port}" {what}.',
            remedy="Connect the output of Score Model, and keep its score columns on the way.",
            port=port,
            missing=missing,
        )


class ScoresAllMissing(ComponentError):
    """No row with a label has a score."""

    code = "scores-all-missing"

    def __init__(self, column: str, port: str) -> None:
        super().__init__(
            f'Score column "{column}" on port "{port}" has no value in any row with a label.',
            remedy="Look at the scored rows: a feature that is missing may leave no score.",
            column=column,
            port=port,
        )


class TasksDiffer(ComponentError):
    """Two scored data sets to compare come from different kinds of models."""

    code = "tasks-differ"

    def __init__(self, first: str, second: str) -> None:
        super().__init__(
            f"The two scored datasets differ in kind: {first} and {second}.",
            remedy="Compare scores of models for the same task.",
            first=first,
            second=second,
        )


class TooManyGroups(ComponentError):
    """A column that rows are to be grouped by has too many different values."""

    code = "too-many-groups"

    def __init__(self, column: str, port: str, groups: int, most: int) -> None:
        super().__init__(
            f'Column "{column}" on port "{port}" has {groups} different values; '
            f"rows are measured in {most} groups at the most.",
            remedy="Choose a column with fewer values, or make bins of it with Group Data into Bins.",
            column=column,
            port=port,
            groups=groups,
            most=most,
        )


class LabelNotComparable(ComponentError):
    """Actual labels and scored labels cannot be compared."""

    code = "label-not-comparable"

    def __init__(self, column: str, port: str, why: str) -> None:
        super().__init__(
            f'Label column "{column}" on port "{port}" cannot be compared with the scores: {why}.',
            remedy="Score the data with a model that was trained on the same kind of label.",
            column=column,
            port=port,
            why=why,
        )
