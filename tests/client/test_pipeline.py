from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import modelwright
from modelwright import samples
from modelwright.client.pipeline import AmbiguousOutput, Output, Pipeline, UnknownPort
from modelwright.components.columns import ColumnSelection
from modelwright.components.palette.data_input_and_output.enter_data_manually import (
    EnterDataManually,
)
from modelwright.components.palette.data_transformation.select_columns_in_dataset import (
    SelectColumnsInDataset,
)
from modelwright.components.palette.data_transformation.split_data import SplitData
from modelwright.data.errors import ModelwrightError
from modelwright.graph.codec import PipelineFileError, read
from modelwright.graph.edits import UnknownNode
from modelwright.graph.graph import NodeId, Pin, Wire


def test_a_pipeline_is_built_by_adding_components_and_saying_what_feeds_them() -> None:
    cars = Pipeline("Cars", description="Their prices")
    data = cars.dataset("Automobile price data (Raw)")
    kept = cars.add(
        SelectColumnsInDataset(columns=ColumnSelection.everything(but=("normalized-losses",))),
        dataset=data,
        comment="A fifth lacks it",
    )
    split = cars.add(SplitData(fraction=0.7, seed=3), dataset=kept, node_id="halves")
    cars.add(SelectColumnsInDataset(), dataset=split.results_dataset2, title="Rest")

    graph = cars.graph
    assert cars.nodes == (
        "dataset",
        "select-columns-in-dataset",
        "halves",
        "select-columns-in-dataset-2",
    )
    assert graph.wires == {
        Wire(Pin.parse("dataset.dataset"), Pin.parse("select-columns-in-dataset.dataset")),
        Wire(Pin.parse("select-columns-in-dataset.results_dataset"), Pin.parse("halves.dataset")),
        Wire(
            Pin.parse("halves.results_dataset2"), Pin.parse("select-columns-in-dataset-2.dataset")
        ),
    }
    nodes = list(graph.nodes.values())
    # Only what was set stands in the file; a later default may be a better one.
    assert nodes[2].parameters == {"fraction": 0.7, "seed": 3}
    assert nodes[1].comment == "A fifth lacks it"
    assert nodes[3].title == "Rest"
    document = read(cars.to_yaml())
    assert document.graph == graph
    assert document.layout.positions.keys() == graph.nodes.keys()


def test_a_node_that_has_one_output_stands_for_it_and_others_must_be_named() -> None:
    p = Pipeline()
    data = p.add(EnterDataManually(data="a\n1\n"))
    split = p.add(SplitData(), dataset=data)
    assert data.output == "enter-data-manually.dataset"
    assert split["results_dataset1"] == Output("split-data.results_dataset1")
    assert (split.results_dataset2.node, split.results_dataset2.port) == (
        "split-data",
        "results_dataset2",
    )
    with pytest.raises(AmbiguousOutput, match=r"node\.results_dataset1"):
        p.add(SplitData(), dataset=split)
    with pytest.raises(UnknownPort, match="results_dataset1"):
        p.add(SplitData(), dataset=split.result_dataset1)
    with pytest.raises(UnknownPort, match='Nearest: "dataset"'):
        p.add(SplitData(), data=data)
    with pytest.raises(UnknownNode, match="split-data"):
        p.add(SplitData(), dataset="splt-data.results_dataset1")
    assert len(p.nodes) == 2


def test_a_pipeline_is_read_changed_and_saved_as_a_file(tmp_path: Path) -> None:
    sample = samples.PIPELINES[0].path
    p = Pipeline.open(sample)
    assert p.name == "Regression - Automobile Price Prediction (Basic)"
    assert read(p.to_yaml()) == read(samples.PIPELINES[0].text)
    scored = p.node("score-model")
    last = p.add(SelectColumnsInDataset(), dataset=scored)
    p.connect(p.node("clean-missing-data").cleaned_dataset, last, "dataset")
    p.parameter("share", node=p.node("split-data"), parameter="fraction", default=0.7)
    p.save(tmp_path / "mine.yaml")
    again = Pipeline.open(tmp_path / "mine.yaml")
    assert again.graph == p.graph
    (wire,) = again.graph.wires_into(NodeId(str(last)))
    assert str(wire.source) == "clean-missing-data.cleaned_dataset"
    assert again.graph.parameters["share"].targets == (("split-data", "fraction"),)
    # What stood on the canvas stays there; the new node is placed beside.
    positions = again.document().layout.positions
    assert (
        positions[p.graph.order()[0]]
        == read(samples.PIPELINES[0].text).layout.positions[p.graph.order()[0]]
    )
    assert str(last) in positions


def test_what_is_wrong_with_a_file_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(PipelineFileError, match="Line 2"):
        Pipeline.from_yaml("modelwright: 1\nnodez: {}\n")
    with pytest.raises(ModelwrightError) as missing:
        Pipeline.open(tmp_path / "none.yaml")
    assert "none.yaml" in str(missing.value)


def test_the_package_offers_its_doors_and_components_by_name() -> None:
    assert modelwright.Pipeline is Pipeline
    assert modelwright.SplitData is SplitData
    with pytest.raises(AttributeError, match="SplitDota"):
        _ = modelwright.SplitDota
    with pytest.raises(AttributeError, match="nothing"):
        _ = modelwright.nothing


def test_importing_the_package_loads_none_of_it() -> None:
    code = (
        "import modelwright, sys; print([m for m in sys.modules if m.startswith('modelwright.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_stub_names_what_the_package_offers() -> None:
    stub = Path(modelwright.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    for name in modelwright.__all__:
        assert f"as {name}\n" in stub or f"{name}:" in stub
