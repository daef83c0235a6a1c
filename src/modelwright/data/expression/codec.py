"""Formulas as JSON: stable, versioned, and exact for every value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from modelwright.data.errors import ModelwrightError
from modelwright.data.expression.errors import MalformedFormula
from modelwright.data.expression.nodes import Expression
from modelwright.data.expression.scalars import decoded, encoded
from modelwright.data.expression.steps import Compute, Drop, Filter, Keep, Rename, Step

FORMAT = "modelwright-formula"
VERSION = 1

T = TypeVar("T")


def formula_to_json(steps: tuple[Step, ...]) -> dict[str, Any]:
    """The steps as one JSON object; lists where the order counts, pairs where keys are values."""
    return {"format": FORMAT, "version": VERSION, "steps": [_step_to_json(s) for s in steps]}


def formula_from_json(value: Any) -> tuple[Step, ...]:
    """Read what `formula_to_json` wrote.  Raises MalformedFormula."""
    match value:
        case {"format": "modelwright-formula", "version": 1, "steps": [*steps]}:
            return tuple(_checked(_step_from_json, s) for s in steps)
        case {"format": "modelwright-formula", "version": version}:
            raise MalformedFormula(f"it has version {version!r}, and {VERSION} is the newest known")
    raise MalformedFormula("it does not say that it is one")


def expression_to_json(expression: Expression) -> dict[str, Any]:
    """An expression as a JSON object with its tag under "is"."""
    found: dict[str, Any] = {"is": expression.tag}
    for field in fields(expression):  # type: ignore[arg-type]
        found[field.name] = _part_to_json(getattr(expression, field.name))
    return found


def expression_from_json(value: Any) -> Expression:
    """Read what `expression_to_json` wrote.  Raises MalformedFormula."""
    return _checked(_expression_from_json, value)


def _checked(read: Callable[[Any], T], value: Any) -> T:
    try:
        return read(value)
    except MalformedFormula:
        raise
    except RecursionError as error:
        raise MalformedFormula("it is nested too deeply") from error
    except (ModelwrightError, TypeError, ValueError) as error:
        # Pieces that no expression can be built of: the formula was not written by `to_json`.
        raise MalformedFormula(str(error)) from error


def _part_to_json(value: Any) -> Any:
    if isinstance(value, Expression):
        return expression_to_json(value)
    if isinstance(value, tuple):
        return [_part_to_json(v) for v in value]
    return encoded(value)


def _part_from_json(value: Any) -> Any:
    if isinstance(value, Mapping) and "is" in value:
        return _expression_from_json(value)
    if isinstance(value, list):
        return tuple(_part_from_json(v) for v in value)
    return decoded(value)


def _expression_from_json(value: Any) -> Expression:
    match value:
        case {"is": str(tag), **found}:
            if kind := Expression.tags.get(tag):
                return kind(**{str(name): _part_from_json(part) for name, part in found.items()})
            raise MalformedFormula(f'no expression is called "{tag}"')
    raise MalformedFormula(f"{str(value)[:80]} is not an expression")


def _step_to_json(step: Step) -> dict[str, Any]:
    match step:
        case Compute(columns):
            return {
                "do": "compute",
                "columns": [[n, expression_to_json(e)] for n, e in columns.items()],
            }
        case Keep(names):
            return {"do": "keep", "names": list(names)}
        case Drop(names):
            return {"do": "drop", "names": list(names)}
        case Rename(pairs):
            return {"do": "rename", "names": [list(p) for p in pairs]}
        case Filter(condition, reason):
            return {"do": "filter", "condition": expression_to_json(condition), "reason": reason}


def _step_from_json(value: Any) -> Step:
    match value:
        case {"do": "compute", "columns": [*pairs]}:
            return Compute({n: _expression_from_json(e) for n, e in pairs})
        case {"do": "keep", "names": [*names]}:
            return Keep(names)
        case {"do": "drop", "names": [*names]}:
            return Drop(names)
        case {"do": "rename", "names": [*pairs]}:
            return Rename(dict(pairs))
        case {"do": "filter", "condition": condition, "reason": reason}:
            return Filter(_expression_from_json(condition), reason)
    raise MalformedFormula(f"{str(value)[:80]} is not a step")
