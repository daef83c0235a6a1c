from __future__ import annotations

from pathlib import Path

import pytest

from modelwright import samples
from modelwright.actions.datasets import (
    add_dataset,
    add_samples,
    delete_dataset,
    list_datasets,
    load_dataset,
    show_dataset,
)
from modelwright.actions.pipelines import check_pipeline
from modelwright.data.files.options import ReadOptions
from modelwright.graph.codec import read
from modelwright.workspace.errors import NotFound
from tests.actions.homes import open_home, tutorial

SAMPLE = samples.DATASETS[0].name
NAMES = """\
modelwright: 1
nodes:
  cars:
    component: dataset
    parameters:
      name: cars
      version: {version}
"""


def test_a_fresh_home_has_the_sample_datasets_with_their_terms(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        (dataset,) = list_datasets(home)
        assert dataset.name == SAMPLE
        assert (dataset.version, dataset.rows, dataset.columns) == (1, 205, 26)
        assert dataset.origin["licence"] == "CC BY 4.0"
        table = load_dataset(home, SAMPLE)
        assert table.frame["normalized-losses"].null_count() == 41
        assert check_pipeline(home, tutorial().graph).problems == ()
    with open_home(tmp_path) as home:
        assert [d.version for d in list_datasets(home)] == [1]


def test_a_sample_that_was_deleted_stays_away_and_a_dataset_of_its_name_is_kept(
    tmp_path: Path,
) -> None:
    with open_home(tmp_path) as home:
        delete_dataset(home, SAMPLE)
        # As after an update: everything is looked at again.
        home.workspace.settings.set("samples", {"version": "0", "names": [SAMPLE]})
        add_samples(home)
        assert list_datasets(home) == ()
        add_dataset(home, b"a\n1\n", name=SAMPLE, file_name="mine.csv")
        home.workspace.settings.remove("samples")
        add_samples(home)
        assert [d.columns for d in list_datasets(home)] == [1]


def test_the_same_content_is_the_same_version_and_other_content_the_next(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        first = add_dataset(home, b"a,b\n1,x\n", name="cars", file_name="cars.csv")
        again = add_dataset(home, b"a,b\n1,x\n", name="cars", file_name="cars.csv")
        other = add_dataset(home, b"a,b\n2,x\n", name="cars", file_name="cars.csv")
        assert [(a.dataset.version, a.is_new) for a in (first, again, other)] == [
            (1, True),
            (1, False),
            (2, True),
        ]
        assert load_dataset(home, "cars", version=1).frame["a"].to_list() == [1]
        assert show_dataset(home, "cars").versions == (2, 1)


def test_how_a_file_was_read_is_remembered_and_told(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        added = add_dataset(
            home,
            b"a;b\n1;x\n2\n",
            name="cars",
            file_name="cars.csv",
            options=ReadOptions(separator=";", ragged="skip"),
        )
        assert [n.code for n in added.notes] == ["rows-skipped"]
        assert added.dataset.rows == 1
        assert added.dataset.origin["file"] == "cars.csv"
        assert added.dataset.origin["options"]["separator"] == ";"
        assert added.to_json()["notes"][0]["code"] == "rows-skipped"


def test_a_report_holds_what_is_in_each_column(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        add_dataset(home, b"a,b\n1,x\n2,x\n,y\n", name="cars", file_name="cars.csv")
        a, b = show_dataset(home, "cars").to_json()["profile"]["columns"]
    assert (a["count"], a["missing"], a["mean"], a["minimum"], a["maximum"]) == (2, 1, 1.5, 1, 2)
    assert b["top"] == [{"value": "x", "count": 2}, {"value": "y", "count": 1}]


@pytest.mark.parametrize(
    ("version", "codes"), [("null", []), ("1", []), ("2", ["unknown-dataset"])]
)
def test_a_pipeline_names_a_dataset_and_may_name_its_version(
    tmp_path: Path, version: str, codes: list[str]
) -> None:
    with open_home(tmp_path) as home:
        add_dataset(home, b"a\n1\n", name="cars", file_name="cars.csv")
        found = check_pipeline(home, read(NAMES.format(version=version)).graph)
    assert [p.code for p in found.problems] == codes


def test_a_dataset_that_is_not_there_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        add_dataset(home, b"a\n1\n", name="carts", file_name="cars.csv")
        (problem,) = check_pipeline(home, read(NAMES.format(version="null")).graph).problems
        with pytest.raises(NotFound, match="carts"):
            show_dataset(home, "cars")
    assert problem.code == "unknown-dataset"
    assert '"carts"' in problem.remedy
