/** Which component is put behind which: counted in pipelines, to offer the usual ones first. */

import { parsePin } from "../draft/graph";

interface Wired {
  readonly nodes?: readonly { readonly id: string; readonly component: string }[];
  readonly wires?: readonly { readonly source: string; readonly target: string }[];
}

/** How often each component stands at the other end of a wire from or to this one. */
export function neighbours(
  pipelines: readonly Wired[],
  component: string,
  side: "source" | "target",
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { nodes = [], wires = [] } of pipelines) {
    const kinds = new Map(nodes.map((n) => [n.id, n.component]));
    for (const wire of wires) {
      const here = kinds.get(parsePin(wire[side]).node);
      const other = kinds.get(parsePin(wire[side === "source" ? "target" : "source"]).node);
      if (here !== component || other === undefined) continue;
      counts.set(other, (counts.get(other) ?? 0) + 1);
    }
  }
  return counts;
}
