/** Nodes on the clipboard are a pipeline file: they paste into another draft, a chat or a file. */

import { parse, stringify } from "yaml";
import {
  type Draft,
  emptyGraph,
  type Json,
  type Node,
  parsePin,
  type Point,
  type Wire,
} from "../draft/graph";

interface FileNode {
  component?: unknown;
  version?: unknown;
  title?: unknown;
  comment?: unknown;
  parameters?: Record<string, Json>;
  inputs?: Record<string, string | string[]>;
}

export function toClipboard(piece: Draft): string {
  const nodes = piece.graph.nodes.map((node) => {
    const inputs: Record<string, string[]> = {};
    for (const wire of piece.graph.wires) {
      const target = parsePin(wire.target);
      if (target.node === node.id) (inputs[target.port] ??= []).push(wire.source);
    }
    const short = Object.entries(inputs).map(([port, s]) => [port, s.length === 1 ? s[0] : s]);
    return [
      node.id,
      {
        component: node.component,
        ...(node.version === 1 ? {} : { version: node.version }),
        ...(node.title ? { title: node.title } : {}),
        ...(node.comment ? { comment: node.comment } : {}),
        ...(Object.keys(node.parameters).length > 0 ? { parameters: node.parameters } : {}),
        ...(short.length > 0 ? { inputs: Object.fromEntries(short) as unknown } : {}),
      },
    ];
  });
  const positions = Object.entries(piece.layout.positions).map(([id, p]) => [id, [p.x, p.y]]);
  return stringify({
    modelwright: 1,
    nodes: Object.fromEntries(nodes) as unknown,
    layout: { positions: Object.fromEntries(positions) as unknown },
  });
}

/** The nodes in a text, or null when it is no pipeline. */
export function fromClipboard(text: string): Draft | null {
  if (!text.trimStart().startsWith("modelwright:")) return null;
  try {
    const file = parse(text) as {
      nodes?: Record<string, FileNode>;
      layout?: { positions?: Record<string, [number, number]> };
    };
    const nodes: Node[] = [];
    const wires: Wire[] = [];
    for (const [id, node] of Object.entries(file.nodes ?? {})) {
      nodes.push({
        id,
        component: String(node.component),
        version: Number(node.version ?? 1),
        parameters: node.parameters ?? {},
        title: typeof node.title === "string" ? node.title : "",
        comment: typeof node.comment === "string" ? node.comment : "",
      });
      for (const [port, sources] of Object.entries(node.inputs ?? {})) {
        for (const source of [sources].flat()) wires.push({ source, target: `${id}.${port}` });
      }
    }
    const known = new Set(nodes.map((n) => n.id));
    const inside = wires.filter((w) => known.has(parsePin(w.source).node));
    const places = Object.entries(file.layout?.positions ?? {}).map(
      ([id, [x, y]]) => [id, { x, y }] as [string, Point],
    );
    return {
      graph: { ...emptyGraph, nodes, wires: inside },
      layout: { positions: Object.fromEntries(places), notes: [], groups: [] },
    };
  } catch {
    return null;
  }
}
