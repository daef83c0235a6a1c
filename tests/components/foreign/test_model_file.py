"""Models that were trained elsewhere score here as they did there."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest, RandomForestClassifier, VotingClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from tests.components.learning.trials import scored_one_by_one

from modelwright.components.foreign.described import Said
from modelwright.components.foreign.errors import (
    PickledModel,
    UnknownModelFormat,
    UnreadableModel,
    UntrustedModel,
)
from modelwright.components.foreign.model_file import read_model
from modelwright.components.learning.scoring import score
from modelwright.data.fitted import Model
from modelwright.data.schema import Task
from modelwright.data.store import Store
from modelwright.data.table import Table

CHANCE = np.random.default_rng(1)
COUNT = 120
A, B = CHANCE.normal(size=COUNT), CHANCE.normal(2, 3, COUNT)
KIND = CHANCE.choice(["gas", "diesel", "none"], COUNT)
ROWS = pl.DataFrame(
    {
        "a": A,
        "b": B,
        "kind": KIND,
        "number": 2 * A - B + (KIND == "gas"),
        "side": np.where(A - B / 3 > -0.5, "up", "down"),
        "third": np.select([A > 0.4, B > 2], ["p", "q"], "r"),
    }
)
MATRIX = ROWS.select("a", "b").to_numpy()
PANDAS = ROWS.to_pandas()


def scores(model: Model) -> pl.DataFrame:
    return score(model, Table(ROWS)).frame.select(model.scores.names)


def check_everywhere(model: Model, folder: Path) -> None:
    """A row alone scores as among others, and the model is the same after it was stored."""
    whole = scores(model)
    alone = scored_one_by_one(model, ROWS.head(20))
    for name in model.scores.names:
        if whole[name].dtype == pl.Float64:
            np.testing.assert_allclose(alone[name], whole[name].head(20), rtol=1e-6)
        else:
            assert alone[name].to_list() == whole[name].head(20).to_list()
    store = Store.open(folder / "store")
    again = store.get(store.put(model))
    assert isinstance(again, Model)
    assert scores(again).equals(whole)


# LightGBM


def test_a_lightgbm_regression_keeps_its_names_and_numbers(tmp_path: Path) -> None:
    booster = lightgbm.train(
        {"verbosity": -1, "num_threads": 1},
        lightgbm.Dataset(PANDAS[["a", "b"]], PANDAS["number"]),
        10,
    )
    booster.save_model(tmp_path / "model.txt")
    model = read_model(tmp_path / "model.txt", Said(label="number"))
    assert model.features.names == ("a", "b")
    assert model.task is Task.REGRESSION
    np.testing.assert_array_equal(
        scores(model)["Scored Labels"], np.asarray(booster.predict(PANDAS[["a", "b"]]))
    )
    assert model.learnt["imported"] == {"format": "LightGBM", "file": "model.txt"}
    check_everywhere(model, tmp_path)


def test_lightgbm_classes_and_categories_are_understood(tmp_path: Path) -> None:
    frame = PANDAS[["a", "b", "kind"]].astype({"kind": "category"})
    booster = lightgbm.train(
        {
            "objective": "multiclass",
            "num_class": 3,
            "verbosity": -1,
            "num_threads": 1,
            "min_data_per_group": 1,
            "cat_smooth": 1,
        },
        lightgbm.Dataset(frame, PANDAS["third"].map({"p": 0, "q": 1, "r": 2})),
        10,
    )
    booster.save_model(tmp_path / "model.txt")
    model = read_model(tmp_path / "model.txt", Said("third", classes=("p", "q", "r")))
    names = [f"Scored Probabilities_{c}" for c in "pqr"]
    np.testing.assert_allclose(
        scores(model).select(names).to_numpy(), np.asarray(booster.predict(frame)), rtol=1e-12
    )
    with pytest.raises(UnreadableModel, match="3 classes, and 2 are named"):
        read_model(tmp_path / "model.txt", Said(classes=("p", "q")))
    check_everywhere(model, tmp_path)


def test_a_booster_without_names_gets_those_of_the_sample(tmp_path: Path) -> None:
    side = (PANDAS["side"] == "up").astype(int)
    booster = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "num_threads": 1},
        lightgbm.Dataset(MATRIX, side),
        10,
    )
    booster.save_model(tmp_path / "model.txt")
    sample = Table(ROWS.select("a", "b", "side"))
    model = read_model(tmp_path / "model.txt", Said("side", classes=("down", "up"), sample=sample))
    assert model.features.names == ("a", "b")
    np.testing.assert_array_equal(
        scores(model)["Scored Probabilities"], np.asarray(booster.predict(MATRIX))
    )
    assert set(scores(model)["Scored Labels"].unique()) == {"down", "up"}
    assert len(model.learnt["sample"]) == 16


# scikit-learn


def test_a_scikit_learn_pipeline_of_texts_and_numbers(tmp_path: Path) -> None:
    made = make_pipeline(
        ColumnTransformer([("n", StandardScaler(), ["a", "b"]), ("k", OneHotEncoder(), ["kind"])]),
        LogisticRegression(),
    )
    made.fit(PANDAS[["a", "b", "kind"]], PANDAS["side"])
    skops.io.dump(made, tmp_path / "model.skops")
    said = Said("side", sample=Table(ROWS.select("a", "b", "kind", "side")))
    model = read_model(tmp_path / "model.skops", said)
    expected = made.predict_proba(PANDAS[["a", "b", "kind"]])[:, 1]
    np.testing.assert_allclose(scores(model)["Scored Probabilities"], expected, rtol=1e-12)
    assert scores(model)["Scored Labels"].to_list() == made.predict(PANDAS).tolist()
    check_everywhere(model, tmp_path)


@pytest.mark.parametrize("label", ["third", "side"])
def test_a_scikit_learn_classifier_of_numbers(tmp_path: Path, label: str) -> None:
    forest = RandomForestClassifier(5, random_state=0).fit(MATRIX, PANDAS[label])
    skops.io.dump(forest, tmp_path / "model.skops")
    model = read_model(tmp_path / "model.skops", Said(label, names=("a", "b")))
    assert model.classes == tuple(sorted(set(PANDAS[label])))
    expected = forest.predict_proba(MATRIX)
    likely = [n for n in model.scores.names if n.startswith("Scored Probabilities")]
    found = scores(model).select(likely).to_numpy()
    np.testing.assert_allclose(found, expected[:, -len(likely) :], rtol=1e-12)
    check_everywhere(model, tmp_path)


def test_regressors_and_classifiers_without_probabilities(tmp_path: Path) -> None:
    line = LinearRegression().fit(PANDAS[["b", "a"]], PANDAS["number"])
    skops.io.dump(line, tmp_path / "line.skops")
    found = scores(read_model(tmp_path / "line.skops"))["Scored Labels"]
    np.testing.assert_allclose(found, line.predict(PANDAS[["b", "a"]]), rtol=1e-12)
    margin = LinearSVC().fit(PANDAS[["a", "b"]], PANDAS["third"])
    skops.io.dump(margin, tmp_path / "margin.skops")
    labels = scores(read_model(tmp_path / "margin.skops"))["Scored Labels"]
    assert labels.to_list() == margin.predict(PANDAS[["a", "b"]]).tolist()


def doubled(values: Any) -> Any:
    return values * 2


def test_estimators_of_estimators_and_of_kernels_are_read(tmp_path: Path) -> None:
    made = [
        VotingClassifier([("tree", DecisionTreeClassifier(max_depth=3))], voting="soft"),
        CalibratedClassifierCV(LinearSVC(), cv=2),
        GaussianProcessClassifier(),
    ]
    for estimator in made:
        estimator.fit(MATRIX[:60], PANDAS["side"][:60])
        skops.io.dump(estimator, tmp_path / "model.skops")
        found = scores(read_model(tmp_path / "model.skops", Said("side", ("a", "b"))))
        np.testing.assert_allclose(
            found["Scored Probabilities"], estimator.predict_proba(MATRIX)[:, 1]
        )


def test_what_predicts_no_class_and_no_number_is_refused(tmp_path: Path) -> None:
    for estimator in (KMeans(2, n_init=1), IsolationForest(n_estimators=3)):
        skops.io.dump(estimator.fit(MATRIX), tmp_path / "model.skops")
        with pytest.raises(UnreadableModel, match="neither a classifier nor a regressor"):
            read_model(tmp_path / "model.skops")


def test_what_could_run_a_program_is_refused(tmp_path: Path) -> None:
    made = make_pipeline(FunctionTransformer(doubled), LinearRegression())
    made.fit(MATRIX, PANDAS["number"])
    skops.io.dump(made, tmp_path / "model.skops")
    with pytest.raises(UntrustedModel, match="doubled"):
        read_model(tmp_path / "model.skops")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(made))
    with pytest.raises(PickledModel, match=r"skops\.io\.dump"):
        read_model(tmp_path / "model.pkl")
    (tmp_path / "text.txt").write_text("no model at all")
    with pytest.raises(UnknownModelFormat):
        read_model(tmp_path / "text.txt")
    with pytest.raises(UnknownModelFormat):
        read_model(tmp_path)
    with pytest.raises(UnreadableModel, match="No such file"):
        read_model(tmp_path / "nowhere.onnx")
    skops.io.dump(LinearRegression(), tmp_path / "empty.skops")
    with pytest.raises(UnreadableModel, match="not fitted"):
        read_model(tmp_path / "empty.skops")
    skops.io.dump(StandardScaler().fit(MATRIX), tmp_path / "scaler.skops")
    with pytest.raises(UnreadableModel, match="predicts nothing"):
        read_model(tmp_path / "scaler.skops")


# ONNX


def onnx_of(model: Any, types: Any, path: Path, **options: Any) -> None:
    from skl2onnx import to_onnx

    made = to_onnx(model, initial_types=types, target_opset=17, **options)
    path.write_bytes(made.SerializeToString())


def matrix_type() -> Any:
    from skl2onnx.common.data_types import FloatTensorType

    return [("rows", FloatTensorType([None, 2]))]


def test_onnx_of_a_matrix_with_maps_or_matrices_of_probabilities(tmp_path: Path) -> None:
    made = LogisticRegression().fit(MATRIX, PANDAS["third"])
    expected = made.predict_proba(MATRIX)
    names = [f"Scored Probabilities_{c}" for c in "pqr"]
    onnx_of(made, matrix_type(), tmp_path / "maps.onnx")
    model = read_model(tmp_path / "maps.onnx", Said("third", names=("a", "b")))
    np.testing.assert_allclose(scores(model).select(names).to_numpy(), expected, atol=1e-5)
    check_everywhere(model, tmp_path)
    onnx_of(made, matrix_type(), tmp_path / "plain.onnx", options={"zipmap": False})
    said = Said("third", names=("a", "b"), classes=("p", "q", "r"))
    model = read_model(tmp_path / "plain.onnx", said)
    np.testing.assert_allclose(scores(model).select(names).to_numpy(), expected, atol=1e-5)


def test_onnx_of_named_columns_with_texts(tmp_path: Path) -> None:
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    made = make_pipeline(
        ColumnTransformer([("n", StandardScaler(), ["a", "b"]), ("k", OneHotEncoder(), ["kind"])]),
        LinearRegression(),
    )
    made.fit(PANDAS[["a", "b", "kind"]], PANDAS["number"])
    types = [
        ("a", FloatTensorType([None, 1])),
        ("b", FloatTensorType([None, 1])),
        ("kind", StringTensorType([None, 1])),
    ]
    onnx_of(made, types, tmp_path / "model.onnx")
    sample = Table(ROWS.select("kind", "a", "b", "number"))
    model = read_model(tmp_path / "model.onnx", Said("number", sample=sample))
    np.testing.assert_allclose(
        scores(model)["Scored Labels"], made.predict(PANDAS), rtol=1e-4, atol=1e-4
    )
    check_everywhere(model, tmp_path)
    with pytest.raises(UnreadableModel, match='"kind" is text'):
        read_model(tmp_path / "model.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"not a protobuf at all")
    with pytest.raises(UnreadableModel):
        read_model(tmp_path / "broken.onnx")


def test_names_that_are_said_count_more_than_those_of_the_file(tmp_path: Path) -> None:
    from skl2onnx.common.data_types import FloatTensorType

    other = ROWS.select(first="a", second="b")
    frame = PANDAS[["a", "b"]]
    line = LinearRegression().fit(frame, PANDAS["number"])
    types = [(name, FloatTensorType([None, 1])) for name in ("a", "b")]
    made = make_pipeline(ColumnTransformer([("n", StandardScaler(), ["a", "b"])]), line)
    made.fit(frame, PANDAS["number"])
    onnx_of(made, types, tmp_path / "model.onnx")
    skops.io.dump(made, tmp_path / "model.skops")
    booster = lightgbm.train(
        {"verbosity": -1, "num_threads": 1}, lightgbm.Dataset(frame, PANDAS["number"]), 3
    )
    booster.save_model(tmp_path / "model.txt")
    for file in ("model.onnx", "model.skops", "model.txt"):
        model = read_model(tmp_path / file, Said(names=("first", "second")))
        assert model.features.names == ("first", "second"), file
        own = score(read_model(tmp_path / file), Table(ROWS)).frame["Scored Labels"]
        assert score(model, Table(other)).frame["Scored Labels"].equals(own), file
    with pytest.raises(UnreadableModel, match="reads 2 columns, and 1 are named"):
        read_model(tmp_path / "model.onnx", Said(names=("first",)))


# MLflow


def mlflow_folder(folder: Path, flavours: dict[str, Any]) -> Path:
    import yaml

    inputs = [{"name": n, "type": "double", "required": True} for n in ("a", "b")]
    about = {"flavors": flavours, "signature": {"inputs": json.dumps(inputs)}}
    folder.mkdir()
    (folder / "MLmodel").write_text(yaml.safe_dump(about))
    return folder


def test_mlflow_folders_of_each_flavour_zipped_or_not(tmp_path: Path) -> None:
    booster = lightgbm.train(
        {"verbosity": -1, "num_threads": 1}, lightgbm.Dataset(MATRIX, PANDAS["number"]), 5
    )
    folder = mlflow_folder(tmp_path / "boosted", {"lightgbm": {"data": "model.lgb"}})
    booster.save_model(folder / "model.lgb")
    model = read_model(folder, Said("number"))
    assert model.features.names == ("a", "b")
    expected = np.asarray(booster.predict(MATRIX))
    np.testing.assert_array_equal(scores(model)["Scored Labels"], expected)
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "boosted")
    np.testing.assert_array_equal(scores(read_model(Path(packed)))["Scored Labels"], expected)

    line = LinearRegression().fit(MATRIX, PANDAS["number"])
    folder = mlflow_folder(
        tmp_path / "safe",
        {"sklearn": {"pickled_model": "model.skops", "serialization_format": "skops"}},
    )
    skops.io.dump(line, folder / "model.skops")
    found = scores(read_model(folder))["Scored Labels"]
    np.testing.assert_allclose(found, line.predict(MATRIX), rtol=1e-12)

    folder = mlflow_folder(tmp_path / "open", {"onnx": {"data": "model.onnx"}})
    onnx_of(line, matrix_type(), folder / "model.onnx")
    found = scores(read_model(folder))["Scored Labels"]
    np.testing.assert_allclose(found, line.predict(MATRIX), rtol=1e-4, atol=1e-4)


def test_mlflow_folders_that_are_refused(tmp_path: Path) -> None:
    folder = mlflow_folder(
        tmp_path / "pickled",
        {"sklearn": {"pickled_model": "model.pkl", "serialization_format": "cloudpickle"}},
    )
    (folder / "model.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(PickledModel):
        read_model(folder)
    with pytest.raises(UnreadableModel, match="its flavours are prophet"):
        read_model(mlflow_folder(tmp_path / "other", {"prophet": {}}))
    outside = mlflow_folder(tmp_path / "outside", {"lightgbm": {"data": "../boosted.txt"}})
    (tmp_path / "boosted.txt").write_text("tree\n")
    with pytest.raises(UnreadableModel, match="is not in it"):
        read_model(outside)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "MLmodel").write_text("- nothing")
    with pytest.raises(UnreadableModel, match="not in order"):
        read_model(empty)
