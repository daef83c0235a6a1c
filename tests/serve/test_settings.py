from __future__ import annotations

import math
from typing import Any

import pytest

from modelwright.serve.errors import InvalidSetting, UnknownSetting
from modelwright.serve.settings import DeploymentSettings, EndpointSettings

KINDS: tuple[type[DeploymentSettings | EndpointSettings], ...] = (
    DeploymentSettings,
    EndpointSettings,
)


def test_defaults_are_those_that_are_documented() -> None:
    assert DeploymentSettings.read({}).to_json() == {
        "diagnostics": False,
        "scoring_timeout_ms": 60_000,
        "autoscale": True,
        "min_replicas": 1,
        "max_replicas": 10,
        "target_utilization": 70,
        "refresh_period_s": 1.0,
        "calm_s": 60.0,
        "cpu_reserve": 0.1,
        "memory_reserve_gb": 0.5,
        "max_concurrent_requests": 1,
        "max_queue_wait_ms": 500,
        "data_collection": False,
        "collection_share": 100,
        "collection_format": "jsonl",
        "collection_file_mb": 50,
        "collection_files": 20,
    }


@pytest.mark.parametrize("kind", [DeploymentSettings, EndpointSettings])
def test_every_setting_is_explained_in_one_line_and_has_a_default(kind: Any) -> None:
    explained = kind.explained()
    assert set(explained) == set(kind.__struct_fields__)
    for name, schema in explained.items():
        assert schema["description"].endswith("."), name
        assert "\n" not in schema["description"]
        assert "default" in schema or name == "tags"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"scoring_timeout_ms": 0}, "a whole number from 1 to 3600000 is needed"),
        ({"scoring_timeout_ms": 1.5}, "is 1.5; a whole number from 1 to 3600000 is needed"),
        ({"target_utilization": 101}, "a whole number from 1 to 100 is needed"),
        ({"target_utilization": "1e3"}, "is '1e3'; a whole number from 1 to 100 is needed"),
        ({"min_replicas": -1}, "a whole number from 0 to 1000 is needed"),
        ({"min_replicas": 10**400}, "a whole number from 0 to 1000 is needed"),
        ({"cpu_reserve": 0}, "a number above 0 and up to 1024 is needed"),
        ({"cpu_reserve": math.nan}, "is nan; a number above 0 and up to 1024 is needed"),
        ({"calm_s": math.inf}, "is inf; a number from 0 to 86400 is needed"),
        ({"refresh_period_s": None}, "is None; a number from 0.05 to 60 is needed"),
        ({"autoscale": "yes"}, "is 'yes'; true or false is needed"),
        ({"collection_format": "csv"}, "is 'csv'; one of jsonl, parquet is needed"),
        ({"min_replicas": 5, "max_replicas": 4}, "at most max_replicas, 4, is needed"),
        # As YAML reads what is written as: off.
        ({"auth": False}, "is False; one of both, keys, tokens, none is needed"),
        ({"allowed_origins": "https://a.example"}, "a list of texts is needed"),
        ({"tags": {"a": 1}}, "names with a text each is needed"),
        ({"tls_key": 3}, "is 3; a text is needed"),
    ],
)
def test_a_value_out_of_range_is_told_with_its_range(values: dict[str, Any], told: str) -> None:
    (setting, *_) = values
    kind = next(k for k in KINDS if setting in k.__struct_fields__)
    with pytest.raises(InvalidSetting) as caught:
        kind.read(values)
    assert caught.value.fields["setting"] == setting
    assert told in str(caught.value)


NUMBERS = [
    (kind, name, schema)
    for kind in KINDS
    for name, schema in kind.explained().items()
    if schema["type"] in ("integer", "number")
]


@pytest.mark.parametrize(("kind", "name", "schema"), NUMBERS, ids=[n for _, n, _ in NUMBERS])
def test_every_number_has_a_least_and_a_most_value_which_are_taken_and_nothing_beyond(
    kind: type[DeploymentSettings | EndpointSettings], name: str, schema: dict[str, Any]
) -> None:
    step = 1 if schema["type"] == "integer" else 1e-6
    least, most = schema.get("minimum"), schema["maximum"]
    if least is None:
        least = schema["exclusiveMinimum"] + step
    room = {"max_replicas": 1000} if name == "min_replicas" else {}
    room |= {"min_replicas": 0} if name == "max_replicas" else {}
    for value in (least, most):
        assert getattr(kind.read({**room, name: value}), name) == value
    for value in (least - step, most + step, "1", None, True):
        with pytest.raises(InvalidSetting) as caught:
            kind.read({**room, name: value})
        assert caught.value.fields["setting"] == name


def test_an_unknown_setting_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownSetting, match='Nearest: "min_replicas"'):
        DeploymentSettings.read({"min_replica": 2})


def test_a_change_keeps_the_other_settings() -> None:
    first = DeploymentSettings.read({"min_replicas": 2})
    second = first.change({"max_replicas": 3})
    assert (second.min_replicas, second.max_replicas) == (2, 3)
    with pytest.raises(InvalidSetting):
        second.change({"max_replicas": 1})


def test_authentication_is_only_off_when_that_is_said() -> None:
    assert EndpointSettings.read({}).auth == "both"
    assert EndpointSettings.read({"auth": "none"}).auth == "none"
    with pytest.raises(InvalidSetting):
        EndpointSettings.read({"auth": "off"})
