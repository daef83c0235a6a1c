/** Watches runs and endpoints from every page, and tells what became of them. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { api, got, type Schemas } from "../api/client";
import { OVER } from "../api/queries";
import { useText } from "../text/useText";
import { useNotices } from "./notices";

const BUSY_MS = 2500;
const QUIET_MS = 12_000;

type RunsPage = Schemas["PageOf_RunSummary_"];
type Endpoints = Schemas["Listed_Endpoint_"];

export function useNews(): void {
  const text = useText();
  const tell = useNotices((state) => state.tell);
  const runs = useQuery({
    queryKey: ["run-news"],
    queryFn: () => got<RunsPage>(api.GET("/api/runs", { params: { query: { limit: 20 } } })),
    refetchInterval: ({ state }) =>
      state.data?.items.some((run) => !OVER.has(run.status)) ? BUSY_MS : QUIET_MS,
    retry: false,
  });
  const endpoints = useQuery({
    queryKey: ["endpoint-news"],
    queryFn: () => got<Endpoints>(api.GET("/api/endpoints")),
    refetchInterval: QUIET_MS,
    retry: false,
  });

  // What is there at the first look is no news.
  const begun = useRef<string | null>(null);
  useEffect(() => {
    const since = (begun.current ??= new Date(Date.now() - QUIET_MS).toISOString());
    for (const run of runs.data?.items ?? []) {
      if (!OVER.has(run.status) || !run.finished_at || run.finished_at < since) continue;
      tell({
        id: `run ${run.id}`,
        at: run.finished_at,
        title: text.noticeRun(run.name, text.runStates[run.status]),
        tone: run.status === "completed" ? "good" : run.status === "failed" ? "bad" : "plain",
        to: `/runs/${run.id}`,
      });
    }
  }, [runs.data, tell, text]);

  const states = useRef<ReadonlyMap<string, string> | null>(null);
  useEffect(() => {
    if (!endpoints.data) return;
    const now = new Map(endpoints.data.items.map((e) => [e.name, String(e.state)]));
    const before = states.current;
    states.current = now;
    if (!before) return;
    for (const [name, state] of now) {
      if (before.get(name) === state || state === "transitioning") continue;
      const known = text.endpointStates as Readonly<Record<string, string>>;
      tell({
        id: `endpoint ${name} ${state} ${new Date().toISOString()}`,
        at: new Date().toISOString(),
        title: text.noticeEndpoint(name, known[state] ?? state),
        tone: state === "healthy" ? "good" : state === "stopped" ? "plain" : "bad",
        to: `/endpoints/${encodeURIComponent(name)}`,
      });
    }
  }, [endpoints.data, tell, text]);
}
