"""What ships to try Modelwright with: sample datasets with their terms, and sample pipelines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class SampleDataset:
    """A data file that every home has by name.

    missing: the texts that stand for a missing value in it.
    """

    name: str
    description: str
    file: str
    source: str
    licence: str
    missing: tuple[str, ...] = ("",)

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
)
