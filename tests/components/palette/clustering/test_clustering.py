from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.components.learning.trials import scored_one_by_one

from modelwright.components.context import Context
from modelwright.components.errors import EmptyTable
from modelwright.components.learning.errors import (
    NoFeatureColumns,
    NoScoreColumns,
    SchemaMismatch,
    TooFewRows,
    WrongLearner,
    WrongModel,
)
from modelwright.components.learning.training import train
from modelwright.components.outline import TableOutline, outline_of
from modelwright.components.palette.clustering.k_means_clustering import KMeansClustering
from modelwright.components.palette.model_scoring_and_evaluation.assign_data_to_clusters import (
    AssignDataToClusters,
)
from modelwright.components.palette.model_scoring_and_evaluation.evaluate_model import (
    EvaluateModel,
)
from modelwright.components.palette.model_training.train_clustering_model import (
    TrainClusteringModel,
    Trained,
)
from modelwright.components.palette.model_training.train_model import TrainModel
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.schema import Role
from modelwright.data.table import Table

DISTANCES = ["DistancesToClusterCenter no.0", "DistancesToClusterCenter no.1"]


def herds(rows: int = 90) -> Table:
    """Three groups, told apart by two numbers and a text; every third label is missing."""
    chance = np.random.default_rng(rows)
    group = np.arange(rows) % 3
    frame = pl.DataFrame(
        {
            "a": chance.normal(10 * group, 1),
            "b": chance.normal(1000 * (group == 1), 50),
            "kind": [("p", "q", "r")[g] for g in group],
            "id": range(rows),
            "name": [None if i % 7 == 0 else ("x", "y", "z")[g] for i, g in enumerate(group)],
        }
    )
    return Table(frame).mark("id", role=Role.NONE).mark("name", role=Role.LABEL)


def trained(table: Table | None = None, *, append: bool = True, **parameters: Any) -> Trained:
    step = TrainClusteringModel(append=append)
    learner = KMeansClustering(**{"number_of_centroids": 3, **parameters})
    return step.run(learner.run(), table or herds(), context=Context())


def groups(result: Trained) -> list[int]:
    found: list[int] = result.results_dataset.frame["Assignments"].to_list()
    return found


def test_the_groups_are_found_and_numbered_from_0() -> None:
    found = groups(trained())
    assert sorted(set(found)) == [0, 1, 2]
    assert len({(g, i % 3) for i, g in enumerate(found)}) == 3


def test_results_are_the_data_then_the_cluster_then_the_distances() -> None:
    rows = trained().results_dataset
    names = (*herds().schema.names, "Assignments", *DISTANCES, "DistancesToClusterCenter no.2")
    assert rows.schema.names == names
    alone = trained(append=False).results_dataset
    assert_frame_equal(alone.frame, rows.frame.select(names[5:]))


def test_distances_are_euclidean_on_scaled_numbers_and_levels() -> None:
    table = Table(pl.DataFrame({"a": [0.0, 1.0, 9.0, 10.0], "kind": ["p", "p", "q", "q"]}))
    rows = trained(table, number_of_centroids=2).results_dataset.frame
    near = rows.select(pl.min_horizontal(DISTANCES)).to_series().to_list()
    far = rows.select(pl.max_horizontal(DISTANCES)).to_series().to_list()
    assert near == pytest.approx([0.05] * 4)
    assert far == pytest.approx([(d**2 + 2) ** 0.5 for d in (0.95, 0.85, 0.85, 0.95)])
    plain = trained(table, number_of_centroids=2, normalize_features=False).results_dataset.frame
    assert plain.select(pl.min_horizontal(DISTANCES)).to_series().to_list() == [0.5] * 4


def test_only_the_chosen_columns_count() -> None:
    step = TrainClusteringModel(column_set=["b"])
    result = step.run(KMeansClustering(number_of_centroids=2).run(), herds(), context=Context())
    assert result.trained_model.features.names == ("b",)
    found = groups(result)
    assert {found[i] for i in range(90) if i % 3 == 1} != {found[0]}


def test_a_label_is_left_out_unless_it_is_to_be_used() -> None:
    assert "name" not in trained().trained_model.features
    everything = TrainClusteringModel(column_set="all")
    model = everything.run(KMeansClustering().run(), herds(), context=Context()).trained_model
    assert model.features.names == ("a", "b", "kind", "id")


def test_a_label_used_as_a_feature_has_its_gaps_filled_from_the_others() -> None:
    result = trained(assign_label_mode="Fill missing values")
    model = result.trained_model
    assert model.features.names == ("a", "b", "kind", "name")
    shares = [line for line in model.learnt["centroids"][0] if line["feature"] == "name"]
    # No level "missing", and each cluster has one name throughout.
    assert [line["level"] for line in shares] == ["x", "y", "z"]
    assert sorted(line["share"] for line in shares) == [0.0, 0.0, 1.0]
    frame = herds().frame
    assert_frame_equal(
        scored_one_by_one(model, frame),
        result.results_dataset.frame.select(model.scores.names),
        check_exact=True,
    )


def test_a_number_used_as_a_label_is_filled_by_least_squares() -> None:
    frame = pl.DataFrame(
        {"a": [1.0, 2.0, 3.0, 11.0, 12.0, 13.0], "y": [10.0, 20.0, None, 110.0, None, 130.0]}
    )
    table = Table(frame).mark("y", role=Role.LABEL)
    model = trained(
        table, number_of_centroids=2, assign_label_mode="Fill missing values"
    ).trained_model
    means = sorted(line["mean"] for c in model.learnt["centroids"] for line in c)
    assert means == pytest.approx([2.0, 12.0, 20.0, 120.0], abs=0.1)


def test_a_label_is_replaced_by_that_of_the_row_nearest_to_the_centre() -> None:
    result = trained(assign_label_mode="Overwrite from closest to center")
    rows = result.results_dataset
    assert rows.schema.names[4] == "name"
    assert rows.schema.column("name").role is Role.LABEL
    assert rows.frame["name"].to_list() == [("x", "y", "z")[i % 3] for i in range(90)]


def test_each_way_to_start_leads_somewhere_and_the_seed_decides() -> None:
    for way in ("First N", "K-Means++"):
        assert len(set(groups(trained(initialization=way)))) == 3
    # Starting near the middle, a centroid may lose all its rows.
    assert len(set(groups(trained(initialization="Random")))) in (2, 3)
    starts = {
        tuple(groups(trained(initialization="Random", iterations=1, random_number_seed=s)))
        for s in range(5)
    }
    assert len(starts) > 1
    fixed = [
        groups(trained(initialization="First N", random_number_seed=s, iterations=1))
        for s in (0, 1)
    ]
    assert fixed[0] == fixed[1]


def test_passes_are_limited_and_told() -> None:
    told: list[str] = []
    step = TrainClusteringModel()
    learner = KMeansClustering(number_of_centroids=3, iterations=1)
    step.run(learner.run(), herds(), context=Context(log=told.append))
    assert told[-1] == "Rows were still moving when the passes were over."


def test_new_rows_go_to_the_nearest_cluster() -> None:
    model = trained().trained_model
    step = AssignDataToClusters()
    rows = herds().frame.head(6).drop("id", "name")
    found = step.run(model, Table(rows)).frame
    assert found["Assignments"].to_list() == groups(trained())[:6]
    alone = AssignDataToClusters(append=False).run(model, Table(rows))
    assert alone.schema.names[0] == "Assignments"
    gaps = rows.with_columns(a=None, kind=pl.lit("never"))
    assert step.run(model, Table(gaps)).frame["Assignments"].null_count() == 0


def test_a_row_alone_is_assigned_to_the_same_bit_as_in_a_table() -> None:
    result = trained()
    model = result.trained_model
    assert_frame_equal(
        scored_one_by_one(model, herds().frame),
        result.results_dataset.frame.select(model.scores.names),
        check_exact=True,
    )


def test_clusters_are_measured_one_by_one_and_together() -> None:
    rows = trained().results_dataset
    table = EvaluateModel().run(rows, context=Context()).frame
    assert table["Result Description"].to_list() == [
        "Evaluation For Cluster No.0",
        "Evaluation For Cluster No.1",
        "Evaluation For Cluster No.2",
        "Combined Evaluation",
    ]
    assert table["Number of Points"].to_list() == [30, 30, 30, 90]
    distances = rows.frame.select(pl.selectors.starts_with("Distances")).to_numpy()
    own = distances.min(axis=1)
    first = rows.frame["Assignments"].to_numpy() == 0
    others = (distances.sum(axis=1) - own) / 2
    assert table["Average Distance to Cluster Center"][0] == pytest.approx(own[first].mean())
    assert table["Average Distance to Other Center"][0] == pytest.approx(others[first].mean())
    assert table["Maximal Distance to Cluster Center"][3] == pytest.approx(own.max())


def test_two_clusterings_are_measured_one_under_the_other() -> None:
    both = EvaluateModel().run(
        trained().results_dataset,
        trained(number_of_centroids=2).results_dataset,
        context=Context(),
    )
    assert both.rows == 4 + 3


def test_a_lost_distance_is_named() -> None:
    rows = trained().results_dataset
    rest = rows.of(rows.frame.drop(DISTANCES[1]))
    with pytest.raises(NoScoreColumns, match=r"no\.1"):
        EvaluateModel().run(rest, context=Context())


def test_what_is_known_before_the_run_is_what_the_run_gives() -> None:
    table = herds().of(herds().frame.drop("name"))
    step = TrainClusteringModel()
    known = step.outline(
        untrained_model=KMeansClustering().outline()["untrained_model"],
        dataset=outline_of(table),
    )
    model = known["trained_model"]
    result = trained(table)
    assert getattr(model, "features", None) == result.trained_model.features
    rows = known["results_dataset"]
    assert isinstance(rows, TableOutline)
    assert rows.schema.names == result.results_dataset.schema.names[:5]
    assert not rows.complete


@pytest.mark.parametrize(
    ("table", "parameters", "fault"),
    [
        (Table(pl.DataFrame({"a": [1.0, 2.0]})), {}, TooFewRows),
        (Table(pl.DataFrame(schema={"a": pl.Float64})), {}, EmptyTable),
        (Table(pl.DataFrame({"a": [1.0]})).mark("a", role=Role.NONE), {}, NoFeatureColumns),
    ],
)
def test_data_that_cannot_be_grouped_are_refused(
    table: Table, parameters: dict[str, Any], fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        trained(table, **parameters)


def test_learners_and_models_go_where_they_belong() -> None:
    clusters, line = KMeansClustering().run(), LinearRegression().run()
    with pytest.raises(WrongLearner, match="Train Clustering Model"):
        TrainModel(label_column="a").run(clusters, herds(), context=Context())
    with pytest.raises(WrongLearner, match="Use Train Model"):
        TrainClusteringModel().run(line, herds(), context=Context())
    with pytest.raises(WrongModel, match="Score Model"):
        AssignDataToClusters().run(train(LinearRegression(), herds(), "a", Context()), herds())
    with pytest.raises(SchemaMismatch, match='column "kind" is missing'):
        AssignDataToClusters().run(trained().trained_model, herds().of(herds().frame.drop("kind")))
