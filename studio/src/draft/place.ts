/** Where something lands that was added without a pointer, and what it is wired to. */

import { type PortsOf, takes } from "./connect";
import { type Draft, findNode, type Graph, parsePin, type Point } from "./graph";

const DOWN = 130;
const ASIDE = 260;

/** Below all others. */
export function below(positions: Readonly<Record<string, Point>>): Point {
  const places = Object.values(positions);
  if (places.length === 0) return { x: 200, y: 80 };
  return {
    x: places.reduce((sum, p) => sum + p.x, 0) / places.length,
    y: Math.max(...places.map((p) => p.y)) + DOWN,
  };
}

/** Below a place, or beside that where something stands already. */
export function freeBelow(positions: Readonly<Record<string, Point>>, above: Point): Point {
  const at = { x: above.x, y: above.y + DOWN };
  const taken = (x: number) =>
    Object.values(positions).some(
      (p) => Math.abs(p.x - x) < ASIDE - 30 && Math.abs(p.y - at.y) < 90,
    );
  let { x } = at;
  while (taken(x)) x += ASIDE;
  return { x, y: at.y };
}

/** The port of a component that fits a port which a wire was drawn from, or null. */
export function joint(
  graph: Graph,
  from: { readonly pin: string; readonly side: "source" | "target" },
  component: string,
  portsOf: PortsOf,
): string | null {
  const { node, port } = parsePin(from.pin);
  const mine = portsOf(findNode(graph, node)?.component ?? "");
  const own = (from.side === "source" ? mine?.outputs : mine?.inputs)?.find((p) => p.name === port);
  const other = portsOf(component);
  if (!own) return null;
  const fits =
    from.side === "source"
      ? other?.inputs.find((p) => takes(p, own.type))
      : other?.outputs.find((p) => takes(own, p.type));
  return fits?.name ?? null;
}

/** The first output of a node that a component takes, one that feeds nothing yet before others. */
export function openOutput(
  draft: Draft,
  node: string,
  component: string,
  portsOf: PortsOf,
): string | null {
  const outputs = portsOf(findNode(draft.graph, node)?.component ?? "")?.outputs ?? [];
  const busy = new Set(draft.graph.wires.map((w) => w.source));
  const fitting = outputs
    .map((p) => `${node}.${p.name}`)
    .filter((pin) => joint(draft.graph, { pin, side: "source" }, component, portsOf) !== null)
    .sort((a, b) => Number(busy.has(a)) - Number(busy.has(b)));
  return fitting[0] ?? null;
}
