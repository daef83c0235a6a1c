from __future__ import annotations

from typing import Any

import pytest

from modelwright.serve.errors import InvalidSetting, UnknownSetting
from modelwright.serve.settings import DeploymentSettings, EndpointSettings


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
    ("values", "setting"),
    [
        ({"scoring_timeout_ms": 0}, "scoring_timeout_ms"),
        ({"scoring_timeout_ms": 1.5}, "scoring_timeout_ms"),
        ({"target_utilization": 101}, "target_utilization"),
        ({"max_replicas": 0}, "max_replicas"),
        ({"min_replicas": -1}, "min_replicas"),
        ({"cpu_reserve": 0}, "cpu_reserve"),
        ({"autoscale": "yes"}, "autoscale"),
        ({"refresh_period_s": None}, "refresh_period_s"),
        ({"min_replicas": 5, "max_replicas": 4}, "min_replicas"),
    ],
)
def test_a_value_out_of_range_is_told_with_its_range(values: dict[str, Any], setting: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        DeploymentSettings.read(values)
    assert caught.value.fields["setting"] == setting


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
