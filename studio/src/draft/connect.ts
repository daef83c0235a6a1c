/** May this wire be drawn? The rules are those of the server's check. */

import { type Graph, type Wire, findNode, parsePin, reach } from "./graph";

export interface PortKind {
  readonly name: string;
  readonly title: string;
  readonly type: string;
  readonly optional?: boolean;
  /** Of an input: the kinds that it takes; its own type alone when absent. */
  readonly accepts?: readonly string[];
}

/** Whether an input takes what an output gives. */
export function takes(into: PortKind, type: string): boolean {
  return into.accepts?.length ? into.accepts.includes(type) : into.type === type;
}

export interface ComponentPorts {
  readonly inputs: readonly PortKind[];
  readonly outputs: readonly PortKind[];
}

export type PortsOf = (component: string) => ComponentPorts | undefined;

export type Refusal = "unknown-port" | "wrong-port-type" | "cycle" | "same-node";

/** Why a wire must not be drawn, or null when it may. */
export function refusal(
  graph: Graph,
  source: string,
  target: string,
  portsOf: PortsOf,
): Refusal | null {
  const from = parsePin(source);
  const to = parsePin(target);
  const out = portsOf(findNode(graph, from.node)?.component ?? "")?.outputs.find(
    (p) => p.name === from.port,
  );
  const into = portsOf(findNode(graph, to.node)?.component ?? "")?.inputs.find(
    (p) => p.name === to.port,
  );
  if (!out || !into) return "unknown-port";
  if (from.node === to.node) return "same-node";
  if (!takes(into, out.type)) return "wrong-port-type";
  if (reach(graph, [to.node], "down").has(from.node)) return "cycle";
  return null;
}

/** Inputs of a node that take what an output gives, free ones first. */
export function targetsOn(
  graph: Graph,
  node: string,
  source: string,
  portsOf: PortsOf,
): readonly string[] {
  const inputs = portsOf(findNode(graph, node)?.component ?? "")?.inputs ?? [];
  const filled = new Set(graph.wires.map((w) => w.target));
  return inputs
    .map((port) => `${node}.${port.name}`)
    .filter((pin) => refusal(graph, source, pin, portsOf) === null)
    .sort((a, b) => Number(filled.has(a)) - Number(filled.has(b)));
}

/** The first input and output through which a node could be put onto a wire of a type, or null. */
export function passage(ports: ComponentPorts, type: string): { into: string; out: string } | null {
  const into = ports.inputs.find((p) => takes(p, type));
  const out = ports.outputs.find((p) => p.type === type);
  return into && out ? { into: into.name, out: out.name } : null;
}

/** Where something is put onto a wire: by which input it takes, by which output it gives. */
export interface Passage {
  readonly into: string;
  readonly out: string;
}

function typeOn(graph: Graph, wire: Wire, portsOf: PortsOf): string | null {
  const { node, port } = parsePin(wire.source);
  const ports = portsOf(findNode(graph, node)?.component ?? "");
  return ports?.outputs.find((p) => p.name === port)?.type ?? null;
}

/** How a new node of a component could be put onto a wire, or null. */
export function passageOn(
  graph: Graph,
  wire: Wire,
  component: string,
  portsOf: PortsOf,
): Passage | null {
  const type = typeOn(graph, wire, portsOf);
  const ports = portsOf(component);
  return type !== null && ports ? passage(ports, type) : null;
}

/** How a node could be put onto a wire, or null; one that stands in a flow already stays there. */
export function spliceOn(graph: Graph, wire: Wire, node: string, portsOf: PortsOf): Passage | null {
  const component = findNode(graph, node)?.component;
  const through = component === undefined ? null : passageOn(graph, wire, component, portsOf);
  if (!through) return null;
  const busy = graph.wires.some(
    (w) => w.target === `${node}.${through.into}` || w.source === `${node}.${through.out}`,
  );
  const drawable =
    refusal(graph, wire.source, `${node}.${through.into}`, portsOf) === null &&
    refusal(graph, `${node}.${through.out}`, wire.target, portsOf) === null;
  return !busy && drawable ? through : null;
}

/** How a node's neighbours can be joined when it goes: a wired input and output of one type. */
export function healingOf(graph: Graph, node: string, portsOf: PortsOf): Passage | null {
  const ports = portsOf(findNode(graph, node)?.component ?? "");
  if (!ports) return null;
  const inputs = ports.inputs.filter((p) =>
    graph.wires.some((w) => w.target === `${node}.${p.name}`),
  );
  const outputs = ports.outputs.filter((p) =>
    graph.wires.some((w) => w.source === `${node}.${p.name}`),
  );
  for (const into of inputs) {
    const out = outputs.find((p) => takes(into, p.type));
    if (out) return { into: into.name, out: out.name };
  }
  return null;
}
