/** Whether two pipelines do the same: titles, comments and order make no difference. */

interface Doing {
  readonly nodes?: readonly {
    readonly id: string;
    readonly component: string;
    readonly parameters?: unknown;
  }[];
  readonly wires?: readonly { readonly source: string; readonly target: string }[];
}

export function sameWork(one: Doing, other: Doing): boolean {
  return told(one) === told(other);
}

function told(graph: Doing): string {
  const nodes = (graph.nodes ?? []).map((n) => [n.id, n.component, n.parameters ?? {}]);
  const wires = (graph.wires ?? []).map((w) => `${w.source} > ${w.target}`);
  nodes.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  return JSON.stringify(ordered([nodes, wires.sort()]));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, ordered(inner)]));
}
