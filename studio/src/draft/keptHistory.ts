/** Undo and redo as they are kept on the server: steps share what did not change between them. */

import type { Draft, Graph, Layout, Node, Wire } from "./graph";
import type { History, Step } from "./history";

/** Steps to each side of the present that outlive a reload. */
export const KEPT_STEPS = 50;

type Place = number;

/** Nodes, wires, and all the rest of graphs and layouts once each, steps as places among them. */
export interface KeptHistory {
  readonly format: 1;
  readonly pool: readonly unknown[];
  readonly past: readonly KeptStep[];
  readonly present: KeptStep;
  readonly future: readonly KeptStep[];
}

interface KeptStep {
  readonly did: string;
  readonly nodes: readonly Place[];
  readonly wires: readonly Place[];
  /** What else a graph has: name, description, parameters. */
  readonly rest: Place;
  readonly layout: Place;
}

export function keep(history: History): KeptHistory {
  const pool: unknown[] = [];
  const places = new Map<string, Place>();
  // Steps share what did not change between them: it is read once, not with each.
  const seen = new Map<unknown, Place>();
  const put = (value: unknown): Place => {
    const met = seen.get(value);
    if (met !== undefined) return met;
    const text = JSON.stringify(value);
    let place = places.get(text);
    if (place === undefined) {
      place = pool.push(value) - 1;
      places.set(text, place);
    }
    seen.set(value, place);
    return place;
  };
  const kept = ({ draft, did }: Step): KeptStep => {
    const { nodes, wires, ...rest } = draft.graph;
    return {
      did,
      nodes: nodes.map(put),
      wires: wires.map(put),
      rest: put(rest),
      layout: put(draft.layout),
    };
  };
  return {
    format: 1,
    past: history.past.slice(-KEPT_STEPS).map(kept),
    present: kept(history.present),
    future: history.future.slice(0, KEPT_STEPS).map(kept),
    pool,
  };
}

/**
 * The history that was kept, with the draft as its present; null when it is of another state of the
 * draft, because somebody else saved in between, or of another format.
 */
export function recall(kept: unknown, draft: Draft): History | null {
  if (!isKept(kept)) return null;
  const step = ({ did, nodes, wires, rest, layout }: KeptStep): Step => ({
    did,
    burst: null,
    draft: {
      graph: {
        ...(kept.pool[rest] as Omit<Graph, "nodes" | "wires">),
        nodes: nodes.map((place) => kept.pool[place] as Node),
        wires: wires.map((place) => kept.pool[place] as Wire),
      },
      layout: kept.pool[layout] as Layout,
    },
  });
  if (sorted(step(kept.present).draft) !== sorted(draft)) return null;
  return {
    past: kept.past.map(step),
    present: { draft, did: kept.present.did, burst: null },
    future: kept.future.map(step),
  };
}

function isKept(value: unknown): value is KeptHistory {
  return (
    typeof value === "object" &&
    value !== null &&
    "format" in value &&
    value.format === 1 &&
    "pool" in value &&
    "past" in value &&
    "present" in value &&
    "future" in value
  );
}

/** A draft as text in which the order of keys does not count. */
function sorted(draft: Draft): string {
  return JSON.stringify(draft, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
