/** A pipeline as the server sends it, in the form that the studio edits and draws. */

import type { Schemas } from "../api/client";
import type { Draft, Json, Layout, PipelineParameter } from "./graph";

export function readPipeline(graph: Schemas["Graph"] | null, layout: Schemas["Layout"]): Draft {
  const positions = Object.entries(layout.positions ?? {}).map(
    ([id, [x, y]]) => [id, { x, y }] as const,
  );
  return {
    graph: {
      name: graph?.name ?? "",
      description: graph?.description ?? "",
      nodes: (graph?.nodes ?? []).map((n) => ({
        id: n.id,
        component: n.component,
        version: n.version,
        parameters: n.parameters as Record<string, Json>,
        title: n.title,
        comment: n.comment,
        compute: n.compute ?? "",
        resources: n.resources ?? {},
      })),
      wires: graph?.wires ?? [],
      parameters: (graph?.parameters ?? []) as PipelineParameter[],
      compute: graph?.compute ?? "",
    },
    layout: {
      positions: Object.fromEntries(positions),
      notes: (layout.notes ?? []) as unknown as Layout["notes"],
      groups: (layout.groups ?? []) as unknown as Layout["groups"],
    },
  };
}
