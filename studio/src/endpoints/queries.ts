/** What is asked of the server about endpoints. */

import { queryOptions } from "@tanstack/react-query";
import { api, got, type Schemas } from "../api/client";

export const freshnessQuery = (name: string) =>
  queryOptions({
    queryKey: ["freshness", name],
    queryFn: () =>
      got<Schemas["Freshness"]>(
        api.GET("/api/endpoints/{name}/training", { params: { path: { name } } }),
      ),
    refetchInterval: 10_000,
  });

export const snippetsQuery = (name: string) =>
  queryOptions({
    queryKey: ["snippets", name],
    queryFn: () =>
      got<Schemas["Snippets"]>(
        api.GET("/api/endpoints/{name}/snippets", { params: { path: { name } } }),
      ),
    retry: false,
  });

export const explainedQuery = queryOptions({
  queryKey: ["endpoint-settings"],
  queryFn: () => got<Schemas["SettingsExplained"]>(api.GET("/api/endpoints/settings")),
  staleTime: Infinity,
});
