/** What is wrong with the wires of a pipeline, by the rules of the server's check, known at once. */

import { type PortKind, type PortsOf, takes } from "./connect";
import { type Graph, type Node, parsePin, reach, type Wire } from "./graph";

export type WiringCode =
  | "unknown-node"
  | "unknown-port"
  | "wrong-port-type"
  | "port-taken"
  | "input-without-schema"
  | "unconnected-input"
  | "cycle";

export interface WiringProblem {
  readonly code: WiringCode;
  readonly node: string | null;
  readonly port: string | null;
}

export const WIRING_CODES: ReadonlySet<string> = new Set<WiringCode>([
  "unknown-node",
  "unknown-port",
  "wrong-port-type",
  "port-taken",
  "input-without-schema",
  "unconnected-input",
  "cycle",
]);

const REQUEST = "web-service-input";

export function wiringProblems(graph: Graph, portsOf: PortsOf): readonly WiringProblem[] {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  return [
    ...graph.wires.flatMap((wire) => onWire(wire, nodes, portsOf)),
    ...onInputs(graph, nodes, portsOf),
    ...onCycles(graph),
  ];
}

type Nodes = ReadonlyMap<string, Node>;

function onWire(wire: Wire, nodes: Nodes, portsOf: PortsOf): WiringProblem[] {
  const from = parsePin(wire.source);
  const to = parsePin(wire.target);
  const source = nodes.get(from.node);
  const target = nodes.get(to.node);
  if (!source || !target) {
    return [{ code: "unknown-node", node: target ? to.node : null, port: target ? to.port : null }];
  }
  const gives = portsOf(source.component);
  const wants = portsOf(target.component);
  // Of a component that is not installed nothing is known.
  if (!gives || !wants) return [];
  const out = gives.outputs.find((port) => port.name === from.port);
  const into = wants.inputs.find((port) => port.name === to.port);
  if (!out) return [{ code: "unknown-port", ...from }];
  if (!into) return [{ code: "unknown-port", ...to }];
  return takes(into, out.type) ? [] : [{ code: "wrong-port-type", ...to }];
}

function onInputs(graph: Graph, nodes: Nodes, portsOf: PortsOf): WiringProblem[] {
  const into = new Map<string, Wire[]>();
  for (const wire of graph.wires) {
    const list = into.get(wire.target);
    if (list) list.push(wire);
    else into.set(wire.target, [wire]);
  }
  const isRequest = (wire: Wire) => nodes.get(parsePin(wire.source).node)?.component === REQUEST;
  return graph.nodes.flatMap((node) =>
    (portsOf(node.component)?.inputs ?? []).flatMap((port: PortKind): WiringProblem[] => {
      const wires = into.get(`${node.id}.${port.name}`) ?? [];
      const requests = wires.filter(isRequest).length;
      const data = wires.length - requests;
      const at = { node: node.id, port: port.name };
      if (data > 1 || requests > 1) return [{ code: "port-taken", ...at }];
      if (requests > 0 && data === 0) return [{ code: "input-without-schema", ...at }];
      if (wires.length === 0 && !port.optional) return [{ code: "unconnected-input", ...at }];
      return [];
    }),
  );
}

function onCycles(graph: Graph): WiringProblem[] {
  const ordered = new Set(inTurn(graph));
  return graph.nodes
    .filter(({ id }) => !ordered.has(id) && feedsItself(graph, id))
    .map(({ id }) => ({ code: "cycle", node: id, port: null }));
}

function feedsItself(graph: Graph, id: string): boolean {
  const fed = graph.wires
    .filter((wire) => parsePin(wire.source).node === id)
    .map((wire) => parsePin(wire.target).node);
  return reach(graph, fed, "down").has(id);
}

/** Nodes so that each comes after all that feed it; those on a circle and behind it are left out. */
function inTurn(graph: Graph): string[] {
  const waits = new Map(graph.nodes.map((node) => [node.id, 0]));
  const fed = new Map<string, string[]>();
  for (const wire of graph.wires) {
    const source = parsePin(wire.source).node;
    const target = parsePin(wire.target).node;
    if (!waits.has(source) || !waits.has(target)) continue;
    waits.set(target, (waits.get(target) ?? 0) + 1);
    const list = fed.get(source);
    if (list) list.push(target);
    else fed.set(source, [target]);
  }
  const done: string[] = [];
  const ready = graph.nodes.map((node) => node.id).filter((id) => waits.get(id) === 0);
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    done.push(node);
    for (const after of fed.get(node) ?? []) {
      const left = (waits.get(after) ?? 0) - 1;
      waits.set(after, left);
      if (left === 0) ready.push(after);
    }
  }
  return done;
}
