"""What ships to try Modelwright with: sample datasets with their terms, and sample pipelines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class SampleDataset:
    """A data file that every home has by name.

    missing: the texts that stand for a missing value in it.  large: whether it takes a moment to
    read, so that it is registered only when it is needed, or by a server once it is ready.
    """

    name: str
    description: str
    file: str
    source: str
    licence: str
    missing: tuple[str, ...] = ("",)
    large: bool = True

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return _HERE / "datasets" / self.file


@dataclass(frozen=True, slots=True)
class SamplePipeline:
    """A pipeline file that runs as it is.

    id: short name for commands and addresses.
    """

    id: str
    title: str
    description: str
    file: str

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return _HERE / "pipelines" / self.file

    @property
    def text(self) -> str:
        """The pipeline as YAML."""
        return self.path.read_text(encoding="utf-8")


DATASETS = (
    SampleDataset(
        name="Automobile price data (Raw)",
        description="205 cars of 1985 with their make, body, engine, insurance risk and price.",
        file="automobile-price-raw.csv",
        source="Automobile, J. Schlimmer, UCI Machine Learning Repository, doi:10.24432/C5B01C",
        licence="CC BY 4.0",
        missing=("?", ""),
        large=False,
    ),
    SampleDataset(
        name="German Credit Card UCI dataset",
        description="1,000 borrowers with 20 features; credit-risk is 1 for low risk and 2 for high.",
        file="german-credit.csv",
        source="Statlog (German Credit Data), H. Hofmann, UCI Machine Learning Repository, "
        "doi:10.24432/C5NC77",
        licence="CC BY 4.0",
    ),
    SampleDataset(
        name="Census Income 2000",
        description="29,501 workers of the United States in 2000: schooling, experience, place, and "
        "the logarithm of their weekly income.",
        file="us-census-2000-income.csv",
        source="US Census Bureau, Census 2000 public use microdata, as in J. Wooldridge's textbook data",
        licence="public domain",
    ),
    SampleDataset(
        name="Telephone Customers",
        description="5,000 customers of a telephone company, what they used, and whether they left; "
        "artificial data after a real company's.",
        file="telecom-churn.csv",
        source="Churn, MLC++ machine learning library (Silicon Graphics)",
        licence="free for any use",
    ),
    SampleDataset(
        name="Letter Recognition",
        description="20,000 distorted pictures of the 26 capital letters, each as 16 measurements.",
        file="letter-recognition.csv",
        source="Letter Recognition, D. Slate, UCI Machine Learning Repository, doi:10.24432/C5ZP40",
        licence="CC BY 4.0",
    ),
    SampleDataset(
        name="Flights of New York 2013",
        description="336,776 departures from the three airports of New York, with their delays.",
        file="nyc-flights-2013.parquet",
        source="US Bureau of Transportation Statistics, as in the R package nycflights13",
        licence="CC0",
    ),
    SampleDataset(
        name="Weather of New York 2013",
        description="Hourly weather at the three airports of New York.",
        file="nyc-weather-2013.parquet",
        source="NOAA ASOS stations, as in the R package nycflights13",
        licence="CC0",
    ),
)

PIPELINES = (
    SamplePipeline(
        id="automobile-price",
        title="Regression - Automobile Price Prediction (Basic)",
        description="Predicts the price of a car from its make and its technical data "
        "with a linear regression.",
        file="automobile-price.yaml",
    ),
    SamplePipeline(
        id="automobile-price-compare",
        title="Regression - Automobile Price Prediction (Advanced)",
        description="Compares boosted trees with a forest on the prices of cars.",
        file="automobile-price-compare.yaml",
    ),
    SamplePipeline(
        id="income-feature-selection",
        title="Binary Classification with Feature Selection - Income Prediction",
        description="Chooses the features that say most about an income before it learns from them.",
        file="income-feature-selection.yaml",
    ),
    SamplePipeline(
        id="credit-risk",
        title="Binary Classification with custom Python Script - Credit Risk Prediction",
        description="Weighs one kind of mistake more than the other, with scripts, for two learners.",
        file="credit-risk.yaml",
    ),
    SamplePipeline(
        id="customer-relationship",
        title="Binary Classification - Customer Relationship Prediction",
        description="Predicts which customers will leave, with and without made-up examples (SMOTE).",
        file="customer-relationship.yaml",
    ),
    SamplePipeline(
        id="letter-recognition",
        title="Multiclass Classification - Letter Recognition",
        description="Reads letters with a two-class model for each of them.",
        file="letter-recognition.yaml",
    ),
    SamplePipeline(
        id="cross-validation",
        title="Cross Validation for Binary Classification - Adult Income Prediction",
        description="Tells how good a classifier is on rows it has not seen, fold by fold.",
        file="cross-validation.yaml",
    ),
    SamplePipeline(
        id="permutation-importance",
        title="Permutation Feature Importance",
        description="Tells which columns a model needs, by shuffling them one by one.",
        file="permutation-importance.yaml",
    ),
    SamplePipeline(
        id="tune-parameters",
        title="Tune Parameters for Binary Classification - Adult Income Prediction",
        description="Finds good settings of a classifier by trying many.",
        file="tune-parameters.yaml",
    ),
    SamplePipeline(
        id="flight-delay",
        title="Use custom R Script - Flight Delay Prediction",
        description="Joins flights with the weather before them, with scripts in R, and predicts delays.",
        file="flight-delay.yaml",
    ),
)
