/** A pipeline as the server knows it; immutable. No pixels, no run state. */

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface Node {
  readonly id: string;
  readonly component: string;
  readonly version: number;
  /** Only those set; the others have their defaults. */
  readonly parameters: Readonly<Record<string, Json>>;
  readonly title: string;
  readonly comment: string;
  /** Where it runs; empty for where the pipeline does. */
  readonly compute?: string;
  /** What it needs there: cpus, gpus, memory in bytes. */
  readonly resources?: Readonly<Record<string, number>>;
}

/** Ports are written "node.port". */
export interface Wire {
  readonly source: string;
  readonly target: string;
}

export interface PipelineParameter {
  readonly name: string;
  readonly default: Json;
  readonly sets: readonly string[];
  readonly description: string;
}

export interface Graph {
  readonly name: string;
  readonly description: string;
  readonly nodes: readonly Node[];
  readonly wires: readonly Wire[];
  readonly parameters: readonly PipelineParameter[];
  /** What it runs on unless another is chosen at submission. */
  readonly compute?: string;
}

const KEYS = new WeakMap<Graph, number>();
let keys = 0;

/** A number that stands for this very graph, so that it need not be read as a whole to be told apart. */
export function graphKey(graph: Graph): number {
  const known = KEYS.get(graph);
  if (known !== undefined) return known;
  keys += 1;
  KEYS.set(graph, keys);
  return keys;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Note {
  readonly id: string;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly colour: string;
}

export interface Group {
  readonly id: string;
  readonly title: string;
  readonly nodes: readonly string[];
  readonly colour: string;
}

/** Where things stand; changes no result. */
export interface Layout {
  readonly positions: Readonly<Record<string, Point>>;
  readonly notes: readonly Note[];
  readonly groups: readonly Group[];
}

/** What is edited, undone and saved as one. */
export interface Draft {
  readonly graph: Graph;
  readonly layout: Layout;
}

export const emptyLayout: Layout = { positions: {}, notes: [], groups: [] };

export const emptyGraph: Graph = {
  name: "",
  description: "",
  nodes: [],
  wires: [],
  parameters: [],
};

export interface Pin {
  readonly node: string;
  readonly port: string;
}

export function parsePin(text: string): Pin {
  const dot = text.indexOf(".");
  return { node: text.slice(0, dot), port: text.slice(dot + 1) };
}

export function pinText(pin: Pin): string {
  return `${pin.node}.${pin.port}`;
}

export function findNode(graph: Graph, id: string): Node | undefined {
  return graph.nodes.find((node) => node.id === id);
}

/** These nodes and all that they feed ("down") or that feeds them ("up"), directly or not. */
export function reach(
  graph: Graph,
  from: Iterable<string>,
  direction: "up" | "down",
): ReadonlySet<string> {
  const next = new Map<string, string[]>();
  for (const wire of graph.wires) {
    const source = parsePin(wire.source).node;
    const target = parsePin(wire.target).node;
    const [here, there] = direction === "down" ? [source, target] : [target, source];
    const list = next.get(here);
    if (list) list.push(there);
    else next.set(here, [there]);
  }
  const reached = new Set<string>();
  const waiting = [...from];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    waiting.push(...(next.get(node) ?? []));
  }
  return reached;
}
