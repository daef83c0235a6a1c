/** Places in layers from top to bottom, so that wires go down and cross little. */

import ELK from "elkjs/lib/elk.bundled.js";
import type { PortsOf } from "../draft/connect";
import { type Draft, parsePin, type Point } from "../draft/graph";
import { NODE_HEIGHT, NODE_WIDTH } from "./toFlow";

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.spacing.nodeNode": "40",
  "elk.layered.spacing.nodeNodeBetweenLayers": "60",
  "elk.spacing.componentComponent": "60",
  // Who stood left of whom stays so, where the wires allow.
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};

const snap = (value: number) => Math.round(value / 10) * 10;

/** New places for all nodes of a draft; its upper left corner stays where it was. */
export async function arrange(draft: Draft, portsOf: PortsOf): Promise<Record<string, Point>> {
  const { graph, layout } = draft;
  const at = (id: string) => layout.positions[id] ?? { x: 0, y: 0 };
  const known = new Set(graph.nodes.map((n) => n.id));
  const nodes = [...graph.nodes].sort((a, b) => at(a.id).x - at(b.id).x || at(a.id).y - at(b.id).y);
  const done = await new ELK().layout({
    id: "root",
    layoutOptions: OPTIONS,
    children: nodes.map((node) => {
      const ports = portsOf(node.component);
      const lines = Math.ceil(node.comment.length / 34);
      const height = NODE_HEIGHT + (lines > 0 ? 15 * lines + 11 : 0);
      const sides = [
        ...(ports?.inputs ?? []).map((p, i) => [p, "NORTH", i, ports?.inputs.length ?? 1] as const),
        ...(ports?.outputs ?? []).map(
          (p, i) => [p, "SOUTH", i, ports?.outputs.length ?? 1] as const,
        ),
      ];
      return {
        id: node.id,
        width: NODE_WIDTH,
        height,
        layoutOptions: { "elk.portConstraints": "FIXED_POS" },
        ports: sides.map(([port, side, place, count]) => ({
          id: `${side} ${node.id}.${port.name}`,
          x: (NODE_WIDTH * (place + 1)) / (count + 1),
          y: side === "NORTH" ? 0 : height,
          width: 0,
          height: 0,
          layoutOptions: { "elk.port.side": side },
        })),
      };
    }),
    edges: graph.wires
      .filter((w) => known.has(parsePin(w.source).node) && known.has(parsePin(w.target).node))
      .map((wire) => {
        const source = parsePin(wire.source);
        const target = parsePin(wire.target);
        const has = (node: string, side: "inputs" | "outputs", port: string) =>
          portsOf(graph.nodes.find((n) => n.id === node)?.component ?? "")?.[side].some(
            (p) => p.name === port,
          );
        return {
          id: `${wire.source} > ${wire.target}`,
          // A component that is not installed has no known ports: its wires end at the node.
          sources: [
            has(source.node, "outputs", source.port) ? `SOUTH ${wire.source}` : source.node,
          ],
          targets: [has(target.node, "inputs", target.port) ? `NORTH ${wire.target}` : target.node],
        };
      }),
  });
  const placed = done.children ?? [];
  const before = graph.nodes.map((n) => at(n.id));
  const left = Math.min(...before.map((p) => p.x)) - Math.min(...placed.map((p) => p.x ?? 0));
  const top = Math.min(...before.map((p) => p.y)) - Math.min(...placed.map((p) => p.y ?? 0));
  return Object.fromEntries(
    placed.map((p) => [p.id, { x: snap((p.x ?? 0) + left), y: snap((p.y ?? 0) + top) }]),
  );
}
