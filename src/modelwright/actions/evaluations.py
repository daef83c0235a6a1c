"""The curves behind an evaluation, for each set of scored rows that Evaluate Model was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.actions.metrics import MetricTable, metric_tables
from modelwright.actions.run_details import title_in
from modelwright.actions.run_pipeline import EVALUATION
from modelwright.actions.runs import outputs_of, show_run
from modelwright.actions.table_rows import load_table
from modelwright.data.artifact import Digest
from modelwright.data.errors import ModelwrightError
from modelwright.graph.check import data_wires_into
from modelwright.graph.codec import read
from modelwright.graph.edits import assign
from modelwright.graph.graph import NodeId, Pin
from modelwright.workspace.errors import NotFound

if TYPE_CHECKING:
    from modelwright.actions.home import Home


class NotEvaluated(ModelwrightError):
    """Curves are asked of a step that was given no scored rows."""

    code = "not-evaluated"

    def __init__(self, run: str, node: str) -> None:
        super().__init__(
            f'No scored rows reached "{node}" in {run}.',
            remedy="Choose an Evaluate Model step whose inputs have run.",
            run=run,
            node=node,
        )


@dataclass(frozen=True)
class ScoredRows:
    """One set of scored rows.

    port: the input of the evaluating step.  source: the output it came from, as "node.port", and
    the title of that node.  plots: as `evaluation_plots` gives them.
    """

    port: str
    source: str
    title: str
    digest: Digest
    plots: Mapping[str, Any]


@dataclass(frozen=True)
class Group:
    """What was measured of the rows of a group.  port: of their dataset.  values: by metric."""

    port: str
    name: str
    rows: int
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Groups:
    """The figures by group.

    column: whose values the groups are.  metrics: the names of the figures.  losses: those that are
    better when they are smaller.  whole: all rows of each dataset.
    """

    column: str
    metrics: tuple[str, ...]
    losses: frozenset[str]
    whole: tuple[Group, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Evaluation:
    """All sets of scored rows that a step evaluated, and the figures it measured."""

    scored: tuple[ScoredRows, ...]
    metrics: MetricTable | None
    groups: Groups | None


def evaluation_of(home: Home, run_id: str, node: str) -> Evaluation:
    """What an evaluating step of a run was given, as curves.

    Raises NotFound, NotEvaluated, and what reading scores raises.
    """
    report = show_run(home, run_id)
    graph = assign(read(report.run.graph).graph, report.run.parameters)
    if NodeId(node) not in graph.nodes:
        raise NotFound(f"step of {report.run.id}", node, [str(n) for n in graph.nodes])
    outputs = outputs_of(home, report.run.id)
    component = graph.nodes[NodeId(node)].component
    ports = home.library.spec(component).inputs if component in home.library else ()
    scored = []
    for port in ports:
        for wire in data_wires_into(graph, NodeId(node), port.name):
            if wire.source in outputs:
                title = title_in(graph, wire.source.node, home.library)
                digest = outputs[wire.source].digest
                scored.append(_scored(home, port.name, wire.source, title, digest))
    if not scored:
        raise NotEvaluated(report.run.id, node)
    tables = {t.node: t for t in metric_tables(report.metrics)}
    column = str(graph.nodes[NodeId(node)].parameters.get("group_by_column", ""))
    result = outputs.get(Pin(NodeId(node), EVALUATION))
    groups = _groups(home, result.digest, column) if result and column else None
    return Evaluation(tuple(scored), tables.get(node), groups)


def _groups(home: Home, digest: Digest, column: str) -> Groups:
    from modelwright.components.learning import metrics
    from modelwright.components.palette.model_scoring_and_evaluation.evaluate_model import PORTS

    table = metrics.of_all_clusters(load_table(home.store, digest).frame)
    names = [n for n, kind in table.schema.items() if kind.is_float()]
    rows = [
        Group(PORTS[r["Dataset"]], r["Group"], r["Number of rows"], tuple(r[n] for n in names))
        for r in table.to_dicts()
    ]
    whole = metrics.of_all_rows(table).height
    losses = frozenset(filter(metrics.smaller_is_better, names))
    return Groups(column, tuple(names), losses, tuple(rows[:whole]), tuple(rows[whole:]))


def plots_of(home: Home, digest: str) -> Mapping[str, Any]:
    """The curves of a stored table of scored rows.  Raises NoRows, and what reading scores raises."""
    from modelwright.components.learning.curves import evaluation_plots

    return evaluation_plots(load_table(home.store, Digest(digest)))


def _scored(home: Home, port: str, source: Pin, title: str, digest: Digest) -> ScoredRows:
    from modelwright.components.learning.curves import evaluation_plots

    table = load_table(home.store, digest)
    return ScoredRows(port, str(source), title, digest, evaluation_plots(table, port=port))
