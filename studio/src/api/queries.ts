/** What is asked of the server, once each; the cache is the only home of the answers. */

import { queryOptions, useQuery } from "@tanstack/react-query";
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

export const sampleDatasetsQuery = queryOptions({
  queryKey: ["sample-datasets"],
  queryFn: () => got<Schemas["Listed_SampleDataset_"]>(api.GET("/api/samples/datasets")),
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
