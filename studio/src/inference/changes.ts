import type { Schemas } from "../api/client";

export type Action = Schemas["Change"]["action"];

/** Colour of what became of a node: for its frame on the canvas, and for its badge. */
export const COLOURS: Readonly<Record<Action, { badge: string; frame: string }>> = {
  kept: { badge: "gray", frame: "#868e96" },
  changed: { badge: "yellow", frame: "#e8a200" },
  replaced: { badge: "indigo", frame: "#4c6ef5" },
  folded: { badge: "grape", frame: "#ae3ec9" },
  removed: { badge: "red", frame: "#e03131" },
  added: { badge: "teal", frame: "#0ca678" },
};

/** What is to be said of the nodes of each side: the training graph's own, and those that were added. */
export function bySide(changes: readonly Schemas["Change"][]) {
  const training = new Map<string, Schemas["Change"]>();
  const inference = new Map<string, Schemas["Change"]>();
  for (const change of changes) {
    if (change.action === "added") inference.set(change.node, change);
    else {
      training.set(change.node, change);
      // A node that stands for itself is shown on both sides.
      if (change.by.includes(change.node) && !inference.has(change.node)) {
        inference.set(change.node, change);
      }
    }
  }
  return { training, inference };
}
