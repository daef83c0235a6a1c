from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.actions.drafts import get_draft, new_draft, readable_graph, save_draft
from modelwright.actions.home import Home
from modelwright.actions.inference_drafts import (
    inference_draft,
    parity_of_draft,
    reset_draft,
)
from modelwright.actions.inference_updates import newer_run, take_update, update_of_draft
from modelwright.actions.registering import register_output
from modelwright.actions.run_pipeline import begin_run
from modelwright.data.fitted import Transform
from modelwright.graph.codec import Document
from modelwright.graph.edits import describe_node, remove_nodes, set_parameter
from modelwright.graph.graph import Graph, NodeId, Pin
from modelwright.graph.problems import PipelineProblems
from modelwright.inference.request_columns import UnfitDefault
from modelwright.inference.serving import Serving, Use
from modelwright.workspace.errors import Conflict, NotFound
from tests.actions.homes import open_home, tutorial

CLEAN, INPUT = NodeId("clean-missing-data"), NodeId("web-service-input")
OUTPUT, SELECT = NodeId("web-service-output"), NodeId("select-columns")
MODEL = "MD - Regression - Automobile Price Prediction (Basic) - Train Model"
CLEANING = "TD - Regression - Automobile Price Prediction (Basic) - Clean Missing Data"


def trained(home: Home, graph: Graph | None = None, draft_id: str | None = None) -> tuple[str, str]:
    """A draft of the tutorial that has run: ids of the draft and of its run."""
    document = Document(graph or tutorial().graph)
    if draft_id is None:
        draft_id = new_draft(home, document=document).record.id
    run = begin_run(home, document.graph, draft_id=draft_id, draft_revision=1).work().run
    return draft_id, run.id


def changed(home: Home, draft_id: str, graph: Graph) -> None:
    record = get_draft(home, draft_id).record
    save_draft(home, draft_id, Document(graph), revision=record.revision)


def retrained(home: Home, draft_id: str) -> str:
    """The tutorial run again with gaps filled instead of rows removed."""
    graph = set_parameter(tutorial().graph, CLEAN, "mode", "Replace with mode")
    return trained(home, graph, draft_id)[1]


def served(home: Home, graph: Graph) -> Serving:
    from modelwright.actions.conversions import prepared

    return prepared(home, graph, name="cars")


def test_the_model_and_the_transformations_of_a_conversion_are_registered(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        draft_id, run_id = trained(home)
        made = inference_draft(home, run_id)
        models = {m.name: m for m in home.workspace.models.list()}
        assert set(models) == {MODEL, CLEANING}
        assert models[MODEL].kind == "model"
        assert "Coefficient_of_Determination" in models[MODEL].metrics
        assert models[CLEANING].lineage.node == "clean-missing-data"
        assert models[CLEANING].lineage.draft_id == draft_id
        uses = home.workspace.models.used_by(MODEL)
        assert [u.id for u in uses] == [made.draft.record.id]


def test_a_transformation_registered_by_hand_works_on_rows_without_the_label(
    tmp_path: Path,
) -> None:
    with open_home(tmp_path) as home:
        _, run_id = trained(home)
        pin = Pin(CLEAN, "cleaning_transformation")
        with_label = register_output(home, run_id, pin, name="As it was fitted")
        made = register_output(home, run_id, pin, name="For requests", without=["price"])
        before, after = home.store.get(with_label.digest), home.store.get(made.digest)
        assert isinstance(before, Transform)
        assert isinstance(after, Transform)
        assert before.formula.required() - after.formula.required() == {"price"}
        # What the conversion registers is just this.
        inference_draft(home, run_id)
        assert home.workspace.models.get(CLEANING).digest == made.digest


def test_a_second_draft_of_the_same_name_does_not_mix_its_models_with_the_first(
    tmp_path: Path,
) -> None:
    with open_home(tmp_path) as home:
        inference_draft(home, trained(home)[1])
        made = inference_draft(home, trained(home)[1])
        names = {m.name for m in home.workspace.models.list()}
        assert f"{MODEL} (2)" in names
        node = readable_graph(home, made.draft.record.id).nodes[NodeId("md-train-model")]
        assert node.parameters["name"] == f"{MODEL} (2)"


def test_parity_is_that_of_the_draft_as_it_is_now(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        draft_id = inference_draft(home, trained(home)[1]).draft.record.id
        found = parity_of_draft(home, draft_id)
        assert found is not None
        assert (found.verdict, found.compared) == ("equal", 58)
        graph = readable_graph(home, draft_id)
        only_scores = {"begin": "none", "rules": [{"roles": ["Scores"]}]}
        changed(home, draft_id, set_parameter(graph, OUTPUT, "columns", only_scores))
        trimmed = parity_of_draft(home, draft_id)
        assert trimmed is not None
        assert (trimmed.verdict, trimmed.compared) == ("equal", 58)


def test_a_draft_goes_back_to_what_the_conversion_made(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        made = inference_draft(home, trained(home)[1]).draft
        draft_id = made.record.id
        graph = readable_graph(home, draft_id)
        changed(home, draft_id, remove_nodes(graph, [SELECT]))
        with pytest.raises(Conflict):
            reset_draft(home, draft_id, revision=1)
        back = reset_draft(home, draft_id, revision=2)
        assert back.document is not None
        assert back.document.graph == graph


def test_a_request_leaves_out_optional_columns_and_ignored_ones_are_not_read(
    tmp_path: Path,
) -> None:
    with open_home(tmp_path) as home:
        graph = readable_graph(home, inference_draft(home, trained(home)[1]).draft.record.id)
        rules = [
            {"name": "fuel-type", "use": "optional", "default": "gas"},
            {"name": "normalized-losses", "use": "ignored"},
            {"name": "price", "use": "ignored"},
        ]
        # The step that took the column out has nothing to do any more.
        without = set_parameter(graph, SELECT, "columns", {"begin": "all"})
        serving = served(home, set_parameter(without, INPUT, "columns", rules))
        uses = {c.name: c.use for c in serving.inputs[0].columns}
        assert uses["fuel-type"] is Use.OPTIONAL
        assert uses["normalized-losses"] is uses["price"] is Use.IGNORED
        assert uses["make"] is Use.REQUIRED


def test_a_column_that_a_step_needs_cannot_be_ignored(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        graph = readable_graph(home, inference_draft(home, trained(home)[1]).draft.record.id)
        ignored = set_parameter(graph, INPUT, "columns", [{"name": "make", "use": "ignored"}])
        with pytest.raises(PipelineProblems, match="make"):
            served(home, ignored)
        unfit = [{"name": "horsepower", "use": "optional", "default": "strong"}]
        with pytest.raises(UnfitDefault, match="horsepower"):
            served(home, set_parameter(graph, INPUT, "columns", unfit))


def test_replies_have_the_chosen_columns_only(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        graph = readable_graph(home, inference_draft(home, trained(home)[1]).draft.record.id)
        only_scores = {"begin": "none", "rules": [{"roles": ["Scores"]}]}
        serving = served(home, set_parameter(graph, OUTPUT, "columns", only_scores))
        assert serving.outputs[0].chosen == ("Scored Labels",)
        assert [c.name for c in serving.outputs[0].columns] == ["Scored Labels"]


def test_an_update_brings_the_model_and_every_transformation_at_once(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        training, run_id = trained(home)
        draft_id = inference_draft(home, run_id).draft.record.id
        assert newer_run(home, run_id, training) is None
        with pytest.raises(NotFound, match="later run"):
            update_of_draft(home, draft_id)
        second = retrained(home, training)
        assert newer_run(home, run_id, training) is not None

        seen = update_of_draft(home, draft_id)
        changes = {str(f.node): f.change for f in seen.frozen}
        assert changes["md-train-model"] == changes["td-clean-missing-data"] == "changed"
        assert [(d.node, d.settings[0].parameter) for d in seen.runs.nodes] == [(CLEAN, "mode")]
        assert any(m.left != m.right for m in seen.runs.metrics)
        assert seen.clashes == ()
        assert seen.parity is not None
        assert seen.parity.verdict == "equal"

        taken = take_update(home, draft_id, revision=1)
        assert taken.record.parent_run_id == second
        assert taken.record.revision == 2
        assert home.workspace.models.get(MODEL).version == 2
        assert home.workspace.models.get(CLEANING).version == 2
        found = parity_of_draft(home, draft_id)
        assert found is not None
        assert found.verdict == "equal"
        with pytest.raises(NotFound, match="later run"):
            update_of_draft(home, draft_id)


def test_edits_by_hand_survive_an_update_and_clashes_are_shown(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        training, run_id = trained(home)
        draft_id = inference_draft(home, run_id).draft.record.id
        graph = readable_graph(home, draft_id)
        node, cleaning = NodeId("md-train-model"), NodeId("td-clean-missing-data")
        other = graph.nodes[NodeId("sample-automobile-data")].parameters["digest"]
        graph = set_parameter(graph, OUTPUT, "columns", ["Scored Labels"])
        graph = describe_node(graph, SELECT, comment="mine")
        changed(home, draft_id, set_parameter(graph, cleaning, "digest", other))
        retrained(home, training)

        seen = update_of_draft(home, draft_id)
        assert [c.key for c in seen.clashes] == ["td-clean-missing-data:digest"]
        assert seen.merged.kept[OUTPUT] == ("columns",)
        assert seen.merged.kept[SELECT] == ("comment",)
        assert seen.merged.taken[node] == ("digest",)
        assert seen.fault is not None

        choice = {"td-clean-missing-data:digest": "theirs"}
        taken = take_update(home, draft_id, revision=2, choices=choice)  # type: ignore[arg-type]
        assert taken.document is not None
        assert taken.document.graph.nodes[OUTPUT].parameters["columns"] == ["Scored Labels"]
        assert taken.document.graph.nodes[cleaning].parameters["digest"] != other
