/** Undo and redo of whole drafts: cheap, because unchanged parts are shared. */

import type { Draft } from "./graph";
import type { Edit } from "./edits";

export interface Step {
  readonly draft: Draft;
  /** What the step did, as the key of a text. */
  readonly did: string;
  /** Steps of one burst, such as typing into a field, join while they have the same mark. */
  readonly burst: string | null;
}

export interface History {
  readonly past: readonly Step[];
  readonly present: Step;
  readonly future: readonly Step[];
}

export const MOST_STEPS = 200;

export function begin(draft: Draft): History {
  return { past: [], present: { draft, did: "open", burst: null }, future: [] };
}

/** The history after an edit; an edit that changes nothing is no step. */
export function apply(
  history: History,
  edit: Edit,
  did: string,
  burst: string | null = null,
): History {
  const draft = edit(history.present.draft);
  if (same(draft, history.present.draft)) return history;
  const present: Step = { draft, did, burst };
  if (burst !== null && history.present.burst === burst) {
    return { past: history.past, present, future: [] };
  }
  return { past: [...history.past, history.present].slice(-MOST_STEPS), present, future: [] };
}

export function undo(history: History): History {
  const before = history.past.at(-1);
  if (!before) return history;
  return {
    past: history.past.slice(0, -1),
    present: { ...before, burst: null },
    future: [history.present, ...history.future],
  };
}

export function redo(history: History): History {
  const [after, ...future] = history.future;
  if (!after) return history;
  return { past: [...history.past, history.present], present: { ...after, burst: null }, future };
}

function same(left: Draft, right: Draft): boolean {
  return left.graph === right.graph && left.layout === right.layout;
}

/** Whether results can differ: names, titles, comments and places change none. */
export function sameLogic(left: Draft, right: Draft): boolean {
  return left.graph === right.graph || logic(left) === logic(right);
}

function logic(draft: Draft): string {
  const { nodes, wires, parameters } = draft.graph;
  return JSON.stringify([
    nodes.map((n) => [n.id, n.component, n.version, sorted(n.parameters)]),
    wires.map((w) => `${w.source} ${w.target}`).sort(),
    parameters,
  ]);
}

function sorted(values: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
}
