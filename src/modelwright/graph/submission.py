"""Values of pipeline parameters, as they are given when a pipeline is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from modelwright.components.contract import invalid_parameters
from modelwright.components.library import Library
from modelwright.data.errors import ModelwrightError
from modelwright.graph.graph import Graph, NodeId


class WrongParameterValue(ModelwrightError):
    """A pipeline parameter is given a value that a node's parameter does not take."""

    code = "wrong-pipeline-parameter"

    def __init__(self, name: str, value: Any, why: str, node: str, parameter: str) -> None:
        super().__init__(
            f'Pipeline parameter "{name}" cannot be {value!r}: {why}.',
            remedy=f'It sets "{parameter}" of node "{node}"; give a value that is allowed there.',
            name=name,
            value=value,
            why=why,
            node=node,
            parameter=parameter,
        )


def check_values(graph: Graph, values: Mapping[str, Any], library: Library) -> None:
    """Raise WrongParameterValue for the first pipeline parameter with a value not allowed."""
    for name, parameter in graph.parameters.items():
        if name in values:
            for node_id, target in parameter.targets:
                if why := refusal(graph, node_id, target, values[name], library):
                    raise WrongParameterValue(name, values[name], why, node_id, target)


def refusal(
    graph: Graph, node_id: NodeId, parameter: str, value: Any, library: Library
) -> str | None:
    """Why a node's parameter does not take a value, as half a sentence; None when it does.

    Nothing is said of a node that is wrong in another way: `check` tells of that.
    """
    node = graph.nodes.get(node_id)
    if node is None or node.component not in library:
        return None
    kind = library.find(node.component)
    try:
        values = library.upgrade(
            node.component, node.version, {**node.parameters, parameter: value}
        )
        kind.model_validate(values)
    except ValidationError as error:
        found = zip(error.errors(include_url=False), invalid_parameters(kind, error), strict=True)
        for fault, told in found:
            if fault["loc"][:1] == (parameter,) and fault["type"] != "extra_forbidden":
                return str(told.fields["why"])
    except ModelwrightError:
        return None
    return None


def submitted(graph: Graph, values: Mapping[str, Any]) -> dict[str, Any]:
    """Every pipeline parameter with the value that counts, and what else was given."""
    return {name: p.default for name, p in graph.parameters.items()} | dict(values)
