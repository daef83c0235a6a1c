"""Every learner with its defaults beside the best-known counterpart, on the same splits, ten seeds.

    python -m bench.learners                  # prints the table of docs/learners.md
    python -m bench.learners --write          # puts it there
    python -m bench.learners --only forest --seeds 3

The counterpart is fitted by hand: scikit-learn's or LightGBM's own estimator in a pipeline that scales
numbers and writes texts as indicators (trees get LightGBM's categories, or indicators in scikit-learn).
Where the defaults here are those of a documented product, such as 8 trees in a forest, the counterpart
has the same size; all else of it is its library's default.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from modelwright.components.context import Context
from modelwright.components.learning.boosting import (
    DRAWN_INPUTS,
    DRAWN_ROWS,
    LEAF_PENALTY,
    LEAF_PENALTY_OF_CLASSES,
)
from modelwright.components.learning.evaluation import read_scores
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.scoring import score
from modelwright.components.learning.training import train
from modelwright.data.table import Table
from modelwright.samples import DATASETS

DOCS = Path(__file__).parent.parent / "docs" / "learners.md"
START, END = "<!-- learners: begin -->", "<!-- learners: end -->"
SEEDS = 10
ONE = Context(threads=1)


@dataclass(frozen=True)
class Data:
    """Rows, and the column to predict."""

    name: str
    frame: pl.DataFrame
    label: str


def shipped(name: str, file: str, label: str, *drop: str) -> Data:
    """A sample data set that ships, without rows that lack a value."""
    sample = next(s for s in DATASETS if s.file == file)
    frame = pl.read_csv(sample.path, null_values=list(sample.missing)).drop(drop)
    return Data(name, frame.drop_nulls(), label)


def carried(name: str) -> Data:
    """A data set that scikit-learn carries."""
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    names = [str(n).replace(" ", "_") for n in bunch.feature_names]
    frame = pl.DataFrame(bunch.data, schema=names)
    return Data(name.replace("_", " "), frame.with_columns(label=pl.Series(bunch.target)), "label")


def numbers() -> list[Data]:
    """Data with a number to predict."""
    return [
        carried("diabetes"),
        shipped("automobile", "automobile-price-raw.csv", "price", "normalized-losses"),
    ]


def two_classes() -> list[Data]:
    """Data with two classes."""
    return [
        carried("breast_cancer"),
        shipped("german credit", "german-credit.csv", "credit-risk"),
        shipped("telephone customers", "telecom-churn.csv", "churn"),
    ]


def several_classes() -> list[Data]:
    """Data with several classes."""
    return [carried("iris"), carried("wine"), carried("digits")]


Split = tuple[pl.DataFrame, pl.DataFrame]


def split(data: Data, seed: int) -> Split:
    """70 % of the rows, and the others."""
    order = np.random.default_rng(seed).permutation(data.frame.height)
    cut = int(0.7 * len(order))
    return data.frame[order[:cut]], data.frame[order[cut:]]


# The other side: pandas frames into estimators.


def prepared(estimator: Any, *, scaled: bool = True) -> Any:
    """The estimator behind indicators for texts, and scaled numbers."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    scale: Any = StandardScaler() if scaled else "passthrough"
    texts = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer(
        (texts, make_column_selector(dtype_exclude=["number", "bool"])), remainder=scale
    )
    return make_pipeline(columns, estimator)


class WithCategories:
    """A LightGBM estimator that gets texts as pandas categories."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.levels: dict[str, Any] = {}

    def _frame(self, rows: Any) -> Any:
        import pandas as pd

        changed = {n: pd.Categorical(rows[n], categories=v) for n, v in self.levels.items()}
        return rows.assign(**changed).rename(columns=lambda n: "".join(c for c in n if c.isalnum()))

    def fit(self, rows: Any, target: Any) -> WithCategories:
        """Fit to rows and their label."""
        texts = rows.select_dtypes(exclude=["number", "bool"]).columns
        self.levels = {n: sorted(rows[n].unique()) for n in texts}
        self.estimator.fit(self._frame(rows), target)
        return self

    def predict(self, rows: Any) -> Any:
        """The predicted labels."""
        return self.estimator.predict(self._frame(rows))


def r_squared(model: Any, test: pl.DataFrame, label: str) -> float:
    """The share of the label's variance that a model explains."""
    from sklearn.metrics import r2_score

    frame = test.to_pandas()
    return float(r2_score(frame[label], model.predict(frame.drop(columns=label))))


def accuracy(model: Any, test: pl.DataFrame, label: str) -> float:
    """The share of rows whose class is right."""
    frame = test.to_pandas()
    return float((model.predict(frame.drop(columns=label)) == frame[label]).mean())


def fitted(estimator: Any, training: pl.DataFrame, label: str) -> Any:
    """The estimator, fitted to all columns but the label."""
    frame = training.to_pandas()
    return estimator.fit(frame.drop(columns=label), frame[label])


@dataclass(frozen=True)
class Match:
    """A learner and its counterpart.

    theirs: makes the counterpart, of a seed.  metric: name of ours, and of theirs the function; larger
    is better unless the name ends with "Loss".
    """

    learner: Callable[[], Learner]
    counterpart: str
    theirs: Callable[[int], Any]
    metric: str
    measure: Callable[[Any, pl.DataFrame, str], float]
    data: Callable[[], list[Data]]


def quantile_loss(models: Any, test: pl.DataFrame, label: str) -> float:
    """The mean pinball loss over the quantiles."""
    from sklearn.metrics import mean_pinball_loss

    frame = test.to_pandas()
    rows = frame.drop(columns=label)
    losses = [mean_pinball_loss(frame[label], m.predict(rows), alpha=q) for q, m in models.items()]
    return float(np.mean(losses))


class Quantiles:
    """A gradient boosting of histograms for each quantile."""

    def __init__(self, quantiles: tuple[float, ...], seed: int) -> None:
        self._quantiles, self._seed = quantiles, seed

    def fit(self, rows: Any, target: Any) -> dict[float, Any]:
        """Fit to rows and their label."""
        from sklearn.ensemble import HistGradientBoostingRegressor as Boosting

        return {
            q: prepared(
                Boosting(loss="quantile", quantile=q, random_state=self._seed), scaled=False
            ).fit(rows, target)
            for q in self._quantiles
        }


class Counted:
    """A forest whose leaves vote with the rows they hold, as the forests here do."""

    def __init__(self, forest: Any) -> None:
        self._forest = forest

    def fit(self, rows: Any, target: Any) -> Counted:
        """Fit to rows and their label."""
        self._forest.fit(rows.to_numpy(), target)
        return self

    def predict(self, rows: Any) -> Any:
        """The class with the most rows in the leaves that a row falls into."""
        matrix = rows.to_numpy().astype(np.float32)
        votes: Any = 0.0
        for grown in self._forest.estimators_:
            leaf = grown.tree_.apply(matrix)
            count = grown.tree_.weighted_n_node_samples[leaf, None]
            votes = votes + grown.tree_.value[leaf, 0] * count
        return self._forest.classes_[votes.argmax(axis=1)]


class Scaled:
    """A regressor of a label that is scaled, too, as networks need it."""

    def __init__(self, estimator: Any) -> None:
        from sklearn.compose import TransformedTargetRegressor
        from sklearn.preprocessing import StandardScaler

        self._model = TransformedTargetRegressor(estimator, transformer=StandardScaler())

    def fit(self, rows: Any, target: Any) -> Any:
        """Fit to rows and their label."""
        return self._model.fit(rows, target)


def matches() -> Iterator[Match]:
    """Every learner with a counterpart."""
    import lightgbm
    from sklearn import ensemble, linear_model, multiclass, neural_network, svm

    from modelwright.components.library import library

    made = {c.__component__.id: c for c in library() if issubclass(c, Learner)}

    def ours(name: str, inside: str | None = None) -> Callable[[], Learner]:
        if inside is None:
            return lambda: made[name]()
        return lambda: made[name]().around(made[inside]())  # type: ignore[attr-defined]  # a wrapper

    def regression(name: str, title: str, theirs: Callable[[int], Any]) -> Match:
        return Match(ours(name), title, theirs, "Coefficient_of_Determination", r_squared, numbers)

    def two(name: str, title: str, theirs: Callable[[int], Any]) -> Match:
        return Match(ours(name), title, theirs, "Accuracy", accuracy, two_classes)

    def several(
        name: str, title: str, theirs: Callable[[int], Any], inside: str | None = None
    ) -> Match:
        return Match(ours(name, inside), title, theirs, "Accuracy", accuracy, several_classes)

    def boosted(kind: Any) -> Callable[[int], Any]:
        return lambda seed: WithCategories(
            kind(random_state=seed, verbosity=-1, n_jobs=1, importance_type="gain")
        )

    def same(kind: Any, **more: Any) -> Callable[[int], Any]:
        """With the sizes that are the defaults here."""
        sizes = {
            "num_leaves": 20,
            "learning_rate": 0.2,
            "min_child_samples": 1,
            "reg_lambda": LEAF_PENALTY,
            "subsample": DRAWN_ROWS,
            "subsample_freq": 1,
            "feature_fraction_bynode": DRAWN_INPUTS,
            **more,
        }
        return lambda seed: WithCategories(kind(random_state=seed, verbosity=-1, n_jobs=1, **sizes))

    def forest(kind: Any) -> Callable[[int], Any]:
        return lambda seed: prepared(kind(8, random_state=seed, n_jobs=1), scaled=False)

    def network(kind: Any) -> Callable[[int], Any]:
        return lambda seed: prepared(kind(random_state=seed, max_iter=500))

    yield regression("linear-regression", "Ridge", lambda seed: prepared(linear_model.Ridge()))
    yield regression(
        "poisson-regression",
        "PoissonRegressor",
        lambda seed: prepared(linear_model.PoissonRegressor(alpha=1e-3, max_iter=1000)),
    )
    yield regression(
        "boosted-decision-tree-regression", "LGBMRegressor", boosted(lightgbm.LGBMRegressor)
    )
    yield regression(
        "boosted-decision-tree-regression",
        "LGBMRegressor, same sizes",
        same(lightgbm.LGBMRegressor),
    )
    yield regression(
        "decision-forest-regression",
        "RandomForestRegressor, 8 trees",
        forest(ensemble.RandomForestRegressor),
    )
    yield regression(
        "neural-network-regression",
        "MLPRegressor, label scaled",
        lambda seed: Scaled(network(neural_network.MLPRegressor)(seed)),
    )
    quantiles = (0.25, 0.5, 0.75)
    yield Match(
        ours("fast-forest-quantile-regression"),
        "HistGradientBoostingRegressor per quantile",
        lambda seed: Quantiles(quantiles, seed),
        "Average Quantile Loss",
        quantile_loss,
        numbers,
    )
    yield two(
        "two-class-logistic-regression",
        "LogisticRegression",
        lambda seed: prepared(linear_model.LogisticRegression(max_iter=1000)),
    )
    yield two(
        "two-class-averaged-perceptron",
        "SGDClassifier, perceptron loss, averaged",
        lambda seed: prepared(
            linear_model.SGDClassifier(
                loss="perceptron",
                penalty=None,
                learning_rate="constant",
                eta0=1.0,
                average=True,
                random_state=seed,
            )
        ),
    )
    yield two(
        "two-class-support-vector-machine",
        "LinearSVC",
        lambda seed: prepared(svm.LinearSVC(random_state=seed)),
    )
    yield two("two-class-boosted-decision-tree", "LGBMClassifier", boosted(lightgbm.LGBMClassifier))
    yield two(
        "two-class-boosted-decision-tree",
        "LGBMClassifier, same sizes",
        same(lightgbm.LGBMClassifier),
    )
    yield two(
        "two-class-decision-forest",
        "RandomForestClassifier, 8 trees",
        forest(ensemble.RandomForestClassifier),
    )
    yield two("two-class-neural-network", "MLPClassifier", network(neural_network.MLPClassifier))
    yield several(
        "multiclass-logistic-regression",
        "LogisticRegression",
        lambda seed: prepared(linear_model.LogisticRegression(max_iter=1000)),
    )
    yield several(
        "multiclass-boosted-decision-tree", "LGBMClassifier", boosted(lightgbm.LGBMClassifier)
    )
    yield several(
        "multiclass-boosted-decision-tree",
        "LGBMClassifier, same sizes",
        same(
            lightgbm.LGBMClassifier,
            num_leaves=31,
            learning_rate=0.1,
            reg_lambda=LEAF_PENALTY_OF_CLASSES,
        ),
    )
    yield several(
        "multiclass-decision-forest",
        "RandomForestClassifier, 8 trees",
        forest(ensemble.RandomForestClassifier),
    )
    yield several(
        "multiclass-decision-forest",
        "RandomForestClassifier, 8 trees, leaves vote with their rows",
        lambda seed: Counted(ensemble.RandomForestClassifier(8, random_state=seed, n_jobs=1)),
    )
    yield several(
        "multiclass-neural-network", "MLPClassifier", network(neural_network.MLPClassifier)
    )
    logistic = linear_model.LogisticRegression
    yield several(
        "one-vs-all-multiclass",
        "OneVsRestClassifier of LogisticRegression",
        lambda seed: prepared(multiclass.OneVsRestClassifier(logistic(max_iter=1000))),
        "two-class-logistic-regression",
    )
    yield several(
        "one-vs-one-multiclass",
        "OneVsOneClassifier of LogisticRegression",
        lambda seed: prepared(multiclass.OneVsOneClassifier(logistic(max_iter=1000))),
        "two-class-logistic-regression",
    )


def compared(match: Match, data: Data, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Our score and theirs, of each seed."""
    mine, other = [], []
    learner = match.learner()
    for seed in range(seeds):
        training, test = split(data, seed)
        model = train(learner, Table(training), data.label, ONE)
        found = read_scores(score(model, Table(test)), port="test").metrics()[match.metric]
        mine.append(float("nan") if found is None else found)
        theirs = fitted(match.theirs(seed), training, data.label)
        other.append(match.measure(theirs, test, data.label))
    return np.array(mine), np.array(other)


def unsupervised(seeds: int) -> Iterator[str]:
    """K-Means by the squared distance of test rows from their centres; anomalies by the AUC."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.metrics import roc_auc_score
    from sklearn.preprocessing import StandardScaler

    from modelwright.components.palette.anomaly_detection import train_anomaly_detection_model as ta
    from modelwright.components.palette.anomaly_detection.pca_based_anomaly_detection import (
        PCABasedAnomalyDetection,
    )
    from modelwright.components.palette.clustering.k_means_clustering import KMeansClustering
    from modelwright.components.palette.model_training.train_clustering_model import (
        TrainClusteringModel,
    )

    wine = carried("wine")
    mine, other = [], []
    for seed in range(seeds):
        training, test = split(Data(wine.name, wine.frame.drop("label"), ""), seed)
        scale = StandardScaler().fit(training.to_numpy())
        names = training.columns
        scaled = [
            pl.DataFrame(scale.transform(f.to_numpy()), schema=names) for f in (training, test)
        ]
        learner = KMeansClustering(number_of_centroids=3, normalize_features=False)
        model = (
            TrainClusteringModel().run(learner.run(), Table(scaled[0]), context=ONE).trained_model
        )
        rows = score(model, Table(scaled[1])).frame
        own = rows.select(pl.min_horizontal(pl.col("^Distances.*$"))).to_numpy()
        mine.append(-float((own**2).mean()))
        theirs = KMeans(3, n_init=1, random_state=seed).fit(scaled[0].to_numpy())
        other.append(float(theirs.score(scaled[1].to_numpy())) / test.height)
    yield line(
        "K-Means Clustering", "KMeans, one start", "wine", "- mean squared distance", mine, other
    )
    data = carried("breast_cancer")
    mine, other = [], []
    for seed in range(seeds):
        training, test = split(data, seed)
        normal = training.filter(pl.col("label") == 1).drop("label")
        # Both get numbers on one scale, as the page of the learner advises.
        scale = StandardScaler().fit(normal.to_numpy())
        matrix, new = (scale.transform(f.to_numpy()) for f in (normal, test.drop("label")))
        trainer = ta.TrainAnomalyDetectionModel()
        usual, strange = (Table(pl.DataFrame(m, schema=normal.columns)) for m in (matrix, new))
        model = trainer.run(PCABasedAnomalyDetection().run(), usual, context=ONE)
        likely = score(model, strange).frame["Scored Probabilities"].to_numpy()
        mine.append(float(roc_auc_score(test["label"], likely)))
        fitted_pca = PCA(PCABasedAnomalyDetection().number_of_components).fit(matrix)
        back = fitted_pca.inverse_transform(fitted_pca.transform(new))
        other.append(float(roc_auc_score(test["label"], -((new - back) ** 2).sum(axis=1))))
    yield line(
        "PCA-Based Anomaly Detection", "PCA, error of reconstruction", data.name, "AUC", mine, other
    )


def line(
    title: str,
    counterpart: str,
    data: str,
    metric: str,
    mine: Any,
    other: Any,
) -> str:
    """A row of the table; within noise when no worse than one deviation of the counterpart's seeds."""
    mine, other = np.asarray(mine), np.asarray(other)
    sign = -1.0 if metric.endswith("Loss") else 1.0
    ahead = sign * (mine - other)
    error = float(ahead.std(ddof=1) / np.sqrt(len(ahead)))
    noise = float(other.std(ddof=1))
    mean = float(ahead.mean())
    verdict = "better" if mean > 2 * error else "within noise" if mean >= -noise else "**worse**"
    shown = f"{mine.mean():.4g} | {other.mean():.4g} | {mean:+.3g} ± {2 * error:.2g} | {noise:.2g}"
    named = f"{title} | {counterpart} | {data} | {metric.replace('_', ' ')}"
    return f"| {named} | {shown} | {verdict} |"


def row(number: int, at: int, seeds: int) -> list[str]:
    """The row of a match, by number, on one of its data sets."""
    warnings.simplefilter("ignore")
    match = next(m for n, m in enumerate(matches()) if n == number)
    data = match.data()[at]
    title = match.learner().__component__.title
    with threadpool_limits(limits=1):
        mine, other = compared(match, data, seeds)
    return [line(title, match.counterpart, data.name, match.metric, mine, other)]


def others(seeds: int) -> list[str]:
    """The rows of the learners without a label."""
    warnings.simplefilter("ignore")
    with threadpool_limits(limits=1):
        return list(unsupervised(seeds))


def main() -> None:
    """Compare, print, and write if asked to."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asked.add_argument("--seeds", type=int, default=SEEDS)
    asked.add_argument(
        "--only", default="", help="only learners whose id has this text, or unsupervised"
    )
    asked.add_argument("--jobs", type=int, default=2, help="processes at a time")
    asked.add_argument("--write", action="store_true", help="put the table into docs/learners.md")
    given = asked.parse_args()
    if given.write and (given.only or given.seeds != SEEDS):
        asked.error("what is written is all of it")
    table = [
        "| learner | counterpart | data | metric | ours | theirs "
        "| ahead (± 2 standard errors) | noise | verdict |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    started = time.perf_counter()
    asked_for = [
        (number, at)
        for number, match in enumerate(matches())
        if given.only in match.learner().__component__.id
        for at in range(len(match.data()))
    ]
    # Spawned, since libraries with threads of their own do not survive a fork.
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        work = [pool.submit(row, number, at, given.seeds) for number, at in asked_for]
        if given.only in "unsupervised":
            work += [pool.submit(others, given.seeds)]
        for done in work:
            for found in done.result():
                table.append(found)
                print(found, flush=True)
    print(f"{time.perf_counter() - started:.0f} seconds")
    if given.write:
        text = DOCS.read_text(encoding="utf-8")
        before, rest = text.split(START, 1)
        _, after = rest.split(END, 1)
        body = "\n".join(table)
        DOCS.write_text(f"{before}{START}\n\n{body}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
