"""Parameters: how a field of a component becomes a line of a form, and the types only forms know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticUndefined

from modelwright.components.columns import ColumnSelection
from modelwright.components.field_docstrings import field_docstrings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from modelwright.components.contract import Component


@dataclass(frozen=True, slots=True)
class Control:
    """Put into a field's annotation to name its form control and what the control must know.

    kind: "column" (one column), "code", "text" (several lines), "names" (comma-separated) …
    port: the input port whose columns are offered.  language: for code.
    """

    kind: str
    port: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Put into a field of type ColumnSelection to say which port's columns are chosen from."""

    port: str = "dataset"


class Shown:
    """Put into a field's annotation: the field matters only while others have these values.

    Shown(mode="Split Rows", randomized=True) asks for all; a tuple of values asks for one of them; of
    several in one annotation any will do.  A field that is not shown is left out of the settings, so it changes no result.
    """

    def __init__(self, **when: Any) -> None:
        self.when: dict[str, tuple[Any, ...]] = {
            name: value if isinstance(value, tuple) else (value,) for name, value in when.items()
        }


ColumnName = Annotated[str, Control("column", port="dataset")]
"""One column of the port "dataset"; empty when none is chosen."""

PythonCode = Annotated[str, Control("code", language="python")]
SqlCode = Annotated[str, Control("code", language="sql")]
RCode = Annotated[str, Control("code", language="r")]
LongText = Annotated[str, Control("text")]


class Range(BaseModel):
    """The values a sweep may try: a list, or a span cut into steps.

    values: tried as they are; when empty, `steps` values from minimum to maximum, evenly spaced on
    the scale.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    values: tuple[float, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    steps: int = 5
    scale: Literal["linear", "log"] = "linear"

    def points(self) -> tuple[float, ...]:
        """The values to try, in order.  Raises ValueError for a span that is not one."""
        if self.values:
            return self.values
        if self.minimum is None or self.maximum is None or self.steps < 1:
            raise ValueError("a range needs values, or a minimum, a maximum and steps")
        low, high = self.minimum, self.maximum
        if self.steps == 1:
            return (low,)
        shares = [i / (self.steps - 1) for i in range(self.steps)]
        if self.scale == "linear":
            return tuple(low + share * (high - low) for share in shares)
        if low <= 0 or high <= 0:
            raise ValueError("a range on a logarithmic scale needs bounds above 0")
        return tuple(low * (high / low) ** share for share in shares)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A line of a component's form.

    type: "int", "float", "bool", "string", "choice", "columns", "column", "code", "range", "json".
    choices: allowed values, for "choice".  visible_when: other parameter → values for which it shows.
    or_visible_when: other such conditions, each of which shows it as well.
    """

    name: str
    title: str
    type: str
    default: Any
    help: str
    required: bool = False
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    choices: tuple[Any, ...] = ()
    visible_when: Mapping[str, tuple[Any, ...]] | None = None
    or_visible_when: tuple[Mapping[str, tuple[Any, ...]], ...] = ()
    control: str = ""
    port: str | None = None
    language: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The line as JSON; what does not apply is left out."""
        out: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "type": self.type,
            "control": self.control,
            "default": self.default,
            "help": self.help,
            "required": self.required,
            "optional": self.optional,
        }
        if self.minimum is not None:
            out["minimum"] = self.minimum
            out["exclusive_minimum"] = self.exclusive_minimum
        if self.maximum is not None:
            out["maximum"] = self.maximum
            out["exclusive_maximum"] = self.exclusive_maximum
        if self.choices:
            out["choices"] = list(self.choices)
        if self.visible_when:
            out["visible_when"] = {k: list(v) for k, v in self.visible_when.items()}
        if self.or_visible_when:
            out["or_visible_when"] = [
                {k: list(v) for k, v in when.items()} for when in self.or_visible_when
            ]
        if self.port:
            out["port"] = self.port
        if self.language:
            out["language"] = self.language
        return out


def parameters_of(component: type[Component]) -> tuple[Parameter, ...]:
    """The parameters of a component class, in the order its fields are written."""
    help_texts = field_docstrings(component)
    return tuple(
        _parameter(name, field, help_texts.get(name, ""))
        for name, field in component.model_fields.items()
    )


def is_visible(parameter: Parameter, values: Mapping[str, Any]) -> bool:
    """Whether a parameter matters, given the values of the others as JSON."""
    return any(
        all(values.get(name) in allowed for name, allowed in when.items())
        for when in (parameter.visible_when or {}, *parameter.or_visible_when)
    )


def _parameter(name: str, field: FieldInfo, help_text: str) -> Parameter:
    inner, optional = _without_none(field.annotation)
    notes = [*field.metadata, *_notes(inner)]
    inner = get_args(inner)[0] if get_origin(inner) is Annotated else inner
    control = next((n for n in notes if isinstance(n, Control)), None)
    columns = next((n for n in notes if isinstance(n, Columns)), None)
    shown = [n.when for n in notes if isinstance(n, Shown)]
    kind, choices = _kind(inner, control)
    low, high = _bound(notes, "ge", "gt"), _bound(notes, "le", "lt")
    words = name.replace("_", " ")
    port = (control.port if control else None) or (columns.port if columns else None)
    return Parameter(
        name=name,
        title=field.title or words[:1].upper() + words[1:],
        type=kind,
        default=_default(field),
        help=field.description or help_text,
        required=field.is_required(),
        optional=optional,
        minimum=low[0],
        exclusive_minimum=low[1],
        maximum=high[0],
        exclusive_maximum=high[1],
        choices=choices,
        visible_when=shown[0] if shown else None,
        or_visible_when=tuple(shown[1:]),
        control=control.kind if control else kind,
        port=port or ("dataset" if kind == "columns" else None),
        language=control.language if control else None,
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    members = [a for a in get_args(annotation) if a is not type(None)]
    if type(None) in get_args(annotation) and len(members) == 1:
        return members[0], True
    return annotation, False


def _notes(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is not Annotated:
        return ()
    found: list[Any] = []
    for note in get_args(annotation)[1:]:
        found.extend(getattr(note, "metadata", ()) or (note,))
    return tuple(found)


def _kind(annotation: Any, control: Control | None) -> tuple[str, tuple[Any, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation)
    if annotation is ColumnSelection:
        return "columns", ()
    if annotation is Range:
        return "range", ()
    if control is not None and control.kind in ("column", "code"):
        return control.kind, ()
    plain = {bool: "bool", int: "int", float: "float", str: "string"}
    return plain.get(annotation, "json"), ()


def _bound(notes: list[Any], closed: str, opened: str) -> tuple[float | None, bool]:
    kinds = {
        "ge": annotated_types.Ge,
        "gt": annotated_types.Gt,
        "le": annotated_types.Le,
        "lt": annotated_types.Lt,
    }
    for note in notes:
        if isinstance(note, kinds[closed]):
            return getattr(note, closed), False
        if isinstance(note, kinds[opened]):
            return getattr(note, opened), True
    return None, False


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return None
    if isinstance(value, tuple):
        return [v.model_dump(mode="json") if isinstance(v, BaseModel) else v for v in value]
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
