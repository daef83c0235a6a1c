"""What holds for every component of the library."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from modelwright.components.contract import Bypass, Component, Replay
from modelwright.components.library import library
from modelwright.components.outline import (
    ModelOutline,
    Outline,
    TableOutline,
    TransformOutline,
    outline_of,
)
from modelwright.data.artifact import Artifact
from modelwright.data.errors import ModelwrightError
from modelwright.data.fitted import Model, Transform
from modelwright.data.schema import MissingColumn
from modelwright.data.table import Table
from tests.contract.awkward import AWKWARD
from tests.contract.examples import (
    SOURCES,
    Example,
    configured,
    examples,
    inputs_of,
    saved,
    work,
)

IDS = sorted(c.__component__.id for c in library())
RUNNABLE = [component_id for component_id in IDS if component_id not in SOURCES]
CASES = [
    pytest.param(component_id, example, id=f"{component_id}-{at}")
    for component_id in RUNNABLE
    for at, example in enumerate(examples(component_id))
]
KNOWN_IDS = Path(__file__).parent / "snapshots" / "component_ids.txt"

REPLAYED = [
    case for case in CASES if isinstance(library().spec(str(case.values[0])).at_inference, Replay)
]
FORMULATED = [
    case for case in CASES if library().find(str(case.values[0])).formula is not Component.formula
]

every_component = pytest.mark.parametrize("component_id", IDS)
every_example = pytest.mark.parametrize(("component_id", "example"), CASES)


def sentences(texts: Iterable[str]) -> bool:
    """Whether each text begins and ends as a sentence does."""
    return all(t and not t[0].islower() and t.rstrip()[-1] in '.?!"' for t in texts)


def assert_names_a_port(error: ModelwrightError, component: Component) -> None:
    """A port that an error names must be one of the component's, as a user sees it."""
    port = error.fields.get("port")
    assert port is None or component.__component__.input(port) is not None, error.happened


@every_component
def test_it_is_documented(component_id: str) -> None:
    spec = library().spec(component_id)

    assert spec.summary.endswith(".")
    assert spec.title
    assert sentences([spec.documentation])
    for parameter in spec.parameters:
        assert parameter.title, parameter.name
        assert sentences([parameter.help]), f"{parameter.name}: {parameter.help!r}"
    for port in (*spec.inputs, *spec.outputs):
        assert port.title


@every_component
def test_it_has_a_file_of_its_own(component_id: str) -> None:
    spec = library().spec(component_id)

    stem = Path(inspect.getfile(spec.owner)).stem
    assert stem.replace("_", "-") == component_id
    folder = Path(inspect.getfile(spec.owner)).parent.name
    assert folder.replace("_", " ") == spec.category.rpartition("/ ")[2].replace("-", " ").lower()


@every_component
def test_its_description_is_plain_json(component_id: str) -> None:
    described = library().spec(component_id).to_json()

    assert json.loads(json.dumps(described)) == described
    names = [p["name"] for p in described["parameters"]]
    assert len(set(names)) == len(names)
    for parameter in described["parameters"]:
        for other in parameter.get("visible_when", {}):
            assert other in names


@every_example
def test_its_parameters_survive_json(component_id: str, example: Example) -> None:
    component = configured(component_id, example)

    text = json.dumps(component.model_dump(mode="json"))

    assert type(component).parse(json.loads(text)) == component
    again = type(component).parse(json.loads(json.dumps(component.settings())))
    assert again.settings() == component.settings()


@every_example
def test_it_gives_what_its_ports_promise(component_id: str, example: Example) -> None:
    component = configured(component_id, example)

    outputs = work(component, inputs_of(component, example))

    for port in component.__component__.outputs:
        assert port.optional or isinstance(outputs[port.name], port.type)


@every_example
def test_it_leaves_its_inputs_alone(component_id: str, example: Example, tmp_path: Path) -> None:
    component = configured(component_id, example)
    inputs = inputs_of(component, example)
    before = {name: saved(value, tmp_path / "before" / name) for name, value in inputs.items()}

    work(component, inputs)

    after = {name: saved(value, tmp_path / "after" / name) for name, value in inputs.items()}
    assert after == before


@every_example
def test_equal_inputs_give_equal_results(
    component_id: str, example: Example, tmp_path: Path
) -> None:
    component = configured(component_id, example)
    if not component.__component__.deterministic:
        pytest.skip("it says that it is not deterministic")

    found = []
    for turn in ("once", "again"):
        outputs = work(component, inputs_of(component, example))
        found.append(
            {
                name: saved(value, tmp_path / turn / name)
                for name, value in outputs.items()
                if value is not None
            }
        )

    assert found[0] == found[1]


@pytest.mark.parametrize("emptied", ["without rows", "without values", "one row"])
@every_example
def test_too_little_data_gives_a_result_or_a_clear_error(
    component_id: str, example: Example, emptied: str
) -> None:
    component = configured(component_id, example)
    inputs = inputs_of(component, example)
    change = {"without rows": _rowless, "without values": _valueless, "one row": _first}[emptied]

    error: ModelwrightError | None = None
    try:
        work(component, {n: change(v) for n, v in inputs.items()})
    except ModelwrightError as raised:
        error = raised

    if error is not None:
        assert error.code != "component-error"
        assert sentences([error.happened, error.remedy])
        assert_names_a_port(error, component)


@pytest.mark.parametrize("awkward", AWKWARD)
@every_example
def test_awkward_data_give_a_result_or_a_clear_error(
    component_id: str, example: Example, awkward: str
) -> None:
    table = AWKWARD[awkward]()
    inputs = inputs_of(configured(component_id, example), example)
    given = {n: table if isinstance(v, Table) else v for n, v in inputs.items()}
    errors = []
    component = configured(component_id, example)

    for adapted in _adapted(component, table):
        try:
            work(adapted, given)
        except ModelwrightError as raised:
            errors.append(raised)

    assert all(sentences([error.happened, error.remedy]) for error in errors)
    for error in errors:
        assert_names_a_port(error, component)


@every_example
def test_an_unknown_column_is_told_with_the_port_it_is_not_on(
    component_id: str, example: Example
) -> None:
    component = configured(component_id, example)
    inputs = inputs_of(component, example)
    asked = [p for p in component.__component__.parameters if p.type in ("column", "columns")]

    for parameter in asked:
        assert component.__component__.input(parameter.port or "") is not None
        values = component.model_dump(mode="json")
        # What else must be chosen for the parameter to count.
        values |= {name: allowed[0] for name, allowed in (parameter.visible_when or {}).items()}
        values[parameter.name] = ["nowhere"] if parameter.type == "columns" else "nowhere"
        changed = type(component).parse(values)
        if parameter.name not in changed.settings():
            continue
        with pytest.raises(ModelwrightError) as raised:
            work(changed, inputs)
        assert_names_a_port(raised.value, component)
        # With only that changed, other settings may no longer fit.
        if isinstance(raised.value, MissingColumn):
            assert raised.value.fields["port"] == parameter.port


@every_example
def test_what_is_known_before_a_run_is_what_the_run_gives(
    component_id: str, example: Example
) -> None:
    component = configured(component_id, example)
    inputs = inputs_of(component, example)
    outputs = work(component, inputs)

    known = component.outline(**_outlines(component, inputs))

    assert known.keys() == {p.name for p in component.__component__.outputs}
    for name, value in outputs.items():
        _assert_agrees(known[name], value)


@every_example
def test_nothing_known_of_the_inputs_is_no_mistake(component_id: str, example: Example) -> None:
    component = configured(component_id, example)
    ports = component.__component__

    known = component.outline(**dict.fromkeys(p.name for p in ports.inputs))

    assert known.keys() == {p.name for p in ports.outputs}


@pytest.mark.parametrize(("component_id", "example"), FORMULATED)
def test_its_formula_is_its_work(component_id: str, example: Example) -> None:
    component = configured(component_id, example)
    inputs = inputs_of(component, example)
    tables = [v for v in inputs.values() if isinstance(v, Table)]
    formula = component.formula(tables[0].schema)
    if formula is None:
        pytest.skip("with these settings its work is no formula")

    (result,) = work(component, inputs).values()

    assert isinstance(result, Table)
    assert formula.apply(tables[0].frame).equals(result.frame, null_equal=True)
    program = formula.compile_rows(tables[0].schema)
    rows = [program.score(row) for row in tables[0].frame.to_dicts()]
    assert repr(rows) == repr(result.frame.to_dicts())


@pytest.mark.parametrize(("component_id", "example"), REPLAYED)
def test_what_it_learnt_does_the_same_again(
    component_id: str, example: Example, tmp_path: Path
) -> None:
    component = configured(component_id, example)
    place = component.__component__.at_inference
    assert isinstance(place, Replay)
    inputs = inputs_of(component, example)

    outputs = work(component, inputs)

    fitted, result, rows = outputs[place.fitted], outputs[place.result], inputs[place.port]
    assert isinstance(fitted, Transform)
    assert isinstance(result, Table)
    assert isinstance(rows, Table)
    saved(fitted, tmp_path / "fitted")
    again = Transform.load(tmp_path / "fitted").apply(rows)
    assert again.frame.equals(result.frame, null_equal=True)
    assert again.schema == result.schema
    program = fitted.formula.compile_rows(rows.schema, natives=fitted.natives)
    replies = [program.score(row) for row in rows.frame.to_dicts()]
    kept = [reply for reply in replies if isinstance(reply, dict)]
    assert repr(kept) == repr(result.frame.to_dicts())


@every_component
def test_what_stands_for_it_at_inference_names_its_ports(component_id: str) -> None:
    spec = library().spec(component_id)
    match spec.at_inference:
        case Bypass(port):
            found = spec.input(port)
            assert found is not None
            assert issubclass(found.type, Table)
        case Replay(port, fitted, result):
            rows, learnt, given = spec.input(port), spec.output(fitted), spec.output(result)
            assert rows is not None
            assert learnt is not None
            assert given is not None
            assert (rows.type, learnt.type, given.type) == (Table, Transform, Table)


def test_an_id_is_for_ever() -> None:
    known = KNOWN_IDS.read_text(encoding="utf-8").split()

    lost = [component_id for component_id in known if component_id not in library()]
    new = [component_id for component_id in IDS if component_id not in known]
    assert not lost, "a renamed component lists its former id under `replaces`"
    assert not new, f"add to {KNOWN_IDS.name}, in their places"
    assert known == sorted(known)


def test_the_palette_loads_no_heavy_library() -> None:
    source = (
        "import json, sys\n"
        "from modelwright.components.library import library\n"
        "described = [c.__component__.to_json() for c in library()]\n"
        "print(json.dumps([len(described), sorted(sys.modules)]))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )

    count, loaded = json.loads(done.stdout)
    assert count == len(IDS)
    heavy = {"sklearn", "pandas", "lightgbm", "scipy", "pyarrow", "duckdb", "imblearn", "torch"}
    assert heavy.isdisjoint(loaded)


def _adapted(component: Component, table: Table) -> Iterator[Component]:
    """The component as it is, and with its column parameters set to what the table has."""
    yield component
    values = component.model_dump(mode="json")
    last = table.schema.names[-1] if len(table.schema) else ""
    for selection in ({"begin": "all"}, {"rules": [{"types": ["Numeric"]}]}):
        for parameter in component.__component__.parameters:
            if parameter.type in ("columns", "column"):
                values[parameter.name] = selection if parameter.type == "columns" else last
        yield type(component).parse(values)


def _rowless(value: Artifact) -> Artifact:
    return value.of(value.frame.clear()) if isinstance(value, Table) else value


def _valueless(value: Artifact) -> Artifact:
    if not isinstance(value, Table):
        return value
    return value.of(value.frame.with_columns(pl.when(False).then(pl.all()).name.keep()))


def _first(value: Artifact) -> Artifact:
    return value.of(value.frame.head(1)) if isinstance(value, Table) else value


def _outlines(component: object, inputs: dict[str, Artifact]) -> dict[str, Outline | None]:
    return {name: outline_of(value) for name, value in inputs.items()}


def _assert_agrees(known: Outline | None, value: Artifact | None) -> None:
    match known:
        case TableOutline(schema, complete, rows):
            assert isinstance(value, Table)
            found = {c.name: c for c in value.schema}
            assert [found.get(c.name) for c in schema] == list(schema)
            assert not complete or value.schema == schema
            assert rows is None or value.rows == rows
        case TransformOutline(reads, gives):
            assert isinstance(value, Transform)
            assert value.formula.required() >= set(reads)
            assert gives is None or isinstance(gives, TableOutline)
        case ModelOutline(task, label, features, scores):
            assert isinstance(value, Model)
            assert value.task is task
            assert label is None or value.label == label
            assert features is None or value.features.names == features.names
            assert scores is None or _plain(value.scores) == _plain(scores)


def _plain(columns: Iterable[object]) -> list[object]:
    # The class that a probability speaks of is only known from the rows.
    return [replace(c, score=None) for c in columns]  # type: ignore[type-var]
