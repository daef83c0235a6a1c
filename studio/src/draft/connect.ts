/** May this wire be drawn? The rules are those of the server's check. */

import { type Graph, findNode, parsePin, reach } from "./graph";

export interface PortKind {
  readonly name: string;
  readonly title: string;
  readonly type: string;
  readonly optional?: boolean;
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
  if (out.type !== into.type) return "wrong-port-type";
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
  const into = ports.inputs.find((p) => p.type === type);
  const out = ports.outputs.find((p) => p.type === type);
  return into && out ? { into: into.name, out: out.name } : null;
}
