"""What is kept of endpoints that run elsewhere."""

from __future__ import annotations

import pytest

from modelwright.serve.capacity import Resources
from modelwright.serve.endpoint_folder import Served
from modelwright.serve.errors import InvalidSetting
from modelwright.serve.held import Held
from modelwright.serve.settings import DeploymentSettings


def test_what_an_earlier_version_kept_is_read() -> None:
    found = Held.from_json(
        {
            **{"package": "packages/a", "number": 3, "host": "127.0.0.1", "port": 80},
            **{"deployment": {"cpu_reserve": 1.0}, "endpoint": {}, "running": False},
        }
    )
    assert found == Held(
        {3: Served("packages/a", {"cpu_reserve": 1.0})}, "127.0.0.1", 80, running=False
    )
    assert Held.from_json(found.to_json()) == found


def test_all_deployments_reserve_together_and_a_shadow_that_answers_twice() -> None:
    each = {"cpu_reserve": 0.5, "memory_reserve_gb": 1.0}
    held = Held({1: Served("a", each, 100), 2: Served("b", each, 0, 50)})
    assert held.reserves() == Resources(1.0, 2.0)
    both = Held({1: Served("a", each, 60), 2: Served("b", each, 40, 50)})
    assert both.reserves() == Resources(1.5, 3.0)


def test_settings_change_for_one_deployment_or_for_all() -> None:
    held = Held({1: Served("a"), 2: Served("b")})
    one = held.changed(DeploymentSettings.read, {"calm_s": 5.0}, 2, {"auth": "tokens"})
    assert [d.settings.get("calm_s") for d in one.deployments.values()] == [None, 5.0]
    assert one.endpoint["auth"] == "tokens"
    both = held.changed(DeploymentSettings.read, {"calm_s": 5.0}, None, None)
    assert {d.settings["calm_s"] for d in both.deployments.values()} == {5.0}
    with pytest.raises(InvalidSetting):
        held.changed(DeploymentSettings.read, {"calm_s": -1.0}, 1, None)


def test_only_deployments_that_keep_requests_have_files() -> None:
    each = {"data_collection": True, "collection_files": 3}
    assert Held({1: Served("a"), 2: Served("b", each)}).collecting == {2: 3}
