/** A draft as React Flow draws it: derived, never the truth. */

import { type Edge, type Node as FlowNode, type NodeHandle, Position } from "@xyflow/react";
import type { PortKind } from "../draft/connect";
import { type Draft, type Group, type Note, type Point, parsePin } from "../draft/graph";

export type NodeStatus =
  "stale" | "queued" | "running" | "reused" | "done" | "failed" | "skipped" | "cancelled";

/** What a node's run came to. */
export interface NodeRun {
  readonly status: NodeStatus;
  readonly seconds: number | null;
  /** How much of a step that is running is done, from 0 to 1, where it tells. */
  readonly fraction?: number;
  /** Rows by output port, where it is a table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** What the canvas must know of a component. */
export interface Drawn {
  readonly title: string;
  readonly category: string;
  readonly inputs: readonly PortKind[];
  readonly outputs: readonly PortKind[];
}

export interface NodeData extends Record<string, unknown> {
  readonly title: string;
  readonly kind: string;
  readonly category: string;
  readonly comment: string;
  readonly inputs: readonly PortKind[];
  readonly outputs: readonly PortKind[];
  readonly run: NodeRun | null;
  readonly problems: number;
  readonly warnings: number;
  readonly missing: boolean;
  /** Whether the search that is open found it. */
  readonly found: boolean;
  readonly tint?: Tint;
}

/** What became of a node, as its frame and a word on it tell. */
export interface Tint {
  readonly colour: string;
  readonly label: string;
}

export type PipelineFlowNode = FlowNode<NodeData, "pipeline">;
export type NoteFlowNode = FlowNode<{ note: Note }, "note">;
export type GroupFlowNode = FlowNode<{ group: Group }, "frame">;
export type CanvasNode = PipelineFlowNode | NoteFlowNode | GroupFlowNode;

export const NODE_WIDTH = 220;
export const NODE_HEIGHT = 62;

export interface Shown {
  readonly draft: Draft;
  readonly components: ReadonlyMap<string, Drawn>;
  readonly runs: ReadonlyMap<string, NodeRun>;
  /** Errors and warnings by node. */
  readonly problems: ReadonlyMap<string, { errors: number; warnings: number }>;
  readonly selected: ReadonlySet<string>;
  readonly found?: ReadonlySet<string>;
  readonly tints?: ReadonlyMap<string, Tint>;
}

export function toNodes(shown: Shown): PipelineFlowNode[] {
  const { draft, components, runs, problems, selected } = shown;
  return draft.graph.nodes.map((node, place) => {
    const known = components.get(node.component);
    const found = problems.get(node.id);
    const title = node.title || titleOf(known, node.component, node.parameters.name);
    const tint = shown.tints?.get(node.id);
    return {
      id: node.id,
      type: "pipeline",
      position: draft.layout.positions[node.id] ?? fallback(place),
      selected: selected.has(node.id),
      width: NODE_WIDTH,
      data: {
        title,
        kind: known?.title ?? node.component,
        category: known?.category ?? "",
        comment: node.comment,
        // A component that is not installed keeps the ports its wires speak of.
        inputs: known?.inputs ?? spoken(draft, node.id, "target"),
        outputs: known?.outputs ?? spoken(draft, node.id, "source"),
        run: runs.get(node.id) ?? null,
        problems: found?.errors ?? 0,
        warnings: found?.warnings ?? 0,
        missing: !known,
        found: shown.found?.has(node.id) ?? false,
        ...(tint ? { tint } : {}),
      },
    };
  });
}

const MARGIN = 18;
const TITLE = 26;

export type Sizes = Readonly<Record<string, { width: number; height: number }>>;

/** Notes and the frames of groups, which stand behind the nodes. */
export function toMarks(
  shown: Shown,
  moving: Readonly<Record<string, Point>>,
  sizes: Sizes,
): (NoteFlowNode | GroupFlowNode)[] {
  const { positions, notes, groups } = shown.draft.layout;
  const places = new Map(
    shown.draft.graph.nodes.map(({ id }, place) => [
      id,
      moving[id] ?? positions[id] ?? fallback(place),
    ]),
  );
  const frames = groups.flatMap((group): GroupFlowNode[] => {
    const frame = frameAround(group, places, sizes);
    return frame === null
      ? []
      : [
          {
            id: group.id,
            type: "frame",
            position: { x: frame.x, y: frame.y },
            width: frame.width,
            height: frame.height,
            selected: shown.selected.has(group.id),
            zIndex: -2,
            dragHandle: ".group-title",
            // Only the title is taken hold of: what lies inside stays within reach.
            style: { pointerEvents: "none" },
            data: { group },
          },
        ];
  });
  const papers = notes.map((note): NoteFlowNode => ({
    id: note.id,
    type: "note",
    position: moving[note.id] ?? { x: note.x, y: note.y },
    width: note.width,
    height: note.height,
    selected: shown.selected.has(note.id),
    zIndex: -1,
    data: { note },
  }));
  return [...frames, ...papers];
}

/** The frame of a group around its nodes, or null when none of them is there. */
export function frameAround(
  group: Group,
  places: ReadonlyMap<string, Point>,
  sizes: Sizes,
): { x: number; y: number; width: number; height: number } | null {
  const boxes = group.nodes.flatMap((id) => {
    const at = places.get(id);
    const size = sizes[id] ?? { width: NODE_WIDTH, height: NODE_HEIGHT };
    return at
      ? [{ left: at.x, top: at.y, right: at.x + size.width, foot: at.y + size.height }]
      : [];
  });
  if (boxes.length === 0) return null;
  const x = Math.min(...boxes.map((b) => b.left)) - MARGIN;
  const y = Math.min(...boxes.map((b) => b.top)) - MARGIN - TITLE;
  return {
    x,
    y,
    width: Math.max(...boxes.map((b) => b.right)) + MARGIN - x,
    height: Math.max(...boxes.map((b) => b.foot)) + MARGIN - y,
  };
}

// Made once: to find the language's signs takes long.
const COUNTS = new Intl.NumberFormat();

export function toEdges(
  draft: Draft,
  runs: ReadonlyMap<string, NodeRun>,
  selected: ReadonlySet<string>,
  splice: string | null = null,
): Edge[] {
  return draft.graph.wires.map((wire) => {
    const source = parsePin(wire.source);
    const target = parsePin(wire.target);
    const rows = runs.get(source.node)?.rows[source.port];
    const running = runs.get(target.node)?.status === "running";
    const id = `${wire.source} > ${wire.target}`;
    return {
      id,
      source: source.node,
      sourceHandle: source.port,
      target: target.node,
      targetHandle: target.port,
      animated: running,
      selected: selected.has(id),
      ...(id === splice ? { className: "splice" } : {}),
      ...(rows === undefined ? {} : { label: COUNTS.format(rows) }),
    };
  });
}

/** What stands for something registered is called by its name. */
const NAMED: ReadonlySet<string> = new Set(["dataset", "saved-model", "saved-transformation"]);

function titleOf(known: Drawn | undefined, component: string, name: unknown): string {
  if (NAMED.has(component) && typeof name === "string" && name) return name;
  return known?.title ?? component;
}

function spoken(draft: Draft, node: string, side: "source" | "target"): PortKind[] {
  const pins = draft.graph.wires.map((w) => parsePin(w[side])).filter((p) => p.node === node);
  return [...new Set(pins.map((p) => p.port))].map((name) => ({
    name,
    title: name,
    type: "unknown",
  }));
}

/** Where a node without a place stands. */
function fallback(place: number): Point {
  return { x: 80 + (place % 4) * 260, y: 80 + Math.floor(place / 4) * 120 };
}

const PORT = 11;

/**
 * Where the ports of a node lie, from its data alone. React Flow reads them off the page otherwise,
 * and forgets them when it is handed a node anew before it has told its size: no wire could then be
 * drawn from it.
 */
export function portPlaces(data: NodeData, height: number): NodeHandle[] {
  const row = (ports: readonly PortKind[], type: "source" | "target"): NodeHandle[] =>
    ports.map((port, index) => ({
      id: port.name,
      type,
      position: type === "target" ? Position.Top : Position.Bottom,
      x: (NODE_WIDTH * (index + 1)) / (ports.length + 1) - PORT / 2,
      y: (type === "target" ? 0 : height) - PORT / 2,
      width: PORT,
      height: PORT,
    }));
  return [...row(data.inputs, "target"), ...row(data.outputs, "source")];
}
