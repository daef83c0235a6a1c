"""Lines about what happens in a run that another process works on."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from modelwright.cli.printing import put, seconds
from modelwright.cli.sweeps import line

if TYPE_CHECKING:
    from modelwright.workspace.records.runs import Event


def put_event(event: Event, titles: dict[str, str]) -> None:
    """Write a line about what people want to know of; `titles` of nodes are learnt on the way."""
    told = event.data
    if event.kind == "run-started":
        titles |= {step["node"]: step["title"] for step in told["steps"]}
        return
    said = _said(event)
    if said:
        node = told["node"]
        put(f"{titles.get(node, node)}: {said}")


def put_event_json(event: Event) -> None:
    """Write all of an event as one line of JSON."""
    told = {"seq": event.seq, "kind": event.kind, **event.data}
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _said(event: Event) -> str:
    told = event.data
    match event.kind:
        case "step-running":
            return "running"
        case "step-report":
            return line(told["report"]) if told["report"].get("about") == "sweep" else ""
        case "step-done":
            return f"done in {seconds(told['seconds'])}"
        case "step-reused":
            return "reused"
        case "step-failed":
            return f"failed [{told['failure']['code']}]: {told['failure']['happened']}"
        case "step-skipped":
            return f'skipped, since "{told["because"]}" did not finish'
        case "step-cancelled":
            return "cancelled"
    return ""
