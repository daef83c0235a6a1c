/** What is asked of the server about registered models and transformations. */

import { queryOptions } from "@tanstack/react-query";
import { api, got, type Schemas } from "../api/client";

export type Kind = "model" | "transformation";
export type Registered = Schemas["RegisteredModel"];

export const modelsQuery = (kind: Kind, search: string) =>
  queryOptions({
    queryKey: ["models", kind, search],
    queryFn: () =>
      got<Schemas["Listed_RegisteredModel_"]>(
        api.GET("/api/models", { params: { query: { kind, search } } }),
      ),
  });

export const modelVersionsQuery = (name: string) =>
  queryOptions({
    queryKey: ["models", "versions", name],
    queryFn: () =>
      got<Schemas["Listed_RegisteredModel_"]>(
        api.GET("/api/models/{name}/versions", { params: { path: { name } } }),
      ),
  });

export const modelUsesQuery = (name: string) =>
  queryOptions({
    queryKey: ["models", "uses", name],
    queryFn: () =>
      got<Schemas["Listed_AssetUse_"]>(
        api.GET("/api/models/{name}/uses", { params: { path: { name } } }),
      ),
  });
