from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.outline import TableOutline
from modelwright.components.palette.python_language.execute_python_script import (
    ExecutePythonScript,
    Results,
)
from modelwright.components.palette.python_language.script import ScriptError
from modelwright.data.file_bundle import FileBundle
from modelwright.data.schema import ColumnType, Role
from modelwright.data.table import Table

CARS = Table(pl.DataFrame({"make": ["audi", "bmw"], "price": [10, 20]}))


def script(*lines: str, before: str = "") -> str:
    """A script whose azureml_main has these lines; the first of them is line 2."""
    head = "def azureml_main(dataframe1=None, dataframe2=None):"
    return before + "\n".join([head, *(f"    {line}" for line in lines)])


def run(source: str, *tables: Table | None, bundle: FileBundle | None = None) -> Results:
    given = dict(zip(("dataset1", "dataset2"), tables, strict=False))
    return ExecutePythonScript(script=source).run(**given, script_bundle=bundle, context=Context())


def result(source: str, *tables: Table | None) -> dict[str, list[Any]]:
    return run(source, *tables).results_dataset_1.frame.to_dict(as_series=False)


def failure(source: str, *tables: Table | None) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        run(source, *tables)
    assert caught.value.code == "script-failed"
    return caught.value


def test_a_tuple_of_one_frame_is_the_first_result() -> None:
    source = script("dataframe1['double'] = dataframe1['price'] * 2", "return dataframe1,")

    first, second = run(source, CARS)

    assert first.frame.to_dict(as_series=False) == {
        "make": ["audi", "bmw"],
        "price": [10, 20],
        "double": [20, 40],
    }
    assert second is None


@pytest.mark.parametrize("returned", ["dataframe1", "[dataframe1]", "(dataframe1, None)"])
def test_a_bare_frame_a_list_and_a_missing_second_result_do_as_well(returned: str) -> None:
    first, second = run(script(f"return {returned}"), CARS)

    assert (first.rows, second) == (2, None)


def test_both_tables_arrive_and_two_frames_come_back() -> None:
    other = Table(pl.DataFrame({"x": [1.5]}))

    first, second = run(script("return dataframe2, dataframe1"), CARS, other)

    assert first.frame.equals(other.frame)
    assert second is not None
    assert second.frame.equals(CARS.frame)


def test_a_port_without_a_wire_gives_none() -> None:
    source = script(
        "assert dataframe1 is None and dataframe2 is None",
        "return pd.DataFrame({'a': [1]})",
        before="import pandas as pd\n",
    )

    assert result(source) == {"a": [1]}


def test_the_script_changes_its_own_frames_and_not_the_input() -> None:
    table = Table(pl.DataFrame({"x": [1.0, 2.0]}))

    changed = result(script("dataframe1.iloc[0, 0] = 9.0", "return dataframe1"), table)

    assert changed == {"x": [9.0, 2.0]}
    assert table.frame["x"].to_list() == [1.0, 2.0]


def test_every_type_comes_back_as_it_went_with_missing_values() -> None:
    frame = pl.DataFrame(
        {
            "text": ["a", None],
            "whole": [1, None],
            "part": [1.5, None],
            "truth": [True, None],
            "day": [datetime(2020, 1, 2, 3), None],  # noqa: DTZ001
            "nothing": pl.Series([None, None], dtype=pl.String),
        }
    )
    table = Table(frame)

    first, _ = run(script("return dataframe1"), table)

    assert first.frame.equals(table.frame)
    assert first.schema == table.schema


def test_a_whole_column_stays_a_double_when_it_was_one() -> None:
    table = Table(pl.DataFrame({"x": [1.0, None]}))

    assert run(script("return dataframe1"), table).results_dataset_1.schema.columns[0].type is (
        ColumnType.DOUBLE
    )


def test_marks_stay_on_columns_of_the_same_name() -> None:
    table = CARS.mark("price", role=Role.LABEL).mark("make", categorical=True)

    first, _ = run(script("return dataframe1.rename(columns={'make': 'brand'})"), table)

    assert [c.role for c in first.schema] == [Role.FEATURE, Role.LABEL]
    assert not first.schema.column("brand").categorical


def test_a_pandas_category_becomes_categorical_text() -> None:
    source = script(
        "dataframe1['make'] = dataframe1['make'].astype('category')", "return dataframe1"
    )

    column = run(source, CARS).results_dataset_1.schema.column("make")

    assert (column.type, column.categorical) == (ColumnType.STRING, True)


def test_prints_go_to_the_log_line_by_line_and_a_named_index_is_mentioned() -> None:
    said: list[str] = []
    source = script(
        "print('rows', len(dataframe1))",
        "print('half', end='')",
        "return dataframe1.groupby('make').sum()",
    )

    ExecutePythonScript(script=source).run(CARS, context=Context(log=said.append))

    assert said[0] == "rows 2"
    assert any(line.startswith('The index "make" is left out') for line in said)
    assert "half" in said


def test_bundled_files_can_be_opened_and_imported(tmp_path: Path) -> None:
    bundle = FileBundle({"pricing.py": b"FACTOR = 3\n", "data/extra.txt": b"7"})
    source = script(
        "with open('Script Bundle/data/extra.txt') as file: extra = int(file.read())",
        "return dataframe1.assign(price=dataframe1['price'] * pricing.FACTOR + extra)",
        before="import pricing\n",
    )
    here, modules = os.getcwd(), set(sys.modules)

    component = ExecutePythonScript(script=source)
    first, _ = component.run(CARS, script_bundle=bundle, context=Context(scratch=tmp_path))

    assert first.frame["price"].to_list() == [37, 67]
    assert os.getcwd() == here
    assert "pricing" not in sys.modules
    assert {"script", "pricing"}.isdisjoint(set(sys.modules) - modules)
    assert list(tmp_path.iterdir()) == []


def test_another_bundle_brings_its_own_module_of_the_same_name() -> None:
    source = script("return dataframe1.assign(price=pricing.FACTOR)", before="import pricing\n")

    for factor in (1, 2):
        bundle = FileBundle({"pricing.py": f"FACTOR = {factor}".encode()})
        first, _ = run(source, CARS, bundle=bundle)
        assert first.frame["price"].to_list() == [factor, factor]


def test_nothing_is_left_for_the_next_run() -> None:
    source = script(
        "global calls",
        "calls += 1",
        "open('left.txt', 'x').close()",
        "return dataframe1.assign(price=calls)",
        before="calls = 0\n",
    )

    for _ in range(2):
        assert result(source, CARS)["price"] == [1, 1]


def test_an_error_names_its_line_and_the_log_holds_the_traceback() -> None:
    said: list[str] = []
    source = script("x = 1", "return dataframe1['prise']")

    with pytest.raises(ScriptError) as caught:
        ExecutePythonScript(script=source).run(CARS, context=Context(log=said.append))

    assert caught.value.fields["line"] == 3
    assert "KeyError: 'prise'" in str(caught.value)
    assert any("return dataframe1['prise']" in line for line in said)
    assert not any("execute_python_script.py" in line for line in said)


def test_an_error_in_a_bundled_module_names_the_line_that_called_it() -> None:
    bundle = FileBundle({"pricing.py": b"def check():\n    raise ValueError('too cheap')\n"})

    with pytest.raises(ScriptError) as caught:
        run(script("pricing.check()", before="import pricing\n"), CARS, bundle=bundle)

    assert caught.value.fields["line"] == 3
    assert "too cheap" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "line", "why"),
    [
        ("def azureml_main(:\n", 1, "invalid syntax"),
        ("x = 1\n", None, 'defines no "azureml_main"'),
        ("import nowhere_to_be_found\n" + script("return 1"), 1, "ModuleNotFoundError"),
        ("def azureml_main():\n    return 1\n", 1, "cannot be called with two data frames"),
        ("if False:\n    azureml_main = 1\n", None, "when it is run"),
        (script("raise SystemExit(3)"), 2, "SystemExit: 3"),
        (script("return None"), 1, "is None, not a pandas data frame"),
        (script("return 5"), 1, "is of type int"),
        (
            script("return dataframe1, 5"),
            1,
            "the second of what azureml_main returns is of type int",
        ),
        (script("return ()"), 1, "returns 0 values"),
        (script("return dataframe1, dataframe1, dataframe1"), 1, "returns 3 values"),
        (
            script("return dataframe1.set_axis([1, 2], axis=1)"),
            1,
            "column name 1, which is not text",
        ),
        (script("return dataframe1.set_axis(['a', 'a'], axis=1)"), 1, 'two columns called "a"'),
        (script("return dataframe1.assign(bad=[1, 'x'])"), 1, 'column "bad"'),
    ],
)
def test_a_script_that_does_not_work_says_why(source: str, line: int | None, why: str) -> None:
    error = failure(source, CARS)

    assert why in str(error)
    assert error.fields["line"] == line


def test_an_empty_table_passes() -> None:
    table = Table(pl.DataFrame(schema={"a": pl.Int64, "b": pl.String}))

    first, _ = run(script("return dataframe1"), table)

    assert (first.rows, first.schema.names) == (0, ("a", "b"))


def test_the_sample_script_runs() -> None:
    said: list[str] = []

    first, _ = ExecutePythonScript().run(CARS, context=Context(log=said.append))

    assert first.frame.equals(CARS.frame)
    assert said == ["Columns: ['make', 'price']"]


def test_a_script_that_does_not_parse_is_found_before_a_run() -> None:
    with pytest.raises(ScriptError):
        ExecutePythonScript(script="def").outline()


def test_nothing_is_known_of_the_results_before_a_run() -> None:
    outline = ExecutePythonScript().outline(dataset1=TableOutline(CARS.schema))

    assert outline == {"results_dataset_1": None, "result_dataset_2": None}


def test_the_ports_are_named_as_on_the_canvas() -> None:
    spec = ExecutePythonScript.__component__

    assert [p.title for p in spec.inputs] == ["Dataset1", "Dataset2", "Script Bundle"]
    assert all(p.optional for p in spec.inputs)
    assert [p.title for p in spec.outputs] == ["Results Dataset 1", "Result Dataset 2"]
    assert [p.optional for p in spec.outputs] == [False, True]
