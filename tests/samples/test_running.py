"""Every sample runs as it stands in the gallery, on all its rows, and finds what it is there to show."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from modelwright import samples
from modelwright.actions.datasets import bring_sample, delete_dataset, list_datasets
from modelwright.actions.drafts import draft_of_sample, get_draft
from modelwright.actions.home import Home
from modelwright.actions.pipelines import check_pipeline
from modelwright.actions.run_pipeline import run_pipeline
from modelwright.actions.runs import outputs_of
from modelwright.data.table import Table
from modelwright.graph.graph import Pin
from tests.actions.homes import open_home

Found = Callable[[str], pl.DataFrame]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with open_home(tmp_path_factory.mktemp("home")) as opened:
        yield opened


def ran(home: Home, sample: str) -> Found:
    """Runs a sample from the gallery; gives the tables it made by pin."""
    opened = draft_of_sample(home, sample)
    document = get_draft(home, opened.record.id).document
    assert document is not None
    assert check_pipeline(home, document.graph).problems == ()
    report = run_pipeline(home, document.graph)
    outputs = outputs_of(home, report.run.id)

    def table(pin: str) -> pl.DataFrame:
        value = home.store.get(outputs[Pin.parse(pin)].digest)
        assert isinstance(value, Table)
        return value.frame

    return table


def test_two_learners_of_car_prices_are_compared(home: Home) -> None:
    found = ran(home, "automobile-price-compare")("evaluate-model.evaluation_results")
    assert found.height == 2
    assert min(found["Coefficient_of_Determination"].to_list()) > 0.7


def test_income_is_predicted_from_the_best_three_features(home: Home) -> None:
    table = ran(home, "income-feature-selection")
    assert table("select-features.filtered_dataset").width == 4
    assert table("evaluate-model.evaluation_results")["AUC"][0] > 0.7
    alone = table("score-without-label.scored_dataset")
    assert "income" not in alone.columns
    with_label = table("score-model.scored_dataset")
    assert alone["Scored Probabilities"].equals(with_label["Scored Probabilities"])
    assert alone.height + table("split-data.results_dataset1").height == 29_501


def test_weighing_costly_mistakes_lowers_their_cost(home: Home) -> None:
    table = ran(home, "credit-risk")
    results = table("results.results_dataset")
    right = {(a, t): v for a, t, v in results.rows()}
    assert right["SVM", "weighted"] > right["SVM", "unweighted"]
    assert right["Boosted Decision Tree", "weighted"] > right["Boosted Decision Tree", "unweighted"]
    # 300 test rows, those of high risk five times.
    test = table("repeat-test.results_dataset_1")
    high = table("split-data.results_dataset2").filter(pl.col("Credit risk") == 2).height
    assert test.height == 300 + 4 * high


def test_made_up_leavers_help_to_find_more_of_the_real_ones(home: Home) -> None:
    table = ran(home, "customer-relationship")
    found = table("evaluate-model.evaluation_results")
    assert min(found["AUC"].to_list()) > 0.85
    leavers = table("split-data.results_dataset1").filter(pl.col("churn") == "yes").height
    assert table("smote.table").height == 3500 + leavers
    assert found["Recall"][1] >= found["Recall"][0]


def test_letters_are_read(home: Home) -> None:
    table = ran(home, "letter-recognition")
    assert table("evaluate-model.evaluation_results")["Accuracy"][0] > 0.9
    assert table("score-model.scored_dataset").height == 6000


def test_ten_folds_of_incomes_are_measured(home: Home) -> None:
    table = ran(home, "cross-validation")
    folds = table("cross-validate.evaluation_results_by_fold")
    assert folds["Number of examples in fold"].sum() == 29_501
    assert min(folds["AUC"].to_list()) > 0.65
    assert table("cross-validate.scored_results").height == 29_501


def test_shuffling_what_a_model_needs_hurts_it(home: Home) -> None:
    found = ran(home, "permutation-importance")("importance.feature_importance")
    assert found.height == 19
    best = found["Feature"].to_list()[:5]
    # What the customers pay for their calls by day, and how often they have to ask for help.
    assert "number_customer_service_calls" in best
    assert {"total_day_minutes", "total_day_charge"} & set(best)


def test_good_settings_are_found(home: Home) -> None:
    table = ran(home, "tune-parameters")
    sweep = table("tune.sweep_results")
    assert sweep.height == 10
    assert sweep["AUC"].is_sorted(descending=True)
    assert table("evaluate-model.evaluation_results")["AUC"][0] > sweep["AUC"][-1]


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_late_flights_are_told_from_the_weather_before_them(home: Home) -> None:
    table = ran(home, "flight-delay")
    assert table("evaluate-model.evaluation_results")["AUC"][0] > 0.6
    flights = table("drop-leakers.results_dataset")
    assert "dep_delay" not in flights.columns
    # 9,430 flights were cancelled or sent elsewhere.
    assert flights.height == 336_776 - 9_430
    joined = table("join-data.results_dataset")
    assert 0.9 * flights.height < joined.height <= flights.height
    parts = [table(f"split-data.results_dataset{part}")["month"].unique() for part in (1, 2)]
    assert [sorted(part.to_list()) for part in parts] == [list(range(1, 10)), [10, 11, 12]]


def test_every_sample_is_run_by_a_test() -> None:
    here = Path(__file__).read_text()
    for sample in samples.PIPELINES[1:]:
        assert f'ran(home, "{sample.id}")' in here


def test_a_large_sample_dataset_comes_when_it_is_asked_for(tmp_path: Path) -> None:
    large = next(s for s in samples.DATASETS if s.large)
    with open_home(tmp_path) as fresh:
        assert [d.name for d in list_datasets(fresh)] == [samples.DATASETS[0].name]
        assert fresh.assets.dataset(large.name).rows > 0
        assert large.name in [d.name for d in list_datasets(fresh)]
        delete_dataset(fresh, large.name)
        # Deleted, it stays away.
        assert not bring_sample(fresh, large.name)
    with open_home(tmp_path) as again:
        assert large.name not in [d.name for d in list_datasets(again)]
