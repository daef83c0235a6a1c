/** What is asked of the server about compute clusters and inference clusters. */

import { queryOptions } from "@tanstack/react-query";
import { api, got, type Schemas } from "../api/client";

export const computeQuery = queryOptions({
  queryKey: ["compute", "live"],
  queryFn: () => got<Schemas["Compute"]>(api.GET("/api/compute")),
  refetchInterval: 2000,
});

export const liveClustersQuery = queryOptions({
  queryKey: ["clusters", "live"],
  queryFn: () => got<Schemas["Listed_Cluster_"]>(api.GET("/api/clusters")),
  refetchInterval: 3000,
});

export const kindsQuery = queryOptions({
  queryKey: ["cluster-kinds"],
  queryFn: () => got<Schemas["Listed_ClusterKind_"]>(api.GET("/api/clusters/kinds")),
  staleTime: Infinity,
});
