/** Going from node to node along the wires, as arrow keys do. */

import { type Draft, parsePin, type Point } from "./graph";

export type Direction = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight";

export function isDirection(key: string): key is Direction {
  return key === "ArrowUp" || key === "ArrowDown" || key === "ArrowLeft" || key === "ArrowRight";
}

/**
 * The node to go to: up to what feeds this one, down to what it feeds, left and right to those
 * beside it; null at an end.
 */
export function neighbour(draft: Draft, node: string, direction: Direction): string | null {
  const { wires } = draft.graph;
  const feeds = wires.filter((w) => parsePin(w.target).node === node).map((w) => w.source);
  const fed = wires.filter((w) => parsePin(w.source).node === node).map((w) => w.target);
  if (direction === "ArrowUp") return nearest(draft, node, nodesOf(feeds));
  if (direction === "ArrowDown") return nearest(draft, node, nodesOf(fed));
  const order = siblings(draft, node);
  return order[order.indexOf(node) + (direction === "ArrowLeft" ? -1 : 1)] ?? null;
}

function nodesOf(pins: readonly string[]): string[] {
  return [...new Set(pins.map((pin) => parsePin(pin).node))];
}

function at(draft: Draft, node: string): Point {
  return draft.layout.positions[node] ?? { x: 0, y: 0 };
}

function nearest(draft: Draft, node: string, others: readonly string[]): string | null {
  const here = at(draft, node);
  const far = (other: string) => Math.abs(at(draft, other).x - here.x);
  return [...others].sort((a, b) => far(a) - far(b))[0] ?? null;
}

/** Nodes of the same distance from the beginning, from left to right. */
function siblings(draft: Draft, node: string): string[] {
  const depths = depthOf(draft);
  return draft.graph.nodes
    .map((n) => n.id)
    .filter((id) => depths.get(id) === depths.get(node))
    .sort((a, b) => at(draft, a).x - at(draft, b).x);
}

/** How many wires lie between each node and the beginning, along the longest way. */
function depthOf(draft: Draft): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  for (const id of inOrder(draft)) {
    const before = draft.graph.wires
      .filter((w) => parsePin(w.target).node === id)
      .map((w) => depths.get(parsePin(w.source).node) ?? 0);
    depths.set(id, before.length > 0 ? Math.max(...before) + 1 : 0);
  }
  return depths;
}

/** The nodes so that each comes after all that feed it; those in a circle come last. */
export function inOrder(draft: Draft): string[] {
  const { nodes, wires } = draft.graph;
  const waits = new Map(nodes.map((n) => [n.id, new Set<string>()]));
  for (const wire of wires) waits.get(parsePin(wire.target).node)?.add(parsePin(wire.source).node);
  const left = [...nodes]
    .map((n) => n.id)
    .sort((a, b) => at(draft, a).y - at(draft, b).y || at(draft, a).x - at(draft, b).x);
  const done: string[] = [];
  const open = new Set(left);
  const ready = (id: string) => ![...(waits.get(id) ?? [])].some((other) => open.has(other));
  while (left.length > 0) {
    const [next = ""] = left.splice(Math.max(left.findIndex(ready), 0), 1);
    open.delete(next);
    done.push(next);
  }
  return done;
}
