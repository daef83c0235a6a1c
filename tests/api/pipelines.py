"""Pipelines as the API takes them, for tests."""

from __future__ import annotations

from typing import Any


def typed(rows: str = "a,b\n1,x\n2,y\n3,z\n", *, columns: tuple[str, ...] = ("a",)) -> Any:
    """Typed rows of which some columns are kept."""
    return {
        "name": "Tiny",
        "nodes": [
            {"id": "typed", "component": "enter-data-manually", "parameters": {"data": rows}},
            {
                "id": "chosen",
                "component": "select-columns-in-dataset",
                "parameters": {"columns": list(columns)},
            },
        ],
        "wires": [{"source": "typed.dataset", "target": "chosen.dataset"}],
    }


def chain(length: int) -> Any:
    """The car data through so many steps, each of which keeps all columns."""
    nodes: list[Any] = [
        {
            "id": "cars",
            "component": "dataset",
            "parameters": {"name": "Automobile price data (Raw)"},
        }
    ]
    wires = []
    before = "cars.dataset"
    for number in range(length):
        node = f"select-{number}"
        nodes.append(
            {
                "id": node,
                "component": "select-columns-in-dataset",
                "parameters": {"columns": "all"},
            }
        )
        wires.append({"source": before, "target": f"{node}.dataset"})
        before = f"{node}.results_dataset"
    return {"name": "Chain", "nodes": nodes, "wires": wires}


def script(code: str) -> Any:
    """A script that works on nothing; `code` is its body."""
    lines = "\n".join(f"    {line}" for line in code.splitlines())
    return {
        "name": "Script",
        "nodes": [
            {
                "id": "script",
                "component": "execute-python-script",
                "parameters": {"script": f"def azureml_main(first=None, second=None):\n{lines}\n"},
            }
        ],
    }
