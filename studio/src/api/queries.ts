/** What is asked of the server, once each; the cache is the only home of the answers. */

import { infiniteQueryOptions, queryOptions, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, type Component, got, type Run, type Schemas } from "./client";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () => got<Schemas["Session"]>(api.GET("/api/session")),
  retry: false,
  staleTime: Infinity,
});

export const libraryQuery = queryOptions({
  queryKey: ["library"],
  queryFn: () => got<Schemas["Listed_Component_"]>(api.GET("/api/library")),
  staleTime: Infinity,
});

export const draftsQuery = (search: string) =>
  queryOptions({
    queryKey: ["drafts", search],
    queryFn: () =>
      got<Schemas["PageOf_DraftSummary_"]>(
        api.GET("/api/drafts", { params: { query: { search, limit: 100 } } }),
      ),
  });

export const samplesQuery = queryOptions({
  queryKey: ["samples"],
  queryFn: () => got<Schemas["Listed_SamplePipeline_"]>(api.GET("/api/samples/pipelines")),
  staleTime: Infinity,
});

export const draftQuery = (id: string) =>
  queryOptions({
    queryKey: ["draft", id],
    queryFn: () =>
      got<Schemas["Draft"]>(
        api.GET("/api/drafts/{draft_id}", { params: { path: { draft_id: id } } }),
      ),
    staleTime: Infinity,
    gcTime: 0,
  });

export const runsQuery = (draftId: string) =>
  queryOptions({
    queryKey: ["runs", draftId],
    queryFn: () =>
      got<Schemas["PageOf_RunSummary_"]>(
        api.GET("/api/runs", { params: { query: { draft_id: draftId, limit: 20 } } }),
      ),
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: () => got<Run>(api.GET("/api/runs/{run_id}", { params: { path: { run_id: id } } })),
  });

/** Components by id. */
export function useLibrary(): ReadonlyMap<string, Component> {
  const { data } = useQuery(libraryQuery);
  return useMemo(() => new Map((data?.items ?? []).map((c) => [c.id, c])), [data]);
}

/** The latest version of each data set. */
export const datasetsQuery = (search: string) =>
  queryOptions({
    queryKey: ["datasets", search],
    queryFn: () =>
      got<Schemas["Listed_Dataset_"]>(
        api.GET("/api/datasets", { params: { query: { search, deleted: false } } }),
      ),
  });

export const datasetVersionsQuery = (name: string) =>
  queryOptions({
    queryKey: ["dataset-versions", name],
    queryFn: () =>
      got<Schemas["Listed_Dataset_"]>(
        api.GET("/api/datasets/{name}/versions", { params: { path: { name } } }),
      ),
  });

export const datasetUsesQuery = (name: string) =>
  queryOptions({
    queryKey: ["dataset-uses", name],
    queryFn: () =>
      got<Schemas["Listed_AssetUse_"]>(
        api.GET("/api/datasets/{name}/uses", { params: { path: { name } } }),
      ),
  });

export const uploadQuery = (id: string) =>
  queryOptions({
    queryKey: ["upload", id],
    queryFn: () =>
      got<Schemas["Upload"]>(
        api.GET("/api/uploads/{upload_id}", { params: { path: { upload_id: id } } }),
      ),
    staleTime: Infinity,
    gcTime: 0,
  });

/** What is in a stored table; what has a digest never changes. */
export const profileQuery = (digest: string) =>
  queryOptions({
    queryKey: ["profile", digest],
    queryFn: () =>
      got<Schemas["Profile"]>(
        api.GET("/api/artifacts/{digest}/profile", { params: { path: { digest } } }),
      ),
    staleTime: Infinity,
  });

export const artifactQuery = (digest: string) =>
  queryOptions({
    queryKey: ["artifact", digest],
    queryFn: () =>
      got<Schemas["Artifact"]>(
        api.GET("/api/artifacts/{digest}", { params: { path: { digest } } }),
      ),
    staleTime: Infinity,
  });

export const evaluationQuery = (runId: string, node: string) =>
  queryOptions({
    queryKey: ["evaluation", runId, node],
    queryFn: () =>
      got<Schemas["Evaluation"]>(
        api.GET("/api/runs/{run_id}/steps/{node}/evaluation", {
          params: { path: { run_id: runId, node } },
        }),
      ),
    staleTime: Infinity,
  });

export const OVER: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

/** Runs of all drafts, latest first, a page at a time; asked again while one of them runs. */
export const runPagesQuery = (experiment: string | null, search: string) =>
  infiniteQueryOptions({
    queryKey: ["run-pages", experiment, search],
    queryFn: ({ pageParam }) =>
      got<Schemas["PageOf_RunSummary_"]>(
        api.GET("/api/runs", {
          params: { query: { experiment, search, limit: 50, after: pageParam } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.after,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some((run) => !OVER.has(run.status)))
        ? 2000
        : false,
  });

export const experimentsQuery = queryOptions({
  queryKey: ["experiments"],
  queryFn: () => got<Schemas["Listed_Experiment_"]>(api.GET("/api/experiments")),
});

/** A run that is asked for again while it goes on. */
export const liveRunQuery = (id: string) =>
  queryOptions({
    ...runQuery(id),
    refetchInterval: ({ state }) => (state.data && !OVER.has(state.data.status) ? 1000 : false),
  });

/** The settings that steps of a run tried; asked for again while it goes on. */
export const sweepsQuery = (runId: string, live: boolean) =>
  queryOptions({
    // Asked anew when the run is over, since what was told last came after the last look.
    queryKey: ["sweeps", runId, live],
    queryFn: () =>
      got<Schemas["Listed_Sweep_"]>(
        api.GET("/api/runs/{run_id}/sweeps", { params: { path: { run_id: runId } } }),
      ),
    refetchInterval: ({ state }) =>
      // A long sweep is asked for less often, since all of it is told each time.
      live ? 1000 + 10 * (state.data?.items[0]?.tries.length ?? 0) : false,
  });

export const stepLogQuery = (runId: string, node: string) =>
  queryOptions({
    queryKey: ["step-log", runId, node],
    queryFn: () =>
      got<Schemas["LogPiece"]>(
        api.GET("/api/runs/{run_id}/steps/{node}/log", {
          params: { path: { run_id: runId, node } },
        }),
      ),
    refetchInterval: ({ state }) => (state.data && !state.data.complete ? 1000 : false),
  });

export const comparisonQuery = (left: string, right: string) =>
  queryOptions({
    queryKey: ["comparison", left, right],
    queryFn: () =>
      got<Schemas["RunComparison"]>(
        api.GET("/api/runs/compare", { params: { query: { left, right } } }),
      ),
  });

export const endpointsQuery = queryOptions({
  queryKey: ["endpoints"],
  queryFn: () => got<Schemas["Listed_Endpoint_"]>(api.GET("/api/endpoints")),
  refetchInterval: 3000,
});

export const endpointQuery = (name: string) =>
  queryOptions({
    queryKey: ["endpoint", name],
    queryFn: () =>
      got<Schemas["Endpoint"]>(api.GET("/api/endpoints/{name}", { params: { path: { name } } })),
    refetchInterval: 1000,
  });

export const endpointSchemaQuery = (name: string) =>
  queryOptions({
    queryKey: ["endpoint-schema", name],
    queryFn: () =>
      got<Schemas["EndpointSchema"]>(
        api.GET("/api/endpoints/{name}/schema", { params: { path: { name } } }),
      ),
  });

export const endpointLogQuery = (name: string) =>
  queryOptions({
    queryKey: ["endpoint-log", name],
    queryFn: () =>
      got<Schemas["LogLines"]>(
        api.GET("/api/endpoints/{name}/log", {
          params: { path: { name }, query: { lines: 500 } },
        }),
      ),
    refetchInterval: 2000,
  });
