from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.components.columns import ColumnRule
from modelwright.components.library import library
from modelwright.components.palette.data_transformation.clean_missing_data import CleanMissingData
from modelwright.data.expression import Compute, Filter, Formula, column
from modelwright.data.fitted import Transform
from modelwright.data.schema import ColumnType
from modelwright.data.table import Table
from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire
from modelwright.inference.chains import make_plan, unread
from modelwright.inference.crossover import with_crossovers
from modelwright.inference.errors import MissingRequestColumns, StepFailed, UnservablePipeline
from modelwright.inference.plan import ScoringPlan
from modelwright.inference.reply import encode
from modelwright.inference.request import Request, RequestReader
from modelwright.inference.scorer import CompiledSteps, Scorer, Shape, natives_of
from modelwright.inference.serving import ReplyOutput, Serving
from tests.inference.cars import (
    UNUSED,
    car_prices,
    car_request,
    car_rows,
    cars,
    chain,
    digest_of,
    fitted,
    select,
)

OUTPUT = "WebServiceOutput0"


def steps_of(serving: Serving, *, crossover: int | None) -> CompiledSteps:
    plan = replace(make_plan(serving, library()), crossover=crossover)

    def native(place: Any) -> Any:
        artifact: Any = serving.artifacts[place.digest]
        return artifact.natives[place.name]

    return CompiledSteps(plan, serving.inputs, native)


def typed(serving: Serving, body: bytes) -> Request:
    return RequestReader(serving.inputs).read(body)


def by_hand(frame: pl.DataFrame) -> tuple[list[float], list[int]]:
    """Predicted prices of complete rows and the places of the others, by the components."""
    cleaning, model = fitted()
    numbered = frame.drop("price", UNUSED).with_row_index("row")
    whole = numbered.drop_nulls()
    scored = model.score(cleaning.apply(Table(whole.drop("row"))))
    lost = set(numbered["row"].to_list()) - set(whole["row"].to_list())
    return scored.frame["Scored Labels"].to_list(), sorted(lost)


def test_prices_of_cars_are_those_of_the_components_and_incomplete_cars_are_reported() -> None:
    scorer = Scorer(car_prices())
    assert scorer.plan.is_compiled
    reply = scorer.score({"WebServiceInput0": car_rows()})
    prices, lost = by_hand(cars())
    assert [r["Scored Labels"] for r in reply.results[OUTPUT]] == prices
    assert [d.row for d in reply.dropped] == lost
    assert len(lost) > 0
    assert {(d.input, d.node, d.title) for d in reply.dropped} == {
        ("WebServiceInput0", "clean", "Clean Missing Data")
    }


def test_a_reply_has_the_prepared_columns_in_order_and_the_score_last() -> None:
    reply = Scorer(car_prices()).score({"WebServiceInput0": car_rows(cars()[2:3])})
    wanted = [c for c in cars().columns if c not in (UNUSED, "price")] + ["Scored Labels"]
    assert [*reply.results[OUTPUT][0]] == wanted


def test_dropped_rows_stand_beside_the_results_and_only_when_there_are_some() -> None:
    scorer = Scorer(car_prices())
    good, bad = car_rows(cars()[2:4])
    bad["bore"] = None
    assert "Dropped" not in json.loads(scorer.answer(car_request(good)))
    found = json.loads(scorer.answer(car_request(bad, good)))
    assert len(found["Results"][OUTPUT]) == 1
    (dropped,) = found["Dropped"]
    assert dropped["input"] == "WebServiceInput0"
    assert dropped["row"] == 0
    assert dropped["node"] == "Clean Missing Data"
    assert dropped["reason"]


def test_chosen_columns_are_the_only_ones_in_the_reply() -> None:
    scorer = Scorer(car_prices(chosen=("Scored Labels", "make")))
    whole = Scorer(car_prices()).score({"WebServiceInput0": car_rows()})
    few = scorer.score({"WebServiceInput0": car_rows()})
    assert few.results[OUTPUT] == [
        {"Scored Labels": r["Scored Labels"], "make": r["make"]} for r in whole.results[OUTPUT]
    ]
    assert few.dropped == whole.dropped


def test_no_rows_get_no_rows() -> None:
    assert Scorer(car_prices()).score({"WebServiceInput0": []}).results == {OUTPUT: []}


def test_a_missing_column_is_refused() -> None:
    row = car_rows(cars()[2:3])[0]
    del row["make"]
    with pytest.raises(MissingRequestColumns):
        Scorer(car_prices()).score({"WebServiceInput0": [row]})


def test_classic_tables_have_names_values_and_types_when_asked() -> None:
    scorer = Scorer(car_prices(chosen=("make", "Scored Labels")))
    row = car_rows(cars()[2:3])[0]
    table = {"ColumnNames": [*row], "Values": [[*row.values()]]}
    body = json.dumps({"Inputs": {"input1": table}}).encode()
    plain = json.loads(scorer.answer(body, Shape(tables=True)))
    assert plain[OUTPUT]["type"] == "DataTable"
    assert plain[OUTPUT]["value"]["ColumnNames"] == ["make", "Scored Labels"]
    assert plain[OUTPUT]["value"]["Values"][0][0] == "alfa-romero"
    assert "ColumnTypes" not in plain[OUTPUT]["value"]
    typed = json.loads(scorer.answer(body, Shape(tables=True, details=True)))
    assert typed[OUTPUT]["value"]["ColumnTypes"] == ["String", "Double"]


def test_numbers_that_json_lacks_come_back_as_objects() -> None:
    formula = Formula(
        Compute(
            {
                "nan": column("bore") / 0.0 * 0.0,
                "above": column("bore") / 0.0,
                "below": -column("bore") / 0.0,
            }
        )
    )
    reply = json.loads(Scorer(transforming(formula)).answer(car_request()))
    found = reply["Results"][OUTPUT][0]
    assert found["nan"] == {"isNan": True}
    assert found["above"] == {"isInfinite": 1}
    assert found["below"] == {"isInfinite": -1}


def transforming(*formulas: Formula, titles: tuple[str, ...] = ()) -> Serving:
    """A serving that applies transformations to the cars, one after another."""
    nodes = {"in": Node("web-service-input"), "out": Node("web-service-output")}
    artifacts: dict[Any, Any] = {}
    wires = []
    source = "in.web_service_input"
    schema = Table(cars().drop("price")).schema
    for n, formula in enumerate(formulas):
        digest = digest_of(f"t{n}")
        artifacts[digest] = Transform(formula, schema)
        title = titles[n] if titles else ""
        nodes[f"saved{n}"] = Node("saved-transformation", parameters={"digest": digest})
        nodes[f"apply{n}"] = Node("apply-transformation", title=title)
        wires += [(f"saved{n}.transformation", f"apply{n}.transformation")]
        wires += [(source, f"apply{n}.dataset")]
        source = f"apply{n}.transformed_dataset"
        schema = formula.outputs(schema)
    return chain(nodes, (*wires, (source, "out.data")), artifacts)


def test_each_dropped_row_names_the_step_that_dropped_it() -> None:
    serving = transforming(
        Formula(Filter(column("horsepower") > 100, "too weak")),
        Formula(Filter(column("bore") > 3.0, "too narrow")),
        titles=("Power", "Bore"),
    )
    rows = car_rows(cars()[:40])
    for crossover in (None, 0):
        reply = steps_of(serving, crossover=crossover).run(typed(serving, car_request(*rows)))
        by_step = {
            title: [d.row for d in reply.dropped if (d.title, d.reason) == (title, reason)]
            for title, reason in (("Power", "too weak"), ("Bore", "too narrow"))
        }
        assert by_step == {
            "Power": [n for n, r in enumerate(rows) if not r["horsepower"] > 100],
            "Bore": [n for n, r in enumerate(rows) if r["horsepower"] > 100 and not r["bore"] > 3],
        }


def _mixed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, st.none())


_DOUBLES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(0, 300).map(lambda v: round(v, 1)),
    st.sampled_from([{"isNan": True}, {"isInfinite": 1}, {"isInfinite": -1}]),
)
_BY_TYPE = {
    ColumnType.DOUBLE: _DOUBLES,
    ColumnType.INTEGER: st.integers(-(2**63), 2**63 - 1) | st.integers(0, 300),
    ColumnType.STRING: st.text(max_size=3) | st.sampled_from(["gas", "diesel", "bmw", "four"]),
}


@st.composite
def car_like(draw: st.DrawFn) -> list[dict[str, Any]]:
    whole = car_rows(cars()[:60])
    rows = draw(st.lists(st.sampled_from(whole), min_size=1, max_size=5))
    changed = []
    for row in rows:
        names = draw(st.lists(st.sampled_from([*row]), max_size=4))
        kinds = {c.name: c.type for c in Table(cars()).schema}
        changed.append({**row, **{n: draw(_mixed(_BY_TYPE[kinds[n]])) for n in names}})
    return changed


@settings(max_examples=60, deadline=None)
@given(rows=car_like())
def test_both_forms_give_the_same_bytes(rows: list[dict[str, Any]]) -> None:
    serving = car_prices()
    request = typed(serving, car_request(*rows))
    assert encode(steps_of(serving, crossover=None).run(request)) == encode(
        steps_of(serving, crossover=0).run(request)
    )


@settings(max_examples=60, deadline=None)
@given(rows=car_like())
def test_the_short_way_gives_the_same_bytes(rows: list[dict[str, Any]]) -> None:
    serving = car_prices()
    request = typed(serving, car_request(*rows))
    steps = steps_of(serving, crossover=None)
    assert steps.answer(request) == encode(steps.run(request))


def test_a_plain_request_takes_the_short_way_with_the_same_bytes() -> None:
    serving = transforming(Formula(Filter(column("bore") > 3.0, "too narrow")))
    whole = car_rows(cars().drop_nulls())
    request = typed(serving, car_request(*whole))
    assert request.plain
    steps = steps_of(serving, crossover=None)
    assert steps.answer(request) == encode(steps.run(request))
    assert b'"Dropped"' in steps.answer(request)


def test_the_table_form_is_taken_from_the_crossover_on() -> None:
    taken = []

    class Watched(CompiledSteps):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            (way,) = self._ways
            for form in ("by_rows", "by_table"):
                setattr(way, form, self.noting(form, getattr(way, form)))

        def noting(self, form: str, real: Any) -> Any:
            def call(rows: Any) -> Any:
                taken.append((form, len(rows)))
                return real(rows)

            return call

    serving = car_prices()
    plan = replace(make_plan(serving, library()), crossover=3)
    scorer = Scorer.of(plan, serving.inputs, Watched(plan, serving.inputs, lambda place: None))
    for count in (2, 3):
        scorer.score({"WebServiceInput0": car_rows(cars()[:count])})
    assert taken == [("by_rows", 2), ("by_table", 3)]


def test_crossovers_are_measured_for_formulas_only(monkeypatch: pytest.MonkeyPatch) -> None:
    serving = car_prices()
    tries = 0
    answer = Scorer.answer

    def counted(scorer: Scorer, *given: Any, **more: Any) -> Any:
        nonlocal tries
        tries += 1
        return answer(scorer, *given, **more)

    monkeypatch.setattr(Scorer, "answer", counted)
    plan = with_crossovers(make_plan(serving, library()), serving.inputs, natives_of(serving))
    # The forms themselves cannot be told apart from outside; which one is faster is the machine's business.
    assert plan.crossover is None or plan.crossover >= 1
    assert plan.together is None
    assert tries < 20, "each takes tens of milliseconds, and somebody waits for the endpoint"
    with_script = make_plan(car_prices(script=SCRIPT), library())
    assert with_crossovers(with_script, serving.inputs, natives_of(serving)) is with_script


def test_columns_that_are_dropped_before_anything_reads_them_are_known() -> None:
    name = "WebServiceInput0"
    assert unread(car_prices(), library()) == {name: frozenset({UNUSED})}
    assert unread(car_prices(script=SCRIPT), library()) == {name: frozenset({UNUSED})}
    # What is filtered by is read, though the reply does not have it.
    chosen = unread(car_prices(chosen=("make",)), library())[name]
    assert chosen == {UNUSED}


def test_a_plan_survives_json() -> None:
    plan = make_plan(car_prices(), library())
    again = ScoringPlan.from_json(orjson.loads(orjson.dumps(plan.to_json())))
    assert again == plan


SCRIPT = """
def azureml_main(dataframe1=None, dataframe2=None):
    print("rows", len(dataframe1))
    return dataframe1[["make", "Scored Labels"]].rename(columns={"Scored Labels": "price"})
"""


def test_a_script_after_the_model_trims_the_reply() -> None:
    scorer = Scorer(car_prices(script=SCRIPT))
    assert not scorer.plan.is_compiled
    assert [(s.node, s.compiled) for s in scorer.plan.steps][-1] == ("script", False)
    reply = scorer.score({"WebServiceInput0": car_rows()})
    plain = Scorer(car_prices()).score({"WebServiceInput0": car_rows()})
    assert reply.results[OUTPUT] == [
        {"make": r["make"], "price": r["Scored Labels"]} for r in plain.results[OUTPUT]
    ]
    assert reply.dropped == plain.dropped


def test_very_many_rows_before_a_script_come_out_the_same() -> None:
    scorer, plain = Scorer(car_prices(script=SCRIPT)), Scorer(car_prices())
    rows = car_rows() * 11
    reply, wanted = (s.score({"WebServiceInput0": rows}) for s in (scorer, plain))
    assert len(rows) > 2000
    assert [r["price"] for r in reply.results[OUTPUT]] == [
        r["Scored Labels"] for r in wanted.results[OUTPUT]
    ]
    assert reply.dropped == wanted.dropped


def test_rows_of_two_inputs_are_joined() -> None:
    nodes = {
        "in": Node("web-service-input"),
        "more": Node("web-service-input", parameters={"name": "more"}),
        "add": Node("add-rows"),
        "out": Node("web-service-output"),
    }
    wires = (
        ("in.web_service_input", "add.dataset1"),
        ("more.web_service_input", "add.dataset2"),
        ("add.results_dataset", "out.data"),
    )
    serving = chain(nodes, wires, {})
    (first,) = serving.inputs
    second = replace(first, name="more", node=NodeId("more"))
    scorer = Scorer(replace(serving, inputs=(first, second)))
    rows = car_rows(cars()[:5])
    reply = scorer.score({"WebServiceInput0": rows[:2], "more": rows[2:]})
    assert [r["make"] for r in reply.results[OUTPUT]] == [r["make"] for r in rows]


def test_rows_that_a_script_takes_out_are_counted() -> None:
    halving = "def azureml_main(a=None, b=None):\n    return a.iloc[::2]\n"
    reply = Scorer(car_prices(script=halving)).score({"WebServiceInput0": car_rows(cars()[2:8])})
    (counted,) = [d for d in reply.dropped if d.node == "script"]
    assert counted.row is None
    assert counted.to_json() == {
        "input": "WebServiceInput0",
        "rows": counted.rows,
        "node": "Execute Python Script",
        "reason": f"The step gave {counted.rows} rows fewer than it got.",
    }
    assert len(reply.results[OUTPUT]) + len(reply.dropped) - 1 + counted.rows == 6


def test_a_script_that_fails_names_its_node_and_line() -> None:
    failing = "def azureml_main(a=None, b=None):\n    return 1 / 0\n"
    with pytest.raises(StepFailed) as caught:
        Scorer(car_prices(script=failing)).score({"WebServiceInput0": car_rows(cars()[2:3])})
    assert caught.value.fields["node"] == "script"
    assert caught.value.fields["cause"]["fields"]["line"] == 2
    assert "Execute Python Script" in str(caught.value)


def test_rows_dropped_before_a_script_keep_their_places_and_after_it_do_not() -> None:
    doubling = "def azureml_main(a=None, b=None):\n    return a\n"
    serving = transforming(
        Formula(Filter(column("horsepower") > 100, "too weak")),
        Formula(Filter(column("bore") > 3.0, "too narrow")),
    )
    graph = serving.graph.with_node(
        NodeId("script"), Node("execute-python-script", parameters={"script": doubling})
    )
    graph = rewired(graph, "apply0.transformed_dataset", "script.dataset1")
    graph = wired(graph, "script.results_dataset_1", "apply1.dataset")
    reply = Scorer(replace(serving, graph=graph)).score({"WebServiceInput0": car_rows(cars()[:20])})
    weak = [d.row for d in reply.dropped if d.reason == "too weak"]
    narrow = [d.row for d in reply.dropped if d.reason == "too narrow"]
    assert None not in weak
    assert narrow
    assert set(narrow) == {None}


def rewired(graph: Graph, source: str, target: str) -> Graph:
    old = [w for w in graph.wires if str(w.source) == source]
    return wired(graph.without_wires(*old), source, target)


def wired(graph: Graph, source: str, target: str) -> Graph:
    return graph.with_wires(Wire(Pin.parse(source), Pin.parse(target)))


def test_two_outputs_of_one_input_report_a_dropped_row_once() -> None:
    serving = transforming(
        Formula(Filter(column("horsepower") > 100, "too weak")),
        Formula(Compute({"twice": column("bore") * 2.0})),
    )
    graph = serving.graph.with_node(NodeId("out2"), Node("web-service-output"))
    graph = wired(graph, "apply0.transformed_dataset", "out2.data")
    outputs = (*serving.outputs, ReplyOutput("second", NodeId("out2")))
    scorer = Scorer(replace(serving, graph=graph, outputs=outputs))
    assert scorer.plan.is_compiled
    reply = scorer.score({"WebServiceInput0": car_rows(cars()[:40])})
    assert "twice" in reply.results[OUTPUT][0]
    assert "twice" not in reply.results["second"][0]
    assert len({d.row for d in reply.dropped}) == len(reply.dropped) > 0


def test_a_pipeline_without_a_way_from_input_to_output_is_refused() -> None:
    serving = car_prices()
    graph = serving.graph.without_wires(*serving.graph.wires_from(NodeId("in")))
    with pytest.raises(UnservablePipeline):
        Scorer(replace(serving, graph=graph))
    with pytest.raises(UnservablePipeline):
        Scorer(replace(serving, outputs=()))


def test_a_type_that_the_transformation_was_not_fitted_on_is_refused_by_its_step() -> None:
    serving = car_prices()
    (request_input,) = serving.inputs
    columns = tuple(
        replace(c, type=ColumnType.STRING) if c.name == "bore" else c for c in request_input.columns
    )
    scorer = Scorer(replace(serving, inputs=(replace(request_input, columns=columns),)))
    rows = [{**r, "bore": str(r["bore"])} for r in car_rows(cars()[2:3])]
    with pytest.raises(StepFailed) as caught:
        scorer.score({"WebServiceInput0": rows})
    assert caught.value.fields["node"] == "clean"
    assert caught.value.fields["cause"]["code"] == "wrong-column-type"


def test_columns_are_chosen_by_a_rule_on_what_a_request_has() -> None:
    nodes = {
        "in": Node("web-service-input"),
        "texts": select(ColumnRule(rule="exclude", types=("Numeric",))),
        "out": Node("web-service-output"),
    }
    serving = chain(
        nodes,
        (("in.web_service_input", "texts.dataset"), ("texts.results_dataset", "out.data")),
        {},
    )
    reply = Scorer(serving).score({"WebServiceInput0": car_rows(cars()[:2])})
    texts = [n for n, t in cars().schema.items() if t == pl.String]
    assert [*reply.results[OUTPUT][0]] == texts


def test_filled_values_are_those_of_training() -> None:
    table = Table(cars().drop("price"))
    cleaning = (
        CleanMissingData(mode="Replace with mean", columns=["bore"])
        .run(table)
        .cleaning_transformation
    )
    serving = transforming(cleaning.formula)
    row: Mapping[str, Any] = {**car_rows(cars()[2:3])[0], "bore": None}
    reply = Scorer(serving).score({"WebServiceInput0": [row]})
    mean = cars()["bore"].mean()
    assert isinstance(mean, float)
    assert math.isclose(reply.results[OUTPUT][0]["bore"], mean, rel_tol=1e-12)
