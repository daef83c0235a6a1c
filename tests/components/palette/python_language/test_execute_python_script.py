from __future__ import annotations

import importlib.util
import os
import sys
import time
import zipfile
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
from modelwright.data.file_bundle import FileBundle
from modelwright.data.schema import ColumnType, Role
from modelwright.data.scripting.errors import (
    RequirementsNotInstalled,
    ScriptEnded,
    ScriptError,
    ScriptOutOfMemory,
    ScriptTimedOut,
)
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

    first, second, _ = run(source, CARS)

    assert first.frame.to_dict(as_series=False) == {
        "make": ["audi", "bmw"],
        "price": [10, 20],
        "double": [20, 40],
    }
    assert second is None


@pytest.mark.parametrize("returned", ["dataframe1", "[dataframe1]", "(dataframe1, None)"])
def test_a_bare_frame_a_list_and_a_missing_second_result_do_as_well(returned: str) -> None:
    first, second, _ = run(script(f"return {returned}"), CARS)

    assert (first.rows, second) == (2, None)


def test_both_tables_arrive_and_two_frames_come_back() -> None:
    other = Table(pl.DataFrame({"x": [1.5]}))

    first, second, _ = run(script("return dataframe2, dataframe1"), CARS, other)

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

    first, _, _ = run(script("return dataframe1"), table)

    assert first.frame.equals(table.frame)
    assert first.schema == table.schema


def test_a_whole_column_stays_a_double_when_it_was_one() -> None:
    table = Table(pl.DataFrame({"x": [1.0, None]}))

    assert run(script("return dataframe1"), table).results_dataset_1.schema.columns[0].type is (
        ColumnType.DOUBLE
    )


def test_marks_stay_on_columns_of_the_same_name() -> None:
    table = CARS.mark("price", role=Role.LABEL).mark("make", categorical=True)

    first, _, _ = run(script("return dataframe1.rename(columns={'make': 'brand'})"), table)

    assert [c.role for c in first.schema] == [Role.FEATURE, Role.LABEL]
    assert not first.schema.column("brand").categorical


def test_a_pandas_category_becomes_categorical_text() -> None:
    source = script(
        "dataframe1['make'] = dataframe1['make'].astype('category')", "return dataframe1"
    )

    column = run(source, CARS).results_dataset_1.schema.column("make")

    assert (column.type, column.categorical) == (ColumnType.STRING, True)


def test_periods_intervals_and_sparse_numbers_become_what_tables_hold() -> None:
    source = script(
        "p = pd.period_range('2020-01', periods=2, freq='M')",
        "i = pd.cut(pd.Series([1, None]), [0, 2])",
        "return pd.DataFrame({'p': p, 'i': i, 's': pd.arrays.SparseArray([0, 5]), '': [1, 2]})",
        before="import pandas as pd\n",
    )

    assert result(source, CARS) == {
        "p": ["2020-01", "2020-02"],
        "i": ["(0, 2]", None],
        "s": [0, 5],
        "": [1, 2],
    }


def test_a_line_without_an_end_is_in_the_log_in_pieces() -> None:
    said: list[str] = []
    source = script("print('x' * 1_000_000)", "print('end')", "return dataframe1")

    ExecutePythonScript(script=source).run(CARS, context=Context(log=said.append))

    assert "".join(said) == "x" * 1_000_000 + "end"
    assert max(map(len, said)) <= 1 << 16
    assert said[-1] == "end"


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
    first, _, _ = component.run(CARS, script_bundle=bundle, context=Context(scratch=tmp_path))

    assert first.frame["price"].to_list() == [37, 67]
    assert os.getcwd() == here
    assert "pricing" not in sys.modules
    assert {"script", "pricing"}.isdisjoint(set(sys.modules) - modules)
    assert list(tmp_path.iterdir()) == []


def test_another_bundle_brings_its_own_module_of_the_same_name() -> None:
    source = script("return dataframe1.assign(price=pricing.FACTOR)", before="import pricing\n")

    for factor in (1, 2):
        bundle = FileBundle({"pricing.py": f"FACTOR = {factor}".encode()})
        first, _, _ = run(source, CARS, bundle=bundle)
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
        (script("return dataframe1.assign(bad=[2**70, 1])"), 1, 'column "bad"'),
        (
            script(
                "return dataframe1.assign(bad=np.array([2**63, 1], 'uint64'))",
                before="import numpy as np\n",
            ),
            2,
            'column "bad"',
        ),
        (script("raise ValueError('half \\ud800 of it')"), 2, "half \\ud800 of it"),
        (script("raise ValueError('x' * 1_000_000)"), 2, "xxx …."),
    ],
)
def test_a_script_that_does_not_work_says_why(source: str, line: int | None, why: str) -> None:
    error = failure(source, CARS)

    assert why in str(error)
    assert error.fields["line"] == line


def test_an_empty_table_passes() -> None:
    table = Table(pl.DataFrame(schema={"a": pl.Int64, "b": pl.String}))

    first, _, _ = run(script("return dataframe1"), table)

    assert (first.rows, first.schema.names) == (0, ("a", "b"))


def test_the_sample_script_runs() -> None:
    said: list[str] = []

    first, _, _ = ExecutePythonScript().run(CARS, context=Context(log=said.append))

    assert first.frame.equals(CARS.frame)
    assert said == ["Columns: ['make', 'price']"]


def test_a_script_that_does_not_parse_is_found_before_a_run() -> None:
    with pytest.raises(ScriptError):
        ExecutePythonScript(script="def").outline()


def test_nothing_is_known_of_the_results_before_a_run() -> None:
    outline = ExecutePythonScript().outline(dataset1=TableOutline(CARS.schema))

    assert outline == {"results_dataset_1": None, "result_dataset_2": None, "plots": None}


def test_the_ports_are_named_as_on_the_canvas() -> None:
    spec = ExecutePythonScript.__component__

    assert [p.title for p in spec.inputs] == ["Dataset1", "Dataset2", "Script Bundle"]
    assert all(p.optional for p in spec.inputs)
    assert [p.title for p in spec.outputs] == ["Results Dataset 1", "Result Dataset 2", "Plots"]
    assert [p.optional for p in spec.outputs] == [False, True, True]


def test_open_figures_become_images() -> None:
    source = script(
        "plt.plot([1, 2])",
        "plt.figure()",
        "dataframe1.plot(ax=plt.gca())",
        "return dataframe1",
        before="import matplotlib.pyplot as plt\n",
    )

    plots = run(source, CARS).plots

    assert plots is not None
    assert list(plots.files) == ["plot-01.png", "plot-02.png"]
    assert all(content.startswith(b"\x89PNG") for content in plots.files.values())
    assert plots.files == (run(source, CARS).plots or plots).files
    assert run(script("return dataframe1"), CARS).plots is None


def test_a_script_works_in_a_process_of_its_own() -> None:
    source = script(
        "return pd.DataFrame({'process': [os.getpid()]})", before="import os, pandas as pd\n"
    )

    processes = {result(source)["process"][0] for _ in range(2)}

    assert len(processes) == 2
    assert os.getpid() not in processes


def test_a_script_is_stopped_when_its_time_is_up() -> None:
    source = script("time.sleep(60)", before="import time\n")
    started = time.monotonic()

    with pytest.raises(ScriptTimedOut, match=r"after 0\.3 seconds"):
        ExecutePythonScript(script=source, time_limit=0.3).run(CARS, context=Context())
    with pytest.raises(ScriptTimedOut):
        ExecutePythonScript(script="while True: pass\n" + source, time_limit=0.3).run(
            CARS, context=Context()
        )

    assert time.monotonic() - started < 30


def test_a_script_gets_no_more_memory_than_it_may_have() -> None:
    source = script("x = bytearray(800_000_000)", "return dataframe1.assign(price=len(x))")

    with pytest.raises(ScriptOutOfMemory, match=r"Line 2 of the script needs more than 0\.4 GB"):
        ExecutePythonScript(script=source, memory_limit=0.4).run(CARS, context=Context())
    enough = ExecutePythonScript(script=source, memory_limit=1.2).run(CARS, context=Context())
    assert enough.results_dataset_1.rows == 2


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_a_process_that_ends_is_told_of_with_what_it_printed(end: str) -> None:
    said: list[str] = []
    source = script("print('so far')", end, before="import os\n")

    with pytest.raises(ScriptEnded):
        ExecutePythonScript(script=source).run(CARS, context=Context(log=said.append))

    assert said == ["so far"]


def test_prints_of_programs_that_it_starts_are_in_the_log_too() -> None:
    said: list[str] = []
    source = script(
        "subprocess.run(['echo', 'from outside'], check=True)",
        "print()",
        "sys.stderr.write('größe\\n')",
        "return dataframe1",
        before="import subprocess, sys\n",
    )

    ExecutePythonScript(script=source).run(CARS, context=Context(log=said.append))

    assert said == ["from outside", "", "größe"]


def test_an_endpoint_runs_the_top_once_and_the_function_for_each_request() -> None:
    source = script(
        "global calls",
        "calls += 1",
        "return dataframe1.assign(price=calls, top=top)",
        before="import os\ntop = os.getpid()\ncalls = 0\n",
    )
    component = ExecutePythonScript(script=source)
    context = Context(resident=True)

    found = [component.run(CARS, context=context).results_dataset_1.frame for _ in range(2)]

    assert [f["price"][0] for f in found] == [1, 2]
    assert found[0]["top"][0] == found[1]["top"][0]


def test_an_endpoint_goes_on_after_a_script_that_failed_or_ended() -> None:
    source = script(
        "what = dataframe1['make'][0]",
        "if what == 'fail': raise ValueError(what)",
        "if what == 'end': os._exit(1)",
        "return dataframe1",
        before="import os\n",
    )
    component = ExecutePythonScript(script=source)
    context = Context(resident=True)

    for what, error in (("fail", ScriptError), ("end", ScriptEnded)):
        with pytest.raises(error):
            component.run(Table(pl.DataFrame({"make": [what]})), context=context)
        assert component.run(CARS, context=context).results_dataset_1.rows == 2


def test_an_endpoint_stops_a_request_that_takes_too_long_and_answers_the_next() -> None:
    source = script("while dataframe1['make'][0] == 'long': pass", "return dataframe1")
    context = Context(resident=True)
    long = Table(pl.DataFrame({"make": ["long"]}))

    with pytest.raises(ScriptTimedOut):
        ExecutePythonScript(script=source, time_limit=0.5).run(long, context=context)
    answered = ExecutePythonScript(script=source, time_limit=60).run(CARS, context=context)

    assert answered.results_dataset_1.rows == 2


def wheel(folder: Path, name: str, version: str, source: str) -> Path:
    """A package of one module, as a wheel."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", source)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_packages_are_installed_once_beside_this_installation_and_pinned_by_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELWRIGHT_SCRIPT_PACKAGES", str(tmp_path / "sets"))
    wheel(tmp_path, "oddpricing", "1.0", "FACTOR = 3\n")
    requirements = f"--no-index\n--find-links {tmp_path}\n# prices\noddpricing>=1  # any\n"
    source = script(
        "return dataframe1.assign(price=oddpricing.FACTOR)", before="import oddpricing\n"
    )
    component = ExecutePythonScript(script=source, requirements=requirements)
    said: list[str] = []

    first, _, _ = component.run(CARS, context=Context(log=said.append))
    wheel(tmp_path, "oddpricing", "2.0", "FACTOR = 4\n")
    again, _, _ = component.run(CARS, context=Context(log=said.append))
    frozen = component.as_frozen()
    monkeypatch.setenv("MODELWRIGHT_SCRIPT_PACKAGES", str(tmp_path / "elsewhere"))
    pinned, _, _ = frozen.run(CARS, context=Context())
    fresh, _, _ = component.run(CARS, context=Context())

    assert [t.frame["price"][0] for t in (first, again, pinned, fresh)] == [3, 3, 3, 4]
    assert said.count("Installed oddpricing==1.0.") == 1
    assert frozen.requirements == f"--no-index\n--find-links {tmp_path}\noddpricing==1.0"
    assert importlib.util.find_spec("oddpricing") is None


def test_packages_that_cannot_be_installed_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELWRIGHT_SCRIPT_PACKAGES", str(tmp_path))
    component = ExecutePythonScript(requirements="--no-index\nno-such-package-anywhere")

    with pytest.raises(RequirementsNotInstalled, match="no-such-package-anywhere"):
        component.run(CARS, context=Context())
    assert list(tmp_path.iterdir()) == []
