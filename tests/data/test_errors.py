"""Errors: one form, a code each, and the same error after a journey."""

from __future__ import annotations

import json
import pickle

import pytest

from modelwright.data.artifact import CorruptArtifact
from modelwright.data.errors import ModelwrightError, nearest, suggestion
from modelwright.data.schema import MissingColumn


def missing() -> MissingColumn:
    return MissingColumn("agee", ["age", "sex"], port="dataset")


def test_a_message_says_what_happened_and_what_to_do() -> None:
    error = missing()
    assert error.happened == 'Column "agee" is not in the data on port "dataset".'
    assert error.remedy == 'Nearest: "age". Choose a column that is there.'
    assert str(error) == f"{error.happened} {error.remedy}"


def test_an_error_is_one_json_object() -> None:
    assert missing().to_json() == {
        "code": "missing-column",
        "message": str(missing()),
        "happened": missing().happened,
        "remedy": missing().remedy,
        "fields": {"column": "agee", "port": "dataset", "near": ["age", "sex"]},
    }


def test_an_error_is_the_same_after_pickling_and_after_json() -> None:
    sent = missing()
    for came in (
        pickle.loads(pickle.dumps(sent)),
        ModelwrightError.from_json(json.loads(json.dumps(sent.to_json()))),
    ):
        assert type(came) is MissingColumn
        assert came.to_json() == sent.to_json()


def test_an_error_of_an_unknown_code_keeps_it() -> None:
    value = {**missing().to_json(), "code": "from-a-plug-in"}
    came = ModelwrightError.from_json(value)
    assert type(came) is ModelwrightError
    assert came.to_json() == value
    assert missing().code == "missing-column"


def test_a_code_belongs_to_one_class() -> None:
    with pytest.raises(TypeError, match="'missing-column' is used by"):

        class Another(ModelwrightError):
            code = "missing-column"

    assert ModelwrightError.known["missing-column"] is MissingColumn


def test_a_class_without_a_code_of_its_own_keeps_its_parents() -> None:
    class Finer(CorruptArtifact):
        pass

    assert Finer("table", "no").code == "corrupt-artifact"
    assert ModelwrightError.known["corrupt-artifact"] is CorruptArtifact


def test_near_names_are_offered_best_first_whatever_their_case() -> None:
    assert nearest("PRICE", ("prices", "price", "body")) == ("price", "prices")
    assert suggestion("PRICE", ("price",)) == 'Nearest: "price". '
    assert suggestion("zzz", ("price",)) == ""
