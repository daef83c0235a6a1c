"""Everything a user can get wrong, through the door where it comes in: the command and HTTP."""

from __future__ import annotations

import http.client
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from modelwright import samples

PROGRAM = Path(sys.executable).parent / "modelwright"
TUTORIAL = samples.PIPELINES[0].path
USER_MISTAKE = 2


@dataclass(frozen=True)
class User:
    """Somebody with a home of their own who types commands."""

    home: Path
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        own = {"MODELWRIGHT_HOME": str(self.home), "XDG_CACHE_HOME": str(self.cache)}
        return {**os.environ, **own, "NO_COLOR": "1"}

    def types(self, *words: str | Path, before: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command.  before: shell text to run first, in the same shell."""
        line: list[str] = [str(PROGRAM), *map(str, words)]
        if before:
            line = ["sh", "-c", f'{before}; exec "$@"', "sh", *line]
        return subprocess.run(
            line, capture_output=True, text=True, check=False, env=self.environment, timeout=90
        )

    def reads(self, *words: str | Path) -> Any:
        """Run a command that must succeed, with --json; its document."""
        done = self.types(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *words: str | Path, code: str, names: tuple[str, ...]) -> str:
        """Run a command that must end with one clear message; what it said."""
        done = self.types(*words)
        refusal(done, code, names)
        return done.stderr


def refusal(done: subprocess.CompletedProcess[str], code: str, names: tuple[str, ...]) -> None:
    """The command was refused with that code and a message that has each of these words."""
    assert done.returncode == USER_MISTAKE, done.stdout + done.stderr
    assert f"[{code}]" in done.stderr, done.stderr
    assert done.stderr.count("error [") == 1
    assert "Traceback" not in done.stdout + done.stderr
    for word in names:
        assert word in done.stderr, f"{word!r} is not in: {done.stderr}"


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> User:
    folder = tmp_path_factory.mktemp("user")
    return User(folder / "home", folder / "cache")


@pytest.fixture(scope="module")
def trained(user: User) -> str:
    """The id of a run of the tutorial."""
    return str(user.reads("pipeline", "run", TUTORIAL)["id"])


def changed(folder: Path, path: str, value: Any) -> Path:
    """The tutorial with one value of its file changed; path: keys with slashes between them."""
    document = yaml.safe_load(TUTORIAL.read_text())
    document.pop("layout")
    *way, last = path.split("/")
    place = document
    for key in way:
        place = place[key]
    place[last] = value
    file = folder / "changed.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def training(folder: Path, rows: list[str], learner: str = "two-class-logistic-regression") -> Path:
    """A pipeline that trains a learner on typed rows of x and y."""
    document = {
        "modelwright": 1,
        "name": "Typed",
        "nodes": {
            "typed": {
                "component": "enter-data-manually",
                "parameters": {"data": "\n".join(["x,y", *rows]) + "\n"},
            },
            "learner": {"component": learner},
            "train": {
                "component": "train-model",
                "parameters": {"label_column": "y"},
                "inputs": {
                    "untrained_model": "learner.untrained_model",
                    "dataset": "typed.dataset",
                },
            },
        },
    }
    file = folder / "typed.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


@pytest.mark.parametrize(
    ("path", "value", "code", "names"),
    [
        pytest.param(
            "nodes/train-model/parameters/label_column",
            "prise",
            "missing-column",
            ("train-model", '"prise"', 'port "dataset"', 'Nearest: "price"'),
            id="missing column",
        ),
        pytest.param(
            "nodes/train-model/parameters/label_column",
            "make",
            "wrong-label-type",
            ("train-model", '"make"', "String", "Choose another label column"),
            id="column of the wrong type",
        ),
        pytest.param(
            "nodes/select-columns/inputs/dataset",
            "clean-missing-data.cleaned_dataset",
            "cycle",
            ("select-columns, clean-missing-data", "Remove one of the wires"),
            id="cycle",
        ),
        pytest.param(
            "nodes/score-model/inputs/trained_model",
            "split-data.results_dataset1",
            "wrong-port-type",
            ("score-model", '"Trained model"', "split-data.results_dataset1", "Remove the wire"),
            id="wire between wrong ports",
        ),
        pytest.param(
            "nodes/split-data/component",
            "split-dta",
            "unknown-component",
            ("split-data", '"split-dta"', "Install the package"),
            id="unknown component",
        ),
        pytest.param(
            "nodes/split-data/parameters/fraction",
            3,
            "invalid-parameter",
            ("split-data", "Fraction of rows", "less than or equal to 1"),
            id="parameter out of range",
        ),
    ],
)
def test_a_mistake_in_the_pipeline_is_placed_before_any_run(
    user: User, tmp_path: Path, path: str, value: Any, code: str, names: tuple[str, ...]
) -> None:
    file = changed(tmp_path, path, value)
    checked = user.types("pipeline", "check", file, "--json")
    refusal(checked, "pipeline-problems", names)
    problems = json.loads(checked.stdout)["problems"]
    assert code in {p["code"] for p in problems}
    assert all(p["remedy"] for p in problems)


def test_a_newer_file_format_is_said_with_both_formats(user: User, tmp_path: Path) -> None:
    file = changed(tmp_path, "modelwright", 99)
    user.refused(
        "pipeline", "run", file, code="newer-file-format", names=("99", "up to 1", "Update")
    )


@pytest.mark.parametrize(
    ("rows", "code", "names"),
    [
        pytest.param(
            [f"{i}," for i in range(9)],
            "label-all-missing",
            ('"y"', '"dataset"', "bring data"),
            id="label missing in every row",
        ),
        pytest.param(
            [f"{i},1" for i in range(9)],
            "one-class-only",
            ('"y"', "single value 1", "Bring rows of every class"),
            id="one class only",
        ),
    ],
)
def test_rows_that_nothing_can_be_learnt_from_fail_the_step_that_learns(
    user: User, tmp_path: Path, rows: list[str], code: str, names: tuple[str, ...]
) -> None:
    done = user.types("pipeline", "run", training(tmp_path, rows))
    refusal(done, "run-failed", ('failed at "train"', *names))
    assert f"[{code}]" in done.stderr


def test_an_empty_table_is_said_to_be_empty_whatever_the_type_of_its_label(
    user: User, tmp_path: Path
) -> None:
    file = training(tmp_path, [], "linear-regression")
    user.refused(
        "pipeline", "run", file, code="pipeline-problems",
        names=("train", '"dataset"', "too few rows", "Look at the step before"),
    )  # fmt: skip
    assert '"code": "empty-table"' in user.types("pipeline", "check", file, "--json").stdout


def test_rows_whose_label_is_missing_are_left_out_and_the_log_counts_them(
    user: User, tmp_path: Path
) -> None:
    rows = [f"{i},{'' if i % 3 == 0 else i}" for i in range(30)]
    done = user.types("pipeline", "run", training(tmp_path, rows, "linear-regression"), "--verbose")
    assert done.returncode == 0, done.stderr
    assert '10 rows without a value in "y" are ignored.' in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "code", "names"),
    [
        pytest.param(
            b"a,b\n1,2\n3\n4,5,6\n",
            "ragged-rows",
            ("bad.csv", "line 3 has 1", "line 4 has 3", "Mend these lines"),
            id="ragged rows",
        ),
        pytest.param(
            b"a,b\n\xe9t\xe9,2\n",
            "wrong-encoding",
            ("bad.csv", "line 2", "windows-1252", "Choose the encoding"),
            id="wrong encoding",
        ),
        pytest.param(b"", "empty-file", ("bad.csv", "at least a line"), id="empty file"),
    ],
)
def test_a_file_that_cannot_be_read_adds_no_dataset(
    user: User, tmp_path: Path, content: bytes, code: str, names: tuple[str, ...]
) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    user.refused("dataset", "add", file, "--name", "bad", code=code, names=names)
    assert "bad" not in [d["name"] for d in user.reads("dataset", "list")]


def damage(artifacts: Path) -> None:
    for file in artifacts.rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(b"not what was stored")


def test_damaged_results_are_told_and_made_again(user: User, trained: str, tmp_path: Path) -> None:
    own = User(tmp_path / "home", user.cache)
    shutil.copytree(user.home, own.home, ignore=shutil.ignore_patterns("endpoints"))
    damage(own.home / "store" / "artifacts")
    output = ("run", "output", trained, "score-model.scored_dataset")
    own.refused(*output, code="corrupt-artifact", names=("sha256:", "--rerun"))
    # The sample's rows are damaged too: the first that reads them says so.
    own.refused(
        "dataset", "show", "Automobile price data (Raw)", code="corrupt-artifact",
        names=("add the data set's file again",),
    )  # fmt: skip
    # From then on they count as lost, and the sample is put back.
    again = own.types("pipeline", "run", TUTORIAL, "--rerun")
    assert again.returncode == 0, again.stderr
    assert own.types(*output).returncode == 0
    assert own.reads("run", "show", trained)["status"] == "completed"


def test_a_lost_dataset_is_named_with_the_command_that_brings_it_back(
    user: User, tmp_path: Path
) -> None:
    own = User(tmp_path / "home", user.cache)
    file = tmp_path / "cars.csv"
    lines = samples.DATASETS[0].path.read_text().splitlines()
    file.write_text(
        "\n".join(lines[:-1]) + "\n"
    )  # not quite the sample, which comes back by itself
    digest = own.reads("dataset", "add", file, "--name", "My cars")["digest"]
    pipeline = changed(tmp_path, "nodes/automobile-data/parameters/name", "My cars")
    shutil.rmtree(own.home / "store" / "artifacts")
    own.refused(
        "pipeline", "run", pipeline, code="pipeline-problems",
        names=("automobile-data", '"My cars"', 'dataset add FILE --name "My cars"'),
    )  # fmt: skip
    assert own.reads("dataset", "add", file, "--name", "My cars")["digest"] == digest
    assert own.types("pipeline", "plan", pipeline).returncode == 0


def test_a_file_on_a_full_disk_is_refused_and_what_was_there_stays(
    user: User, trained: str, tmp_path: Path
) -> None:
    big = tmp_path / "big.csv"
    big.write_text("a,b\n" + "".join(f"{math.sin(i)},{math.cos(i)}\n" for i in range(60_000)))
    # No file may grow past 400 blocks of 512 bytes: the system refuses to write, as on a full disk.
    done = user.types("dataset", "add", big, before="ulimit -f 400")
    refusal(done, "store-full", ("store", "Free disk space", "still there"))
    assert "big" not in [d["name"] for d in user.reads("dataset", "list")]
    assert user.reads("run", "show", trained)["status"] == "completed"
    assert list((user.home / "store" / "temporary").iterdir()) == []


@dataclass(frozen=True)
class Endpoint:
    """An endpoint that somebody has the key of."""

    address: str
    key: str
    example: Mapping[str, Any] = field(repr=False)

    def sends(
        self, body: Any, *, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        """Post a body, as JSON unless it is bytes; status and reply.  headers: None for the key's."""
        parts = urlsplit(self.address)
        assert parts.hostname
        line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        try:
            line.request(
                "POST",
                parts.path,
                body if isinstance(body, bytes) else json.dumps(body),
                {"Authorization": f"Bearer {self.key}"} if headers is None else dict(headers),
            )
            answer = line.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            line.close()

    def request(self, **values: Any) -> dict[str, Any]:
        """The example with other values in its row."""
        (row,) = self.example["Inputs"]["WebServiceInput0"]
        return {"Inputs": {"WebServiceInput0": [{**row, **values}]}}

    def still_scores(self) -> bool:
        status, reply = self.sends(self.example)
        return status == 200 and len(reply["Results"]["WebServiceOutput0"]) == 1


@pytest.fixture(scope="module")
def endpoint(
    user: User, trained: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoint]:
    file = tmp_path_factory.mktemp("inference") / "inference.yaml"
    done = user.types("pipeline", "convert", TUTORIAL, "--run", trained, "-o", file)
    assert done.returncode == 0, done.stderr
    shown = user.reads("endpoint", "deploy", file, "--name", "cars")
    try:
        keys = user.reads("endpoint", "keys", "cars")
        shown = user.reads("endpoint", "show", "cars")
        yield Endpoint(shown["scoring_url"], keys["primary"], shown["example"])
    finally:
        assert user.types("endpoint", "delete", "cars").returncode == 0


def without(request: dict[str, Any], column: str) -> dict[str, Any]:
    del request["Inputs"]["WebServiceInput0"][0][column]
    return request


def refusal_of(answer: tuple[int, Mapping[str, Any]], status: int, code: str) -> Mapping[str, Any]:
    """The error of a reply that must have that status and code."""
    assert answer[0] == status, answer
    error: Mapping[str, Any] = answer[1]["error"]
    assert error["code"] == status
    assert error["details"]["code"] == code
    return error


def test_a_request_without_a_column_is_refused_with_its_row(endpoint: Endpoint) -> None:
    request = without(endpoint.request(mkae="audi"), "make")
    error = refusal_of(endpoint.sends(request), 400, "missing-request-columns")
    assert error["details"]["row"] == 0
    assert error["details"]["columns"] == ["make"]
    assert '"mkae" for "make"' in error["message"]
    assert endpoint.still_scores()


def test_a_column_that_is_not_read_is_ignored(endpoint: Endpoint) -> None:
    assert endpoint.sends(endpoint.request(colour="red")) == endpoint.sends(endpoint.example)


@pytest.mark.parametrize(
    ("column", "value", "wanted"),
    [("horsepower", "many", "a whole number"), ("make", 5, "text"), ("bore", [1], "number")],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_column(
    endpoint: Endpoint, column: str, value: Any, wanted: str
) -> None:
    answer = endpoint.sends(endpoint.request(**{column: value}))
    error = refusal_of(answer, 400, "wrong-value")
    assert (error["details"]["row"], error["details"]["column"]) == (0, column)
    assert wanted in error["message"]
    assert "or null when it is not known" in error["message"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_bare_nan_is_refused_with_the_way_to_write_it(endpoint: Endpoint, value: float) -> None:
    answer = endpoint.sends(endpoint.request(horsepower=value))
    error = refusal_of(answer, 400, "malformed-json")
    assert f"a bare {json.dumps(abs(value))} at character" in error["message"]
    assert '{"isNan": true}' in error["message"]


def test_a_row_that_null_takes_out_is_reported(endpoint: Endpoint) -> None:
    status, reply = endpoint.sends(endpoint.request(horsepower=None))
    assert status == 200
    assert reply["Results"]["WebServiceOutput0"] == []
    (dropped,) = reply["Dropped"]
    assert dropped["row"] == 0
    assert "horsepower" in dropped["reason"]


def test_a_body_that_is_no_json_is_refused(endpoint: Endpoint) -> None:
    refusal_of(endpoint.sends(b'{"Inputs"'), 400, "malformed-json")
    refusal_of(endpoint.sends(b""), 400, "malformed-json")
    refusal_of(endpoint.sends([]), 400, "malformed-request")


def test_a_body_of_200_mb_is_refused_and_the_next_one_is_scored(endpoint: Endpoint) -> None:
    error = refusal_of(endpoint.sends(b" " * 200_000_000), 413, "body-too-large")
    assert "100 MB" in error["message"]
    assert "fewer rows" in error["message"]
    assert endpoint.still_scores()


def test_without_the_key_nothing_is_scored(endpoint: Endpoint) -> None:
    error = refusal_of(endpoint.sends(endpoint.example, headers={}), 401, "no-key")
    assert "Authorization: Bearer KEY" in error["message"]
    wrong = {"Authorization": f"Bearer {endpoint.key[:-1]}"}
    refusal_of(endpoint.sends(endpoint.example, headers=wrong), 401, "wrong-key")


def test_the_command_hands_on_what_the_endpoint_refused(
    user: User, endpoint: Endpoint, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps(without(endpoint.request(), "make")))
    user.refused(
        "endpoint", "score", "cars", "--input", rows, code="request-refused",
        names=("missing-request-columns", '"make"', "Row 0"),
    )  # fmt: skip
