"""Turn a pipeline that has run into an inference pipeline, and prove that the two score alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from modelwright.actions.arrangement import arrange
from modelwright.actions.run_pipeline import require_completed
from modelwright.actions.runs import LATEST, outputs_of, show_run
from modelwright.components.library import Library
from modelwright.data.artifact import Digest
from modelwright.data.errors import ModelwrightError
from modelwright.data.table import Table
from modelwright.graph.check import DATASET
from modelwright.graph.codec import Document, Layout, read
from modelwright.graph.edits import assign
from modelwright.graph.graph import Graph, Node, NodeId, Pin
from modelwright.workspace.records.runs import Run, RunStatus

if TYPE_CHECKING:
    from modelwright.actions.home import Home
    from modelwright.inference.parity import Parity
    from modelwright.inference.report import Conversion
    from modelwright.inference.serving import Serving


class RunDiffers(ModelwrightError):
    """A pipeline is not the one that a run ran, so the run's results are not its results."""

    code = "run-differs"

    def __init__(self, run: str, differences: Mapping[str, str]) -> None:
        listed = "; ".join(f'"{node}" {why}' for node, why in differences.items())
        super().__init__(
            f"The pipeline is not the one that {run} ran: {listed}.",
            remedy="Run the pipeline as it is now and convert it with that run, "
            "or convert the pipeline of that run.",
            run=run,
            nodes=list(differences),
            differences=dict(differences),
        )


class ScoresDiffer(ModelwrightError):
    """An inference pipeline does not score as its training pipeline did."""

    code = "scores-differ"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The inference pipeline does not score as the training run did: {why}.",
            remedy="Look at the steps that the report names as kept or changed: "
            "one of them works otherwise on single rows.",
            why=why,
        )


@dataclass(frozen=True)
class Converted:
    """An inference pipeline, how it came out of its training pipeline, and whether they score alike.

    parity: None for a batch pipeline, which is scored with the training pipeline's own steps, and
    where it was not asked for.
    """

    run: Run
    document: Document
    conversion: Conversion
    parity: Parity | None

    def to_json(self) -> dict[str, Any]:
        """Run, pipeline as YAML, changes, absent label columns, and the parity check."""
        from modelwright.graph.codec import write

        return {
            "run": self.run.id,
            "pipeline": write(self.document),
            "changes": self.conversion.report(),
            "absent": list(self.conversion.absent),
            "frozen": dict(self.conversion.frozen),
            "parity": self.parity.to_json() if self.parity else None,
        }


def convert_pipeline(
    home: Home,
    run_id: str,
    *,
    document: Document | None = None,
    kind: Literal["real-time", "batch"] = "real-time",
    requests: tuple[NodeId, ...] = (),
    replies: tuple[NodeId, ...] = (),
    compared: bool = True,
) -> Converted:
    """The inference pipeline of a run, checked against the rows that the run held out.

    run_id: "latest" stands for the last run; of those of the document, if there is one.
    document: the pipeline as it is now; it must be what the run ran.  The run's own unless given.
    requests and replies: nodes whose rows requests replace, and whose rows replies carry; found by
    themselves when empty.  compared: False leaves out the comparison.
    Raises NotFound, RunFailed, RunCancelled, RunDiffers, and what `inference.convert` raises.  That the
    two score differently is told by `parity`, and raised by `require_parity`.
    """
    from modelwright.inference.convert import convert

    report = show_run(home, _last_of(home, document) if run_id == LATEST else run_id)
    if report.run.status.finished:
        require_completed(report)
    ran = read(report.run.graph)
    if document is not None and (found := differences(document.graph, ran.graph, home.library)):
        raise RunDiffers(report.run.id, found)
    # The present file may have better titles and comments; what it does is the same.
    present = document or ran
    graph = assign(present.graph, report.run.parameters)
    outputs = {pin: output.digest for pin, output in outputs_of(home, report.run.id).items()}
    conversion = convert(
        graph,
        library=home.library,
        assets=home.assets.as_of(_datasets_used(graph, outputs)),
        outputs=outputs,
        load=home.store.get,
        save=home.store.put,
        kind=kind,
        requests=requests,
        replies=replies,
    )
    parity = None
    if kind == "real-time" and compared:
        serving = prepared(home, conversion.graph, name="parity")
        parity = parity_with_run(home, serving, conversion, report.run.id)
    layout = Layout(arrange(conversion.graph, present.layout.positions))
    return Converted(report.run, Document(conversion.graph, layout), conversion, parity)


def _last_of(home: Home, document: Document | None) -> str:
    """The last completed run of a pipeline among recent ones; the last of any where there is none."""
    if document is not None:
        for run in home.workspace.runs.list(statuses=(RunStatus.COMPLETED,)).items:
            if not differences(document.graph, read(run.graph).graph, home.library):
                return run.id
    return LATEST


def require_parity(converted: Converted) -> None:
    """Raise ScoresDiffer when the inference pipeline scored rows otherwise than the run did."""
    if converted.parity is not None and converted.parity.verdict == "different":
        raise ScoresDiffer(converted.parity.reason)


def differences(now: Graph, then: Graph, library: Library) -> dict[str, str]:
    """The nodes that do something else in one graph than in the other, with what differs.

    Titles, comments, order, and parameters that do not matter make no difference.
    """
    found: dict[str, str] = {}
    for node_id in [*then.nodes, *(n for n in now.nodes if n not in then.nodes)]:
        if node_id not in now.nodes:
            found[node_id] = "is no longer there"
        elif node_id not in then.nodes:
            found[node_id] = "was not there"
        elif why := _difference(now.nodes[node_id], then.nodes[node_id], library):
            found[node_id] = why
        elif now.wires_into(node_id) != then.wires_into(node_id):
            found[node_id] = "has other wires"
    if not found and _promoted(now) != _promoted(then):
        found["(pipeline parameters)"] = "are others"
    return found


def _difference(now: Node, then: Node, library: Library) -> str:
    if now.component != then.component:
        return f"was {then.component}"
    new, old = _settings(now, library), _settings(then, library)
    names = [n for n in {**old, **new} if new.get(n) != old.get(n)]
    return f"has another {', '.join(names)}" if names else ""


def _settings(node: Node, library: Library) -> Mapping[str, Any]:
    """The parameters that matter, defaults filled in; as they stand where they cannot be read."""
    try:
        return library.make(node.component, node.version, node.parameters).settings()
    except ModelwrightError:
        return node.parameters


def _promoted(graph: Graph) -> dict[str, Any]:
    return {
        name: (parameter.default, sorted(parameter.targets))
        for name, parameter in graph.parameters.items()
    }


def _datasets_used(graph: Graph, outputs: Mapping[Pin, Digest]) -> dict[str, Digest]:
    return {
        str(graph.nodes[pin.node].parameters.get("name")): digest
        for pin, digest in outputs.items()
        if pin.node in graph.nodes and graph.nodes[pin.node].component == DATASET
    }


def parity_with_run(
    home: Home, serving: Serving, conversion: Conversion, run_id: str
) -> Parity | None:
    """Send the rows that a run trained on through a pipeline, and compare with what the run scored.

    None where an input or output of the pipeline is none that the conversion made.
    """
    from modelwright.inference.parity import compare

    report = show_run(home, run_id)
    graph = assign(read(report.run.graph).graph, report.run.parameters)
    outputs = {pin: output.digest for pin, output in outputs_of(home, report.run.id).items()}
    if not {i.node for i in serving.inputs} <= conversion.requests.keys():
        return None
    known = [o for o in serving.outputs if o.node in conversion.replies]
    if not known:
        return None
    given = {
        i.name: _table(home, graph, outputs, conversion.requests[i.node]) for i in serving.inputs
    }
    scored = {o.name: _table(home, graph, outputs, conversion.replies[o.node]) for o in known}
    # All columns are needed to know a row again, whichever of them replies will have.
    whole = replace(serving, outputs=tuple(replace(o, chosen=None) for o in serving.outputs))
    return compare(whole, given=given, scored=scored, library=home.library)


def prepared(home: Home, graph: Graph, *, name: str) -> Serving:
    """An inference pipeline made ready to answer.  Raises what `inference.prepare` raises."""
    from modelwright.inference.prepare import prepare

    return prepare(
        graph,
        name=name,
        library=home.library,
        assets=home.assets,
        load=home.store.get,
        save=home.store.put,
    )


def _table(home: Home, graph: Graph, outputs: Mapping[Pin, Digest], pin: Pin) -> Table:
    from modelwright.inference.convert import StepNotRun

    if pin not in outputs:
        raise StepNotRun(pin.node, graph.nodes[pin.node].title or pin.node)
    value = home.store.get(outputs[pin])
    if not isinstance(value, Table):
        raise TypeError(f"{pin} carries a {value.kind}, where rows enter or leave")
    return value
