"""What a component is: parameters are fields, ports are the annotations of `run`."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Self,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, ConfigDict
from pydantic import ValidationError as PydanticError

from modelwright.components.columns import ColumnSelection
from modelwright.components.context import Context
from modelwright.components.errors import InvalidParameter
from modelwright.components.outline import Outline
from modelwright.components.parameters import Parameter, is_visible, parameters_of
from modelwright.data.artifact import Artifact
from modelwright.data.schema import Schema

if TYPE_CHECKING:
    from modelwright.data.expression import Formula


@dataclass(frozen=True, slots=True)
class Keep:
    """In an inference pipeline the component stays and works on each request."""


@dataclass(frozen=True, slots=True)
class Bypass:
    """In an inference pipeline the component falls away: `port`'s data go straight on."""

    port: str


@dataclass(frozen=True, slots=True)
class Replay:
    """In an inference pipeline what it learnt is applied again, and nothing is learnt anew.

    port: the input that carries the rows.  fitted: the output that carries the Transform.
    result: the output that carries the rows.
    """

    port: str
    fitted: str
    result: str


AtInference = Keep | Bypass | Replay


@dataclass(frozen=True, slots=True)
class Titled:
    """Put into a port's annotation when its title is not its name with blanks."""

    title: str


@dataclass(frozen=True, slots=True)
class Port:
    """A port: its name in files, its title on screen, and the type of artifact it carries."""

    name: str
    title: str
    type: type[Artifact]
    optional: bool = False
    help: str = ""

    def to_json(self) -> dict[str, Any]:
        """The port as the palette's JSON; `optional` and `help` too."""
        return {
            "name": self.name,
            "title": self.title,
            "type": self.type.kind,
            "optional": self.optional,
            "help": self.help,
        }


@dataclass(frozen=True)
class ComponentSpec:
    """All that is known of a component class, read once from the class itself.

    replaces: former ids that stand for it.  hidden: kept out of the palette.
    deterministic: equal inputs and parameters give equal results, so results may be reused.
    """

    id: str
    title: str
    category: str
    version: int
    at_inference: AtInference
    replaces: tuple[str, ...]
    hidden: bool
    deterministic: bool
    owner: type[Component]

    @cached_property
    def inputs(self) -> tuple[Port, ...]:
        """Input ports, leftmost first."""
        return _inputs(self.owner)

    @cached_property
    def outputs(self) -> tuple[Port, ...]:
        """Output ports, leftmost first."""
        return _outputs(self.owner)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters in the order of the form."""
        return parameters_of(self.owner)

    @property
    def summary(self) -> str:
        """The palette's tooltip: the first line of the class's docstring."""
        return inspect.cleandoc(self.owner.__doc__ or "").partition("\n")[0]

    @property
    def documentation(self) -> str:
        """The class's docstring, whole."""
        return inspect.cleandoc(self.owner.__doc__ or "")

    def input(self, name: str) -> Port | None:
        """The input port of that name, or None."""
        return next((p for p in self.inputs if p.name == name), None)

    def output(self, name: str) -> Port | None:
        """The output port of that name, or None."""
        return next((p for p in self.outputs if p.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """The description every face is made from: palette, form, command line, documentation."""
        return {
            "id": self.id,
            "title": self.title,
            "category": self.category,
            "version": self.version,
            "summary": self.summary,
            "documentation": self.documentation,
            "hidden": self.hidden,
            "at_inference": type(self.at_inference).__name__.lower(),
            "inputs": [p.to_json() for p in self.inputs],
            "outputs": [p.to_json() for p in self.outputs],
            "parameters": [p.to_json() for p in self.parameters],
        }


class Component(BaseModel):
    """A step of a pipeline, configured: fields are its parameters, `run` is its work.

    A subclass states its place with class keywords (category, title, version, at_inference,
    replaces, hidden, deterministic), documents itself and every field, and writes

        def run(self, dataset: Table, *, context: Context) -> Table: ...

    Parameters of `run` that are annotated with an Artifact class are input ports (`| None` makes one
    optional), a keyword-only `context` is given when asked for, and the annotated result is the
    output: one Artifact, a NamedTuple of Artifacts (a port each), or None.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        # Most components of the palette are listed but not used in a process.
        defer_build=True,
    )

    __component__: ClassVar[ComponentSpec]

    def __init_subclass__(
        cls,
        *,
        category: str | None = None,
        title: str | None = None,
        version: int = 1,
        at_inference: AtInference | None = None,
        replaces: tuple[str, ...] = (),
        hidden: bool = False,
        deterministic: bool = True,
        **kwargs: Any,
    ) -> None:
        """Read the class keywords; a class without a category is a partial one, not a component."""
        super().__init_subclass__(**kwargs)
        if category is None:
            return
        words = title_of(cls.__name__)
        cls.__component__ = ComponentSpec(
            id=words.lower().replace(" ", "-"),
            # Pydantic takes the keyword for its own setting of that name.
            title=title or cls.model_config.get("title") or words,
            category=category,
            version=version,
            at_inference=at_inference or Keep(),
            replaces=replaces,
            hidden=hidden,
            deterministic=deterministic,
            owner=cls,
        )

    @classmethod
    def parse(cls, parameters: Mapping[str, Any]) -> Component:
        """The configured component.  Raises InvalidParameter for the first value not allowed."""
        try:
            return cls.model_validate(dict(parameters))
        except PydanticError as error:
            raise invalid_parameters(cls, error)[0] from None

    def settings(self) -> dict[str, Any]:
        """The parameters that matter, as JSON: those hidden by another's value are left out."""
        values = self.model_dump(mode="json")
        return {
            p.name: values[p.name] for p in self.__component__.parameters if is_visible(p, values)
        }

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Do the work.  Each component overrides this with its ports as annotations."""
        raise NotImplementedError(type(self).__name__)

    def without_column(self, column: str, schema: Schema) -> Component | None:
        """The same work on data that lack a column, or None when nothing is left to do.

        schema: of the data with the column.  Used where the label falls away from a request.
        """
        changed: dict[str, Any] = {}
        values = self.model_dump(mode="json")
        for parameter in self.__component__.parameters:
            value = getattr(self, parameter.name)
            if not is_visible(parameter, values):
                continue
            if isinstance(value, ColumnSelection) and not value.is_empty:
                changed[parameter.name] = value.without(column, schema)
                if changed[parameter.name].is_empty:
                    return None
            elif parameter.type == "column" and value == column:
                return None
        return self.model_copy(update=changed)

    def formula(self, schema: Schema) -> Formula | None:
        """The work as a formula over a table of that schema, or None when it is more than that.

        A component that gives one runs by applying it, so a compiled scorer cannot differ from a run.
        """
        return None

    def as_frozen(self) -> Self:
        """The component as it stays in an inference pipeline, with nothing left open that training knew."""
        return self

    def beside_request(self, ports: Collection[str]) -> Component | Bypass | None:
        """What it becomes where requests bring the rows of these inputs, and those of others stay.

        None where the rows of a request would stand beside rows that they do not belong to.
        """
        return self

    @property
    def learns_from_rows(self) -> bool:
        """Whether, with these settings, what it makes of a row depends on the values of other rows."""
        return isinstance(self.__component__.at_inference, Replay)

    def folded(self, connected: Collection[str]) -> str | None:
        """The input whose rows it divides itself, to measure on some what it trained on others.

        connected: its inputs that something leads to.
        """
        return None

    @property
    def always_runs(self) -> str | None:
        """Why it runs anew each time with these settings, as a sentence; None where results are reused."""
        return None

    @property
    def reuse_note(self) -> str:
        """What a reader of a plan should know when a result is reused, as a sentence; mostly nothing."""
        return ""

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        """What the outputs will look like, from what is known of the inputs, before any run.

        inputs: by port name; None where nothing is known.  The result has an entry per output port;
        None where nothing can be said.  Raises ModelwrightError for what is already known to fail.
        """
        return dict.fromkeys((p.name for p in self.__component__.outputs), None)


def invalid_parameters(
    component: type[Component], error: PydanticError
) -> tuple[InvalidParameter, ...]:
    """Each fault that the validation found, told in our form with the parameter's title."""
    titles = {p.name: p.title for p in component.__component__.parameters}
    found = []
    for fault in error.errors(include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        inner = ".".join(str(part) for part in fault["loc"][1:])
        why = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            why = "the component has no such parameter"
        why = f"at {inner}: {why}" if inner else why
        found.append(
            InvalidParameter(
                titles.get(name, name), fault["input"], why[:1].lower() + why[1:].rstrip(".")
            )
        )
    return tuple(found)


def title_of(name: str) -> str:
    """A class or field name as words: SplitData → Split Data, OneVsAll → One Vs All."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", " ", name).strip()


def _hints(function: Any) -> dict[str, Any]:
    # Where it was written: a component may inherit it from another module.
    module = sys.modules[function.__module__]
    return get_type_hints(function, vars(module), include_extras=True)


def _artifact(annotation: Any) -> tuple[type[Artifact] | None, bool, str | None]:
    """The artifact class, whether None is allowed, and the title in an annotation."""
    title = None
    if get_origin(annotation) is Annotated:
        inner, *notes = get_args(annotation)
        title = next((n.title for n in notes if isinstance(n, Titled)), None)
        annotation = inner
    members = get_args(annotation) or (annotation,)
    optional = type(None) in members
    kinds = [m for m in members if isinstance(m, type) and issubclass(m, Artifact)]
    return (kinds[0] if kinds else None), optional, title


def _port(name: str, annotation: Any) -> Port | None:
    kind, optional, title = _artifact(annotation)
    if kind is None:
        return None
    words = name.replace("_", " ")
    return Port(name, title or words[:1].upper() + words[1:], kind, optional)


def _inputs(owner: type[Component]) -> tuple[Port, ...]:
    hints = _hints(owner.run)
    names = [n for n in inspect.signature(owner.run).parameters if n in hints]
    ports = [_port(n, hints[n]) for n in names if hints[n] is not Context]
    return tuple(p for p in ports if p)


def _outputs(owner: type[Component]) -> tuple[Port, ...]:
    result = _hints(owner.run).get("return", type(None))
    if isinstance(result, type) and issubclass(result, tuple) and hasattr(result, "_fields"):
        fields = get_type_hints(result, vars(sys.modules[result.__module__]), include_extras=True)
        ports = [_port(n, a) for n, a in fields.items()]
        return tuple(p for p in ports if p)
    if result is type(None):
        return ()
    kind, optional, title = _artifact(result)
    if kind is None:
        return ()
    name = kind.kind.replace("-", "_") if title is None else _identifier(title)
    return (Port(name, title or kind.title, kind, optional),)


def _identifier(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")


def outputs_by_port(component: Component, result: Any) -> dict[str, Artifact | None]:
    """What `run` gave, by output port."""
    ports = component.__component__.outputs
    if not ports:
        return {}
    if isinstance(result, tuple):
        return dict(zip((p.name for p in ports), result, strict=True))
    return {ports[0].name: result}
