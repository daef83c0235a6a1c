"""What can be wrong with a request, or with a pipeline that is to answer requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from modelwright.data.errors import ModelwrightError, nearest, suggestion

_LONGEST_VALUE = 80


def shown(value: Any) -> str:
    """A value of a request as JSON-like text, cut when it is long."""
    import json

    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _listed(names: Iterable[str], most: int = 8) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f'"{n}"' for n in names[:most]) + more


class InputDataError(ModelwrightError):
    """A request that does not fit what the pipeline takes."""

    code = "input-data-error"


class MalformedBody(InputDataError):
    """A request's body is not JSON."""

    code = "malformed-json"

    def __init__(self, why: str, *, position: int | None = None, remedy: str = "") -> None:
        super().__init__(
            f"The body of the request is not JSON: {why}.",
            remedy=remedy or "Send one JSON object in UTF-8.",
            why=why,
            position=position,
        )


class MalformedRequest(InputDataError):
    """A request is JSON, but not of the shape that is taken.  place: such as `$.Inputs.input1[3]`."""

    code = "malformed-request"

    def __init__(self, place: str, found: Any, wanted: str) -> None:
        super().__init__(
            f"{place} is {shown(found)}; {wanted} is needed.",
            remedy='Send {"Inputs": {"NAME": [{"COLUMN": VALUE, …}, …]}}; '
            "the endpoint's /openapi.json has an example.",
            place=place,
            wanted=wanted,
        )


class MissingInput(InputDataError):
    """A request lacks the rows of an input."""

    code = "missing-input"

    def __init__(self, name: str, given: Iterable[str]) -> None:
        names = tuple(given)
        has = f"it has {_listed(names)}" if names else "it has none"
        super().__init__(
            f'The request has no rows for the input "{name}"; {has}.',
            remedy=f'Send them as {{"Inputs": {{"{name}": [...]}}}}.',
            input=name,
            given=list(names[:50]),
        )


class UnknownInput(InputDataError):
    """A request has rows for an input that the pipeline does not have."""

    code = "unknown-input"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = tuple(known)
        super().__init__(
            f'The pipeline has no input "{name}".',
            remedy=f"{suggestion(name, names)}Its inputs are {_listed(names)}.",
            input=name,
            known=list(names),
        )


class UnknownGlobalParameter(InputDataError):
    """A request sets a parameter that the pipeline does not have."""

    code = "unknown-global-parameter"

    def __init__(self, given: Any) -> None:
        super().__init__(
            f"GlobalParameters is {shown(given)}; this pipeline has no parameters to set.",
            remedy='Leave "GlobalParameters" out, or send {}.',
        )


class MissingRequestColumns(InputDataError):
    """A row of a request lacks columns."""

    code = "missing-request-columns"

    def __init__(self, name: str, row: int, columns: Iterable[str], given: Iterable[str]) -> None:
        lacking = tuple(columns)
        known = tuple(given)
        near = {c: nearest(c, known)[:1] for c in lacking}
        meant = ", ".join(f'"{near[c][0]}" for "{c}"' for c in lacking if near[c])
        super().__init__(
            f'Row {row} of input "{name}" lacks the column'
            f"{'s' if len(lacking) > 1 else ''} {_listed(lacking)}.",
            remedy=(f"It has {meant}: rename. " if meant else "")
            + "Send every column; null stands for a value that is not known.",
            input=name,
            row=row,
            columns=list(lacking[:50]),
            near={c: n[0] for c, n in near.items() if n},
        )


class UnexpectedColumn(InputDataError):
    """A row has a column that is not known but is named much like one it lacks."""

    code = "unexpected-column"

    def __init__(self, name: str, row: int, column: str, near: str) -> None:
        super().__init__(
            f'Row {row} of input "{name}" has the unknown column "{column}" and lacks "{near}".',
            remedy=f'Rename it to "{near}", or leave it out to use the default of "{near}".',
            input=name,
            row=row,
            column=column,
            near=near,
        )


class WrongValue(InputDataError):
    """A value of a request has the wrong type."""

    code = "wrong-value"

    def __init__(self, name: str, row: int, column: str, value: Any, wanted: str) -> None:
        super().__init__(
            f'Row {row} of input "{name}" has {shown(value)} in column "{column}"; '
            f"{wanted} is needed.",
            remedy="Send a value of that type, or null when it is not known.",
            input=name,
            row=row,
            column=column,
            value=shown(value),
            wanted=wanted,
        )


class MissingValue(InputDataError):
    """A value is null where the pipeline cannot do without."""

    code = "missing-value"

    def __init__(self, name: str, row: int, column: str) -> None:
        super().__init__(
            f'Row {row} of input "{name}" has no value in column "{column}", which must have one.',
            remedy="Send a value, or add Clean Missing Data to the pipeline.",
            input=name,
            row=row,
            column=column,
        )


class DuplicateRequestColumn(InputDataError):
    """A classic table names a column twice."""

    code = "duplicate-request-column"

    def __init__(self, name: str, column: str) -> None:
        super().__init__(
            f'"ColumnNames" of input "{name}" has "{column}" twice.',
            remedy="Name each column once.",
            input=name,
            column=column,
        )


class UnservablePipeline(ModelwrightError):
    """A graph that cannot answer requests."""

    code = "unservable-pipeline"

    def __init__(self, happened: str, remedy: str, *, node: str | None = None) -> None:
        super().__init__(happened, remedy=remedy, node=node)


class StepFailed(ModelwrightError):
    """A step of the pipeline refused the rows of a request; `cause` says why."""

    code = "step-failed"

    def __init__(self, node: str, title: str, cause: ModelwrightError) -> None:
        super().__init__(
            f'Step "{title}" ({node}): {cause.happened}',
            remedy=cause.remedy,
            node=node,
            title=title,
            cause=cause.to_json(),
        )
