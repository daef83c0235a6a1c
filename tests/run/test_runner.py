from __future__ import annotations

from pathlib import Path

from tests.run.worlds import World, graph, statuses

CHAIN = graph(
    {"a": ("numbers", {}), "b": ("add", {}), "c": ("add", {"amount": 10})},
    "a.table > b.dataset",
    "b.table > c.dataset",
)


def test_a_chain_gives_its_results(tmp_path: Path) -> None:
    world = World(tmp_path)
    result = world.run(CHAIN)
    assert result.status == "completed", result.to_json()
    assert statuses(result) == {"a": "done", "b": "done", "c": "done"}
    assert world.values(result, "c.table") == [11, 12, 13]
