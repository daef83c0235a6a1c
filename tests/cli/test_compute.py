from __future__ import annotations

from pathlib import Path

from tests.cli.command import Command


def test_a_cluster_is_defined_used_changed_and_forgotten(
    modelwright: Command, tmp_path: Path
) -> None:
    made = modelwright(
        *("compute", "create", "small", "--max", "1", "--idle", "5", "--memory", "900", "--json")
    ).json
    settings = made["settings"]
    assert (settings["max_workers"], settings["worker_memory"]) == (1, 900_000_000)
    assert "small" in modelwright("compute", "list").out
    file = tmp_path / "tiny.yaml"
    file.write_text(
        "modelwright: 1\nname: Tiny\ncompute: small\nnodes:\n"
        "  typed: {component: enter-data-manually, parameters: {data: 'a\n\n    1'}}\n"
    )
    assert modelwright("pipeline", "run", file, "--json").json["target"] == "small"
    run = modelwright("pipeline", "run", file, "--compute", "local", "--json").json
    assert run["target"] == "local"
    assert modelwright("pipeline", "run", file, "--compute", "smal").status == 2
    changed = modelwright("compute", "change", "small", "--max", "2", "--json").json
    assert (changed["settings"]["max_workers"], changed["settings"]["idle_s"]) == (2, 5)
    assert "small: local, off" in modelwright("compute", "show", "small").out
    assert modelwright("compute", "delete", "small").status == 0
    assert [t["settings"]["name"] for t in modelwright("compute", "list", "--json").json] == [
        "local"
    ]
    refused = modelwright("compute", "create", "x", "--max", "1")
    assert (refused.status, "invalid-compute" in refused.err) == (2, True)
