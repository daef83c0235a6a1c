/** What is asked of the server about inference drafts. */

import { queryOptions } from "@tanstack/react-query";
import { api, got, type Schemas } from "../api/client";

/** The drafts that were made from a training draft by conversion. */
export const childrenQuery = (draftId: string) =>
  queryOptions({
    queryKey: ["drafts", "of", draftId],
    queryFn: () =>
      got<Schemas["PageOf_DraftSummary_"]>(
        api.GET("/api/drafts", { params: { query: { parent_draft_id: draftId, limit: 50 } } }),
      ),
  });

export const trainingQuery = (draftId: string) =>
  queryOptions({
    queryKey: ["training", draftId],
    queryFn: () =>
      got<Schemas["DraftTraining"]>(
        api.GET("/api/drafts/{draft_id}/training", { params: { path: { draft_id: draftId } } }),
      ),
  });

export const conversionQuery = (draftId: string) =>
  queryOptions({
    queryKey: ["conversion", draftId],
    queryFn: () =>
      got<Schemas["Conversion"]>(
        api.GET("/api/drafts/{draft_id}/conversion", { params: { path: { draft_id: draftId } } }),
      ),
  });

/** revision: of the draft, so that an edit asks anew. */
export const parityQuery = (draftId: string, revision: number) =>
  queryOptions({
    queryKey: ["parity", draftId, revision],
    queryFn: () =>
      got<Schemas["DraftParity"]>(
        api.GET("/api/drafts/{draft_id}/parity", { params: { path: { draft_id: draftId } } }),
      ),
    staleTime: Infinity,
    retry: false,
  });

/** The draft as it is stored now, whatever the designer has kept of it. */
export const headQuery = (draftId: string) =>
  queryOptions({
    queryKey: ["draft-head", draftId],
    queryFn: () =>
      got<Schemas["Draft"]>(
        api.GET("/api/drafts/{draft_id}", { params: { path: { draft_id: draftId } } }),
      ),
    gcTime: 0,
  });

export type Choices = Readonly<Record<string, "mine" | "theirs">>;

export const updateQuery = (draftId: string, choices: Choices) =>
  queryOptions({
    queryKey: ["update", draftId, choices],
    queryFn: () =>
      got<Schemas["InferenceUpdate"]>(
        api.POST("/api/drafts/{draft_id}/update/preview", {
          params: { path: { draft_id: draftId } },
          body: { choices: { ...choices } },
        }),
      ),
    retry: false,
    gcTime: 0,
  });

export const settingsQuery = queryOptions({
  queryKey: ["endpoint-settings"],
  queryFn: () => got<Schemas["SettingsExplained"]>(api.GET("/api/endpoints/settings")),
  staleTime: Infinity,
});

export const clustersQuery = queryOptions({
  queryKey: ["clusters"],
  queryFn: () => got<Schemas["Listed_Cluster_"]>(api.GET("/api/clusters")),
});

export const clusterKindsQuery = queryOptions({
  queryKey: ["cluster-kinds"],
  queryFn: () => got<Schemas["Listed_ClusterKind_"]>(api.GET("/api/clusters/kinds")),
  staleTime: Infinity,
});

/** What a deployment would take, before it is taken. */
export const planQuery = (asked: Schemas["DeploymentThoughtOf"]) =>
  queryOptions({
    queryKey: ["plan", asked],
    queryFn: () =>
      got<Schemas["PlannedDeployment"]>(api.POST("/api/endpoints/plan", { body: asked })),
    gcTime: 0,
    retry: false,
  });
