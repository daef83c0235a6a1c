/** Changes to a draft: each takes one and gives a new one. */

import {
  type Draft,
  type Graph,
  type Group,
  type Json,
  type Layout,
  type Node,
  type Note,
  type PipelineParameter,
  type Point,
  type Wire,
  findNode,
  parsePin,
} from "./graph";

export type Edit = (draft: Draft) => Draft;

const REQUEST = "web-service-input";

function withGraph(draft: Draft, graph: Graph): Draft {
  return { ...draft, graph };
}

function withNode(draft: Draft, id: string, change: (node: Node) => Node): Draft {
  const nodes = draft.graph.nodes.map((node) => (node.id === id ? change(node) : node));
  return withGraph(draft, { ...draft.graph, nodes });
}

/** An id not yet used: the wish itself, or with a number behind. */
export function freshId(taken: Iterable<string>, wish: string): string {
  const used = new Set(taken);
  const stem = wish.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^[-_]+|[-_]+$/g, "") || "node";
  let candidate = stem;
  for (let number = 2; used.has(candidate); number += 1) candidate = `${stem}-${String(number)}`;
  return candidate;
}

export interface NewNode {
  readonly component: string;
  readonly version?: number;
  readonly parameters?: Readonly<Record<string, Json>>;
  readonly title?: string;
  readonly comment?: string;
}

/** The id that `addNode` will give. */
export function idFor(draft: Draft, node: NewNode): string {
  return freshId(
    draft.graph.nodes.map((n) => n.id),
    node.component,
  );
}

/** How the rows of requests and replies are called in them. */
const SERVICE_NAMES: Readonly<Record<string, string>> = {
  "web-service-input": "WebServiceInput",
  "web-service-output": "WebServiceOutput",
};

/** A further Web Service Input or Output gets a name that no other has, unless it brings one. */
function keyed(graph: Graph, node: Node): Node {
  const stem = SERVICE_NAMES[node.component];
  if (stem === undefined || node.parameters.name !== undefined) return node;
  const others = graph.nodes.filter((one) => one.component === node.component);
  const taken = new Set(others.map((one) => one.parameters.name ?? `${stem}0`));
  let number = 0;
  while (taken.has(`${stem}${String(number)}`)) number += 1;
  if (number === 0) return node;
  return { ...node, parameters: { ...node.parameters, name: `${stem}${String(number)}` } };
}

export function addNode(node: NewNode, at: Point): Edit {
  return (draft) => {
    const id = idFor(draft, node);
    const made: Node = { version: 1, parameters: {}, title: "", comment: "", ...node, id };
    return {
      graph: { ...draft.graph, nodes: [...draft.graph.nodes, keyed(draft.graph, made)] },
      layout: { ...draft.layout, positions: { ...draft.layout.positions, [id]: at } },
    };
  };
}

/** Nodes go with their wires, their places, and what pipeline parameters and groups held of them. */
export function removeNodes(ids: Iterable<string>): Edit {
  const gone = new Set(ids);
  return (draft) => {
    const keeps = (pin: string) => !gone.has(parsePin(pin).node);
    const { graph, layout } = draft;
    return {
      graph: {
        ...graph,
        nodes: graph.nodes.filter((node) => !gone.has(node.id)),
        wires: graph.wires.filter((wire) => keeps(wire.source) && keeps(wire.target)),
        parameters: graph.parameters.map((p) => ({ ...p, sets: p.sets.filter(keeps) })),
      },
      layout: {
        ...layout,
        positions: Object.fromEntries(
          Object.entries(layout.positions).filter(([node]) => !gone.has(node)),
        ),
        groups: layout.groups
          .map((group) => ({ ...group, nodes: group.nodes.filter((node) => !gone.has(node)) }))
          .filter((group) => group.nodes.length > 0),
      },
    };
  };
}

function isRequest(graph: Graph, wire: Wire): boolean {
  return findNode(graph, parsePin(wire.source).node)?.component === REQUEST;
}

/**
 * A wire from an output to an input. A wire that fills the same input goes, unless one of the two
 * brings a request's rows.
 */
export function connect(source: string, target: string): Edit {
  return (draft) => {
    const wire: Wire = { source, target };
    const { graph } = draft;
    const kept = graph.wires.filter(
      (other) => other.target !== target || isRequest(graph, other) !== isRequest(graph, wire),
    );
    return withGraph(draft, { ...graph, wires: [...kept, wire] });
  };
}

export function disconnect(source: string, target: string): Edit {
  return (draft) =>
    withGraph(draft, {
      ...draft.graph,
      wires: draft.graph.wires.filter((w) => w.source !== source || w.target !== target),
    });
}

/** Puts a node onto a wire: what the wire brought goes into it, what it gives goes on. */
export function splice(wire: Wire, node: string, into: string, out: string): Edit {
  return (draft) =>
    connect(
      `${node}.${out}`,
      wire.target,
    )(connect(wire.source, `${node}.${into}`)(disconnect(wire.source, wire.target)(draft)));
}

/** Takes a node out and joins what fed one of its inputs with what one of its outputs fed. */
export function removeAndHeal(node: string, through: { into: string; out: string }): Edit {
  return (draft) => {
    const { wires } = draft.graph;
    const sources = wires.filter((w) => w.target === `${node}.${through.into}`);
    const targets = wires.filter((w) => w.source === `${node}.${through.out}`);
    const healed = sources.flatMap((s) =>
      targets.map((t) => ({ source: s.source, target: t.target })),
    );
    const left = removeNodes([node])(draft);
    return withGraph(left, { ...left.graph, wires: [...left.graph.wires, ...healed] });
  };
}

export function setParameter(node: string, name: string, value: Json): Edit {
  return (draft) =>
    // What is there already is no step to be undone.
    findNode(draft.graph, node)?.parameters[name] === value
      ? draft
      : withNode(draft, node, (n) => ({ ...n, parameters: { ...n.parameters, [name]: value } }));
}

export function resetParameter(node: string, name: string): Edit {
  return (draft) =>
    withNode(draft, node, (n) => ({
      ...n,
      parameters: Object.fromEntries(Object.entries(n.parameters).filter(([key]) => key !== name)),
    }));
}

/** A node of another version of its component, with the settings as that version has them. */
export function upgradeNode(
  node: string,
  version: number,
  parameters: Readonly<Record<string, Json>>,
): Edit {
  return (draft) => withNode(draft, node, (n) => ({ ...n, version, parameters }));
}

export function describeNode(node: string, change: { title?: string; comment?: string }): Edit {
  return (draft) => withNode(draft, node, (n) => ({ ...n, ...change }));
}

export function moveNodes(places: Readonly<Record<string, Point>>): Edit {
  return (draft) => withLayout(draft, { positions: { ...draft.layout.positions, ...places } });
}

function withLayout(draft: Draft, change: Partial<Layout>): Draft {
  return { ...draft, layout: { ...draft.layout, ...change } };
}

export function putNote(note: Note): Edit {
  return (draft) => {
    const known = draft.layout.notes.some((n) => n.id === note.id);
    const notes = known
      ? draft.layout.notes.map((n) => (n.id === note.id ? note : n))
      : [...draft.layout.notes, note];
    return withLayout(draft, { notes });
  };
}

export function removeNote(id: string): Edit {
  return (draft) => withLayout(draft, { notes: draft.layout.notes.filter((n) => n.id !== id) });
}

/** A node belongs to one group at most: it leaves the one it was in. */
export function putGroup(group: Group): Edit {
  return (draft) => {
    const members = new Set(group.nodes);
    const others = draft.layout.groups
      .filter((g) => g.id !== group.id)
      .map((g) => ({ ...g, nodes: g.nodes.filter((n) => !members.has(n)) }))
      .filter((g) => g.nodes.length > 0);
    return withLayout(draft, { groups: [...others, group] });
  };
}

export function removeGroup(id: string): Edit {
  return (draft) => withLayout(draft, { groups: draft.layout.groups.filter((g) => g.id !== id) });
}

export function rename(name: string): Edit {
  return (draft) => withGraph(draft, { ...draft.graph, name });
}

/** A value asked for at submission; a name that exists already gets a further target. */
export function promoteParameter(name: string, target: string, value: Json): Edit {
  return (draft) => {
    const { graph } = draft;
    const known = graph.parameters.find((p) => p.name === name);
    const made: PipelineParameter = known
      ? { ...known, sets: [...new Set([...known.sets, target])] }
      : { name, default: value, sets: [target], description: "" };
    const parameters = known
      ? graph.parameters.map((p) => (p.name === name ? made : p))
      : [...graph.parameters, made];
    return withGraph(draft, { ...graph, parameters });
  };
}

export function describePipelineParameter(
  name: string,
  change: { readonly default?: Json; readonly description?: string },
): Edit {
  return (draft) =>
    withGraph(draft, {
      ...draft.graph,
      parameters: draft.graph.parameters.map((p) => (p.name === name ? { ...p, ...change } : p)),
    });
}

/** The pipeline parameter that sets a node's parameter, given as "node.parameter". */
export function askedBy(graph: Graph, target: string): PipelineParameter | undefined {
  return graph.parameters.find((p) => p.sets.includes(target));
}

/** Takes a target away from the pipeline parameters; one that sets nothing any more goes. */
export function detachParameter(target: string): Edit {
  return (draft) =>
    withGraph(draft, {
      ...draft.graph,
      parameters: draft.graph.parameters
        .map((p) => ({ ...p, sets: p.sets.filter((s) => s !== target) }))
        .filter((p) => p.sets.length > 0),
    });
}

/**
 * Copies of nodes with the wires among them, moved by an offset; `kept` are wires from outside that
 * are drawn to the copies too. `ids` tells the new id of each.
 */
export function paste(
  piece: Draft,
  offset: Point,
  taken: Iterable<string>,
  kept: readonly Wire[] = [],
): { edit: Edit; ids: ReadonlyMap<string, string> } {
  const used = new Set(taken);
  const ids = new Map<string, string>();
  for (const node of piece.graph.nodes) {
    const id = freshId(used, node.id);
    used.add(id);
    ids.set(node.id, id);
  }
  const moved = (pin: string) => {
    const { node, port } = parsePin(pin);
    return `${ids.get(node) ?? node}.${port}`;
  };
  const edit: Edit = (draft) => {
    const positions = { ...draft.layout.positions };
    for (const [old, id] of ids) {
      const at = piece.layout.positions[old] ?? { x: 0, y: 0 };
      positions[id] = { x: at.x + offset.x, y: at.y + offset.y };
    }
    const nodes = piece.graph.nodes.map((node) => ({ ...node, id: ids.get(node.id) ?? node.id }));
    const wires = [...piece.graph.wires, ...kept].map((w) => ({
      source: moved(w.source),
      target: moved(w.target),
    }));
    return {
      graph: {
        ...draft.graph,
        nodes: [...draft.graph.nodes, ...nodes],
        wires: [...draft.graph.wires, ...wires],
      },
      layout: { ...draft.layout, positions },
    };
  };
  return { edit, ids };
}

/** Some nodes with the wires among them and their places, as for the clipboard. */
export function piece(draft: Draft, ids: Iterable<string>): Draft {
  const chosen = new Set(ids);
  const inside = (pin: string) => chosen.has(parsePin(pin).node);
  return {
    graph: {
      ...draft.graph,
      nodes: draft.graph.nodes.filter((n) => chosen.has(n.id)),
      wires: draft.graph.wires.filter((w) => inside(w.source) && inside(w.target)),
      parameters: [],
    },
    layout: {
      positions: Object.fromEntries(
        Object.entries(draft.layout.positions).filter(([node]) => chosen.has(node)),
      ),
      notes: [],
      groups: [],
    },
  };
}

/** Several edits as one. */
export function inTurn(...edits: readonly Edit[]): Edit {
  return (draft) => edits.reduce((before, edit) => edit(before), draft);
}

/** Edits as the server sends them with a problem's fix. */
export function fromFix(edits: readonly Readonly<Record<string, Json>>[]): Edit {
  return inTurn(
    ...edits.map((edit) => {
      const text = (name: string) => String(edit[name] ?? "");
      switch (edit.edit) {
        case "reset_parameter":
          return resetParameter(text("node_id"), text("name"));
        case "set_parameter":
          return setParameter(text("node_id"), text("name"), edit.value ?? null);
        case "disconnect":
          return disconnect(text("source"), text("target"));
        case "connect":
          return connect(text("source"), text("target"));
        case "remove_nodes":
          return removeNodes(Array.isArray(edit.nodes) ? edit.nodes.map(String) : []);
        default:
          return (draft: Draft) => draft;
      }
    }),
  );
}
