from __future__ import annotations

import pytest

from modelwright.workspace import Workspace


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "été \x00 \ud800", [1, {"b": 1, "a": None}]])
def test_a_setting_is_read_back_as_it_was_set(workspace: Workspace, value: object) -> None:
    workspace.settings.set("any", value)
    assert workspace.settings.get("any", default="other") == value


def test_a_setting_that_was_never_set_has_its_default(workspace: Workspace) -> None:
    assert workspace.settings.get("language") is None
    assert workspace.settings.get("language", default="en") == "en"


def test_a_setting_is_replaced_and_removed(workspace: Workspace) -> None:
    workspace.settings.set("language", "en")
    workspace.settings.set("language", "fr")
    assert workspace.settings.all() == {"language": "fr"}

    workspace.settings.remove("language")
    workspace.settings.remove("language")
    assert workspace.settings.all() == {}
