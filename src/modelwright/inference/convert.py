"""Turn a trained pipeline into an inference pipeline: a pure rewrite that says what it did and why.

Three rules do the work.  A fitted value on a wire is frozen, and what lies above it falls away.
Whatever does not depend on the request is folded to a constant.  Every other component says itself
whether it stays, lets its data pass, or is replaced by what it learnt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from modelwright.components.contract import Bypass, Component, Replay
from modelwright.components.library import Library
from modelwright.data.artifact import Artifact, Digest
from modelwright.data.errors import ModelwrightError
from modelwright.data.file_bundle import FileBundle
from modelwright.data.fitted import Model, Transform
from modelwright.data.schema import Schema
from modelwright.data.table import Table
from modelwright.graph.assets import Assets
from modelwright.graph.check import REPLY_OUTPUT, REQUEST_INPUT, check
from modelwright.graph.edits import add_node, find_node
from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire
from modelwright.graph.problems import PipelineProblems
from modelwright.inference.paths import Paths
from modelwright.inference.report import Action, Change, Conversion
from modelwright.inference.unlabel import without_columns

Kind = Literal["real-time", "batch"]

SAMPLE_ROWS = 100
"""Rows of the training data that stay with the inference pipeline, to try it and to show its shape."""


class NoTrainedModel(ModelwrightError):
    """A pipeline without a step that applies a trained model cannot become an inference pipeline."""

    code = "no-trained-model"

    def __init__(self) -> None:
        super().__init__(
            "The pipeline has no step that scores rows with a trained model.",
            remedy="Add Train Model and Score Model, or a Web Service Output, run it, and convert it.",
        )


class StepNotRun(ModelwrightError):
    """A result that the conversion needs is not there."""

    code = "step-not-run"

    def __init__(self, node: str, title: str) -> None:
        super().__init__(
            f'There is no result of "{title}" ({node}) for the pipeline as it is now.',
            remedy="Run the pipeline to the end, then convert it.",
            node=node,
        )


class LabelInUse(ModelwrightError):
    """A feature is computed from the label, which no request can bring."""

    code = "label-in-use"

    def __init__(self, node: str, title: str, label: str, columns: tuple[str, ...]) -> None:
        listed = ", ".join(f'"{c}"' for c in columns)
        super().__init__(
            f'"{title}" computes {listed} from the label "{label}", which a request does not have.',
            remedy="Take the label out of that step, so that the model is not trained on the answer.",
            node=node,
            column=label,
            columns=list(columns),
        )


class RowsByPosition(ModelwrightError):
    """A step matches rows by their places, and requests bring only those of some of its inputs."""

    code = "rows-by-position"

    def __init__(self, node: str, title: str, ports: tuple[str, ...]) -> None:
        listed = " and ".join(f'"{p}"' for p in ports)
        super().__init__(
            f'"{title}" matches rows by their places, and no request brings those at {listed}.',
            remedy="Let a Web Service Input bring them too, or match the rows by a key with Join Data.",
            node=node,
            ports=list(ports),
        )


def convert(
    graph: Graph,
    *,
    library: Library,
    assets: Assets,
    outputs: Mapping[Pin, Digest],
    load: Callable[[Digest], Artifact],
    save: Callable[[Artifact], Digest],
    kind: Kind = "real-time",
    requests: tuple[NodeId, ...] = (),
    replies: tuple[NodeId, ...] = (),
) -> Conversion:
    """The inference pipeline of a training pipeline that has run.

    outputs: what the run gave, by output.  load and save: from and to the store.
    requests: nodes whose rows requests replace; found by themselves when empty.
    replies: scoring nodes whose rows replies carry; all that are last on their way when empty.
    Raises PipelineProblems, NoTrainedModel, StepNotRun, LabelInUse, RowsByPosition and UnknownNode.
    """
    checked = check(graph, library=library, assets=assets)
    if checked.errors:
        raise PipelineProblems(checked.errors)
    for node in (*requests, *replies):
        find_node(graph, node)
    cache: dict[Pin, Artifact] = {}

    def value(pin: Pin) -> Artifact:
        if pin not in cache:
            if pin not in outputs:
                raise StepNotRun(pin.node, paths.title(pin.node))
            cache[pin] = load(outputs[pin])
        return cache[pin]

    def schema(pin: Pin) -> Schema:
        found = value(pin)
        return found.schema if isinstance(found, Table) else Schema()

    def transform(pin: Pin) -> Transform:
        found = value(pin)
        if not isinstance(found, Transform):
            raise StepNotRun(pin.node, paths.title(pin.node))
        return found

    paths = Paths(graph, checked, schema, transform)
    return _Rewrite(paths, outputs, value, save, kind).all(requests, replies)


class _Rewrite:
    """One conversion: the new graph as it grows, and what was decided about each node."""

    def __init__(
        self,
        paths: Paths,
        outputs: Mapping[Pin, Digest],
        value: Callable[[Pin], Artifact],
        save: Callable[[Artifact], Digest],
        kind: Kind,
    ) -> None:
        self.paths, self.outputs, self.value, self.save = paths, outputs, value, save
        self.kind = kind
        self.old = paths.graph
        self.new = Graph(name=self.old.name, description=self.old.description)
        self.changes: dict[NodeId, Change] = {}
        self.added: list[Change] = []
        self.frozen: dict[NodeId, Digest] = {}
        self.origins: dict[NodeId, Pin] = {}
        self.made: dict[Pin, tuple[Pin, ...]] = {}
        self.roots: set[Pin] = set()
        self.moving: dict[Pin, bool] = {}
        self.absent: dict[Pin, frozenset[str]] = {}
        self.labels: Mapping[Pin, set[str]] = {}
        self.requests: dict[NodeId, Pin] = {}
        self.replies: dict[NodeId, Pin] = {}

    def all(self, requests: tuple[NodeId, ...], replies: tuple[NodeId, ...]) -> Conversion:
        ends = self._ends(replies)
        self.labels = absent = self._absent_labels(ends)
        self.roots = self._beginnings(requests, ends, absent)
        self.absent = {root: frozenset(absent.get(root, ())) for root in self.roots}
        for end, name, node in ends:
            sources = self._feed(end)
            if self.kind == "real-time":
                self._reply(sources, end, name, node)
            else:
                self.replies[sources[0].node] = end
        self._name_the_rest()
        order = {n: i for i, n in enumerate(self.old.nodes)}
        changes = sorted(self.changes.values(), key=lambda c: order[c.node])
        labels = sorted({n for root in self.roots for n in self.absent[root]})
        return Conversion(
            self.new,
            (*changes, *self.added),
            self.frozen,
            tuple(labels),
            self.requests,
            self.replies,
            self.origins,
        )

    def _ends(self, chosen: tuple[NodeId, ...]) -> list[tuple[Pin, str, NodeId | None]]:
        """The outputs that replies carry, with the name of each reply and its own node, if any."""
        marked = [n for n, node in self.old.nodes.items() if node.component == REPLY_OUTPUT]
        if marked and not chosen:
            return [
                (wire.source, str(getattr(self.paths.component(node), "name", "")), node)
                for node in marked
                for wire in self.old.wires_into(node)
            ]
        pins = [p for p in self.paths.scorers() if not chosen or p.node in chosen]
        if not pins:
            raise NoTrainedModel
        return [(pin, f"WebServiceOutput{i}", None) for i, pin in enumerate(pins)]

    def _absent_labels(self, ends: list[tuple[Pin, str, NodeId | None]]) -> dict[Pin, set[str]]:
        """The names of label columns at each output from which a way leads to a reply."""
        absent: dict[Pin, set[str]] = {}
        features: dict[Pin, set[str]] = {}
        for end, _, _ in ends:
            for pin in self.paths.upstream(end):
                model = self._model_at(pin.node)
                if model is None:
                    continue
                for _, source in self.paths.row_inputs(pin):
                    if model.label is not None:
                        for at, name in self.paths.trace_back(source, model.label.name).items():
                            absent.setdefault(at, set()).add(name)
                    for feature in model.features.names:
                        for at, name in self.paths.trace_back(source, feature).items():
                            features.setdefault(at, set()).add(name)
        # What is the answer of one model and an input of another has to come with the request.
        return {at: names - features.get(at, set()) for at, names in absent.items()}

    def _model_at(self, node: NodeId) -> Model | None:
        for port in self.paths.component(node).__component__.inputs:
            if issubclass(port.type, Model) and (source := self.paths.source(node, port.name)):
                found = self.value(source)
                return found if isinstance(found, Model) else None
        return None

    def _beginnings(
        self,
        chosen: tuple[NodeId, ...],
        ends: list[tuple[Pin, str, NodeId | None]],
        absent: dict[Pin, set[str]],
    ) -> set[Pin]:
        """The outputs whose rows a request brings instead."""
        marked = {
            source
            for node, found in self.old.nodes.items()
            if found.component == REQUEST_INPUT
            for wire in self.old.wires_from(node)
            if (source := self.paths.source(wire.target.node, wire.target.port))
        }
        if chosen:
            return {
                Pin(node, port.name)
                for node in chosen
                for port in self.paths.component(node).__component__.outputs
            }
        if marked:
            return marked

        def only_labels(pin: Pin) -> bool:
            return set(self.paths.schema(pin).names) <= absent.get(pin, set())

        return {root for end, _, _ in ends for root in self.paths.main_roots(end, only_labels)}

    def _moves(self, pin: Pin) -> bool:
        """Whether the rows at an output depend on the request."""
        if pin not in self.moving:
            self.moving[pin] = pin in self.roots or any(
                self._moves(source) for _, source in self.paths.row_inputs(pin)
            )
        return self.moving[pin]

    def _feed(self, pin: Pin) -> tuple[Pin, ...]:
        """The outputs of the new graph that bring what the training graph had at an output."""
        if pin not in self.made:
            self.made[pin] = self._translate(pin)
        return self.made[pin]

    def _translate(self, pin: Pin) -> tuple[Pin, ...]:
        if pin in self.roots:
            return self._begin(pin)
        port = self.paths.component(pin.node).__component__.output(pin.port)
        if port is None or not issubclass(port.type, Table) or not self._moves(pin):
            return (self._freeze(pin),)
        component = self.paths.component(pin.node)
        policy = component.__component__.at_inference
        if isinstance(policy, Bypass):
            return self._pass_by(
                pin,
                policy.port,
                f"{self.paths.title(pin.node)} only serves training; its rows pass",
            )
        if isinstance(policy, Replay):
            return self._replay(pin, policy)
        return self._keep(pin)

    def _pass_by(self, pin: Pin, port: str, reason: str) -> tuple[Pin, ...]:
        source = self.paths.source(pin.node, port)
        if source is None:
            raise StepNotRun(pin.node, self.paths.title(pin.node))
        self._note(pin.node, "removed", reason)
        sources = self._feed(source)
        self.absent[pin] = self.absent.get(source, frozenset())
        return sources

    def _begin(self, pin: Pin) -> tuple[Pin, ...]:
        """The request's rows take the place of a data set's; some of its rows stay as a sample."""
        title = self.paths.title(pin.node)
        if self.kind == "batch":
            self.new = self.new.with_node(pin.node, self.old.nodes[pin.node])
            self._note(pin.node, "kept", "brings the rows to score; choose another data set here")
            self.requests[pin.node] = pin
            return (pin,)
        table = self.value(pin)
        if not isinstance(table, Table):
            raise StepNotRun(pin.node, title)
        gone = self.absent.get(pin, frozenset())
        frame = table.frame.drop(sorted(gone)).head(SAMPLE_ROWS)
        name = str(getattr(self.paths.component(pin.node), "name", "")) or title
        sample = self._add(
            f"sample-{pin.node}",
            Node(
                "saved-data",
                parameters={"name": f"Sample of {name}", "digest": self.save(table.of(frame))},
                title=f"Sample of {name}",
            ),
            "brings rows to try the pipeline with, and the columns that a request has",
        )
        number = len(self.requests)
        request = self._add(
            "web-service-input",
            Node("web-service-input", parameters={"name": f"WebServiceInput{number}"}),
            f"brings the rows of a request in place of those of {name}",
        )
        self.requests[request] = pin
        left = ", ".join(sorted(gone))
        words = f"; {left} is what is predicted, so a request does not have it" if gone else ""
        self._note(
            pin.node,
            "replaced",
            f"a request brings the rows{words}",
            by=(request, sample),
        )
        return (Pin(request, "web_service_input"), Pin(sample, "dataset"))

    def _replay(self, pin: Pin, policy: Replay) -> tuple[Pin, ...]:
        source = self.paths.source(pin.node, policy.port)
        if source is None:
            raise StepNotRun(pin.node, self.paths.title(pin.node))
        sources = self._feed(source)
        gone = self.absent.get(source, frozenset())
        fitted = Pin(pin.node, policy.fitted)
        frozen = self._freeze(fitted, without=gone)
        title = self.paths.title(pin.node)
        self._put(
            pin.node,
            Node("apply-transformation", title=title, comment=self.old.nodes[pin.node].comment),
            {"transformation": (frozen,), "dataset": sources},
        )
        self._note(
            pin.node,
            "replaced",
            "what it learnt from the training data is applied to each request; nothing is learnt anew",
            by=(pin.node, frozen.node),
        )
        self.absent[pin] = self.paths.absent_after(pin, gone, source)
        return (Pin(pin.node, "transformed_dataset"),)

    def _keep(self, pin: Pin) -> tuple[Pin, ...]:
        rows = {p.name: s for p, s in self.paths.row_inputs(pin)}
        beside, why = self._beside_request(pin, rows)
        if isinstance(beside, Bypass):
            return self._pass_by(pin, beside.port, why)
        component = self.paths.component(pin.node)
        spec = component.__component__
        fed = {p.name: s for p in spec.inputs if (s := self.paths.source(pin.node, p.name))}
        sources = {name: self._feed(source) for name, source in fed.items()}
        for name, source in rows.items():
            names = frozenset(self.paths.schema(source).names)
            rest = [n for n in rows if n != name]
            if names and names <= self.absent.get(source, frozenset()) and rest:
                return self._pass_by(
                    pin, rest[0], "it joined the label, which a request does not have"
                )
        node, action, reason = (
            self.old.nodes[pin.node],
            "kept",
            "works on each request as in training",
        )
        if beside != component:
            component, action, reason = beside, "changed", why
        for name, source in rows.items():
            schema = self.paths.schema(source)
            for column in sorted(self.absent.get(source, frozenset())):
                changed = component.without_column(column, schema)
                if changed is None:
                    return self._pass_by(
                        pin, name, f'it works only on "{column}", which a request does not have'
                    )
                if changed != component:
                    component, schema = changed, schema.drop([column])
                    action, reason = "changed", f'its settings no longer name "{column}"'
        frozen = component.as_frozen()
        if frozen != component:
            also = f"{reason}; " if action == "changed" else ""
            component, action = frozen, "changed"
            reason = f"{also}its settings name exactly what training had"
        if action == "changed":
            node = replace(node, parameters=component.settings(), version=spec.version)
        self._put(pin.node, node, sources)
        self._note(pin.node, action, reason, by=(pin.node,))  # type: ignore[arg-type]  # two literals
        for out in spec.outputs:
            after = Pin(pin.node, out.name)
            if issubclass(out.type, Table) and after in self.outputs:
                lost = [
                    self.paths.absent_after(after, self.absent.get(s, frozenset()), s)
                    for s in rows.values()
                ]
                self.absent[after] = frozenset().union(*lost)
        return (pin,)

    def _beside_request(self, pin: Pin, rows: Mapping[str, Pin]) -> tuple[Component | Bypass, str]:
        """What a component becomes where the rows of some inputs are those of training, and why."""
        component = self.paths.component(pin.node)
        moving = [name for name, source in rows.items() if self._moves(source)]
        still = [name for name in rows if name not in moving]
        if not still:
            return component, ""
        found = component.beside_request(moving)
        if found is not None:
            return found, "only rows that a request brings are answered"
        sources = [rows[name] for name in still]
        if all(set(self.paths.schema(s).names) <= self.labels.get(s, set()) for s in sources):
            return Bypass(moving[0]), "it joined the label, which a request does not have"
        spec = component.__component__
        titles = tuple(p.title for p in spec.inputs if p.name in still)
        raise RowsByPosition(pin.node, self.paths.title(pin.node), titles)

    def _freeze(self, pin: Pin, without: frozenset[str] = frozenset()) -> Pin:
        """A node of the new graph that brings in what the run gave at an output."""
        value = self.value(pin)
        digest = self.outputs[pin]
        title = self.paths.title(pin.node)
        if isinstance(value, Transform) and without & value.formula.required():
            value = self._without_labels(value, pin, without)
            digest = self.save(value)
        kind, prefix, port, what = (
            ("saved-model", "MD", "trained_model", "the trained model")
            if isinstance(value, Model)
            else ("saved-transformation", "TD", "transformation", "what was learnt")
            if isinstance(value, Transform)
            else ("saved-files", "FD", "files", "files that do not depend on the request")
            if isinstance(value, FileBundle)
            else ("saved-data", "DD", "dataset", "rows that do not depend on the request")
        )
        if not isinstance(value, Model | Transform | Table | FileBundle):
            # Anything else, such as a learner, is brought by the node that brings it.
            self.new = self.new.with_node(pin.node, self.old.nodes[pin.node])
            self._note(pin.node, "kept", "does not depend on the request", by=(pin.node,))
            return pin
        name = self._name_of_frozen(
            f"{prefix} - {self.old.name[:100] or 'pipeline'} - {title[:60]}", pin
        )
        node = self._add(
            f"{prefix.lower()}-{pin.node}",
            Node(kind, parameters={"name": name, "digest": digest}, title=f"{prefix} - {title}"),
            f'brings in {what}, as "{title}" gave it in the run',
        )
        self.frozen[node] = digest
        self.origins[node] = pin
        if not isinstance(value, Transform) or self.old.nodes[pin.node].component.startswith(
            "saved"
        ):
            folded: Action = "folded" if isinstance(value, Table | FileBundle) else "replaced"
            self._note(pin.node, folded, f"{what} is kept as it was in the run", by=(node,))
        return Pin(node, port)

    def _name_of_frozen(self, name: str, pin: Pin) -> str:
        """The name, or with the output it came from when another node has it."""
        taken = {node.parameters.get("name") for node in self.new.nodes.values()}
        return f"{name} - {pin}" if name in taken else name

    def _without_labels(self, value: Transform, pin: Pin, without: frozenset[str]) -> Transform:
        result = without_columns(value.formula, without)
        if result.lost:
            title = self.paths.title(pin.node)
            raise LabelInUse(pin.node, title, sorted(without)[0], result.lost)
        left = value.schema.drop(without)
        marks = value.marks.drop(without)
        return replace(value, formula=result.formula, schema=left, marks=marks)

    def _reply(self, sources: tuple[Pin, ...], end: Pin, name: str, known: NodeId | None) -> None:
        node = Node("web-service-output", parameters={"name": name})
        if known is None:
            reply = self._add("web-service-output", node, "sends the scored rows as the reply")
        else:
            reply = known
            self.new = self.new.with_node(known, self.old.nodes[known])
            self._note(known, "kept", "sends the rows as the reply", by=(known,))
        self.new = self.new.with_wires(*(Wire(s, Pin(reply, "data")) for s in sources))
        self.replies[reply] = end

    def _add(self, wish: str, node: Node, reason: str) -> NodeId:
        # Ids of the training graph are not given to other nodes, so that reports stay readable.
        taken = replace(self.old, nodes={**self.old.nodes, **self.new.nodes})
        _, node_id = add_node(taken, node, node_id=wish)
        self.new = self.new.with_node(node_id, node)
        title = node.title or node.component.replace("-", " ").title()
        self.added.append(Change(node_id, title, "added", reason, (node_id,)))
        return node_id

    def _put(self, node_id: NodeId, node: Node, inputs: Mapping[str, tuple[Pin, ...]]) -> None:
        self.new = self.new.with_node(node_id, node).with_wires(
            *(Wire(s, Pin(node_id, port)) for port, sources in inputs.items() for s in sources)
        )

    def _note(self, node: NodeId, action: Action, reason: str, by: tuple[NodeId, ...] = ()) -> None:
        self.changes[node] = Change(node, self.paths.title(node), action, reason, by)

    def _name_the_rest(self) -> None:
        """Say of every node nothing was decided about why it is gone."""
        above = self.old.upstream(
            n for n, c in self.changes.items() if c.action in ("replaced", "folded")
        )
        for node, found in self.old.nodes.items():
            if node in self.changes:
                continue
            if found.component == REQUEST_INPUT:
                self._note(node, "replaced", "the request enters here", by=tuple(self.requests))
            elif node in above:
                self._note(node, "removed", "it only served training; its result is kept")
            else:
                self._note(node, "removed", "it is not on the way from the request to the reply")
