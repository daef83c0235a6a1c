/** What the designer asks of the server. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, type Checked, got, type Plan, type Schemas } from "../api/client";
import {
  type Draft,
  emptyGraph,
  type Graph,
  graphKey,
  type Json,
  type Layout,
  type PipelineParameter,
} from "../draft/graph";
import type { History } from "../draft/history";
import { keep, recall } from "../draft/keptHistory";

/** The graph with plain arrays, as the generated types want them. */
export function sendable(graph: Graph) {
  return {
    name: graph.name,
    description: graph.description,
    nodes: graph.nodes.map((n) => ({
      ...n,
      parameters: { ...n.parameters },
      compute: n.compute ?? "",
      resources: { ...n.resources },
    })),
    compute: graph.compute ?? "",
    wires: graph.wires.map((w) => ({ ...w })),
    parameters: graph.parameters.map((p) => ({ ...p, sets: [...p.sets] })),
  };
}

let turn: Promise<unknown> = Promise.resolve();

/** Asked one at a time: of the graphs that come while the server is busy only the last is sent. */
export const checkQuery = (graph: Graph) =>
  queryOptions({
    queryKey: ["check", graphKey(graph)],
    queryFn: async ({ signal }) => {
      await turn;
      signal.throwIfAborted();
      const asked = got<Checked>(api.POST("/api/check", { body: { graph: sendable(graph) } }));
      turn = asked.catch(() => undefined);
      return asked;
    },
    staleTime: Infinity,
    gcTime: 10_000,
  });

export interface ServerDraft {
  readonly revision: number;
  readonly draft: Draft;
}

/** The server's form of a draft as the studio edits it. */
export function readDraft(body: Schemas["Draft"]): ServerDraft {
  const graph = body.graph ?? { ...emptyGraph, nodes: [], wires: [], parameters: [] };
  const positions = Object.entries(body.layout.positions ?? {}).map(
    ([id, [x, y]]) => [id, { x, y }] as const,
  );
  return {
    revision: body.revision,
    draft: {
      graph: {
        name: graph.name ?? "",
        description: graph.description ?? "",
        nodes: (graph.nodes ?? []).map((n) => ({
          id: n.id,
          component: n.component,
          version: n.version,
          parameters: n.parameters as Record<string, Json>,
          title: n.title,
          comment: n.comment,
          compute: n.compute ?? "",
          resources: n.resources ?? {},
        })),
        wires: graph.wires ?? [],
        parameters: (graph.parameters ?? []) as PipelineParameter[],
        compute: graph.compute ?? "",
      },
      layout: {
        positions: Object.fromEntries(positions),
        notes: (body.layout.notes ?? []) as unknown as Layout["notes"],
        groups: (body.layout.groups ?? []) as unknown as Layout["groups"],
      },
    },
  };
}

/** The undo history of an earlier visit; null when there is none that fits, or none can be had. */
export async function recalled(id: string, draft: Draft): Promise<History | null> {
  const kept = await got<Schemas["UndoHistory"]>(
    api.GET("/api/drafts/{draft_id}/history", { params: { path: { draft_id: id } } }),
  ).catch(() => null);
  return kept && recall(kept.history, draft);
}

/** Saves a draft with its undo history; throws ApiError with status 409 when it has moved on. */
export async function saveDraft(
  id: string,
  revision: number,
  history: History,
  storedName: string,
): Promise<number> {
  const { draft } = history.present;
  const { name } = draft.graph;
  if (name && name !== storedName) {
    await got<Schemas["Draft"]>(
      api.PATCH("/api/drafts/{draft_id}", {
        params: { path: { draft_id: id } },
        body: { name },
      }),
    );
  }
  const positions = Object.fromEntries(
    Object.entries(draft.layout.positions).map(([node, p]) => [
      node,
      [p.x, p.y] as [number, number],
    ]),
  );
  const saved = await got<Schemas["Draft"]>(
    api.PUT("/api/drafts/{draft_id}", {
      params: { path: { draft_id: id } },
      body: {
        revision,
        graph: sendable(draft.graph),
        layout: {
          positions,
          notes: draft.layout.notes.map((n) => ({ ...n })),
          groups: draft.layout.groups.map((g) => ({ ...g })),
        },
        history: keep(history),
      },
    }),
  );
  return saved.revision;
}

export const sampleDatasetsQuery = queryOptions({
  queryKey: ["sample-datasets"],
  queryFn: () => got<Schemas["Listed_SampleDataset_"]>(api.GET("/api/samples/datasets")),
  staleTime: Infinity,
});

/** Registered models and transformations, the latest version of each. */
export const savedQuery = queryOptions({
  queryKey: ["models", "palette"],
  queryFn: () => got<Schemas["Listed_RegisteredModel_"]>(api.GET("/api/models")),
});

export const targetsQuery = queryOptions({
  queryKey: ["compute"],
  queryFn: () => got<Schemas["Compute"]>(api.GET("/api/compute")),
});

export interface PlanChoice {
  readonly until: string | null;
  readonly regenerate: readonly string[];
  readonly rerun: boolean;
  readonly parameters: Readonly<Record<string, Json>>;
}

export const WHOLE: PlanChoice = { until: null, regenerate: [], rerun: false, parameters: {} };

/** What a run of the graph would do; it depends on what has been run, so it is asked anew. */
export const planQuery = (graph: Graph, choice: PlanChoice = WHOLE) =>
  queryOptions({
    queryKey: ["plan", graphKey(graph), choice],
    queryFn: () =>
      got<Plan>(
        api.POST("/api/plan", {
          body: {
            graph: sendable(graph),
            draft_id: null,
            ...choice,
            regenerate: [...choice.regenerate],
            parameters: { ...choice.parameters },
          },
        }),
      ),
    gcTime: 10_000,
    placeholderData: keepPreviousData,
  });
