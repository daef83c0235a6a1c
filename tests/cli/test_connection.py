from __future__ import annotations

from pathlib import Path

from tests.cli.command import Command


def test_a_connection_is_added_listed_and_deleted(modelwright: Command) -> None:
    made = modelwright(
        "connection",
        "add",
        "shop",
        "postgresql://me:pw@db/x",
        "--value",
        "sslmode=require",
        "--json",
    ).json
    assert (made["kind"], made["url"]) == ("database", "postgresql://me@db/x")
    listed = modelwright("connection", "list", "--json")
    assert listed.json == [made]
    assert "pw" not in listed.out
    assert "postgresql://me@db/x" in modelwright("connection", "list").out
    assert modelwright("connection", "delete", "shop").status == 0
    assert modelwright("connection", "delete", "shop").status == 2
    assert modelwright("connection", "list", "--json").json == []


def test_a_value_without_a_name_is_refused(modelwright: Command) -> None:
    refused = modelwright("connection", "add", "shop", "s3://bucket", "--value", "oops")
    assert refused.status == 2
    assert "malformed-value" in refused.err


def test_what_pipelines_may_reach_is_changed_and_shown(
    modelwright: Command, tmp_path: Path
) -> None:
    folder = str(tmp_path / "data")
    reach = modelwright(
        "connection", "allow", "--folder", folder, "--host", "db", "--largest", "10", "--json"
    ).json
    assert (reach["folders"][1:], reach["hosts"], reach["largest_download"]) == (
        [folder],
        ["db"],
        10,
    )
    assert modelwright("connection", "disallow", "--folder", folder, "--host", "db").status == 0
    assert "none" in modelwright("connection", "allow").out
