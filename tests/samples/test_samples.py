from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from modelwright import samples
from modelwright.graph.codec import read, write


@pytest.mark.parametrize("sample", samples.DATASETS, ids=lambda s: s.file)
def test_a_sample_dataset_is_there_with_its_terms(sample: samples.SampleDataset) -> None:
    assert sample.path.is_file()
    terms = (sample.path.parent / "README.md").read_text()
    assert f"| `{sample.file}` | {sample.name} |" in terms
    assert sample.licence
    assert sample.source


@pytest.mark.parametrize("sample", samples.PIPELINES, ids=lambda s: s.id)
def test_a_sample_pipeline_is_written_as_the_program_would_write_it(
    sample: samples.SamplePipeline,
) -> None:
    document = read(sample.text)
    assert write(document) == sample.text
    assert document.graph.name == sample.title
    assert set(document.layout.positions) == set(document.graph.nodes)


def test_every_file_that_ships_is_named() -> None:
    folder = Path(samples.__file__).parent
    data = {p.name for p in (folder / "datasets").iterdir()} - {"README.md"}
    assert data == {s.file for s in samples.DATASETS}
    assert {p.name for p in (folder / "pipelines").iterdir()} == {s.file for s in samples.PIPELINES}


def test_the_automobile_data_has_its_rows_and_columns() -> None:
    frame = pl.read_csv(samples.DATASETS[0].path, null_values=["?"])
    assert frame.shape == (205, 26)
    assert frame["normalized-losses"].null_count() == 41
