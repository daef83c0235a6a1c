/** Whether a pipeline can run, as the server sees it. */

import { queryOptions } from "@tanstack/react-query";
import { api, type Checked, got, type Schemas } from "./client";

interface Sent {
  readonly name: string;
  readonly description: string;
  readonly nodes: readonly object[];
  readonly wires: readonly object[];
  readonly parameters: readonly object[];
}

export const checkQuery = (graph: Sent) =>
  queryOptions({
    queryKey: ["check", graph],
    queryFn: () =>
      got<Checked>(api.POST("/api/check", { body: { graph: graph as Schemas["Graph"] } })),
    staleTime: Infinity,
    gcTime: 10_000,
  });
