/** The draft's last run: submitted, followed live, and laid over the nodes. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { api, got, type Run, type Step } from "../api/client";
import { runQuery, runsQuery } from "../api/queries";
import type { NodeRun, NodeStatus } from "../canvas/toFlow";
import { type Draft, type Graph, reach } from "../draft/graph";
import { sendable } from "./queries";

interface Live {
  readonly status: Readonly<Record<string, NodeStatus>>;
  readonly logs: Readonly<Record<string, readonly string[]>>;
}

const NO_NEWS: Live = { status: {}, logs: {} };
const OVER = new Set(["completed", "failed", "cancelled"]);
const BY_EVENT: Readonly<Record<string, NodeStatus>> = {
  "step-queued": "queued",
  "step-running": "running",
  "step-reused": "reused",
  "step-done": "done",
  "step-failed": "failed",
  "step-skipped": "skipped",
  "step-cancelled": "cancelled",
};

export interface Runs {
  readonly run: Run | null;
  readonly running: boolean;
  readonly byNode: ReadonlyMap<string, NodeRun>;
  readonly logs: Readonly<Record<string, readonly string[]>>;
  readonly error: Error | null;
  submit(until: string | null): void;
  cancel(): void;
  step(node: string): Step | undefined;
}

export function useRun(draftId: string, draft: Draft | null): Runs {
  const cache = useQueryClient();
  const [chosen, setChosen] = useState<string | null>(null);
  const [live, setLive] = useState<Live>(NO_NEWS);
  const { data: earlier } = useQuery(runsQuery(draftId));
  const id = chosen ?? earlier?.items[0]?.id ?? null;
  const { data: run } = useQuery({ ...runQuery(id ?? ""), enabled: id !== null });
  const running = run !== undefined && !OVER.has(run.status);

  useEffect(() => {
    if (!id || !running) return;
    const source = new EventSource(`/api/runs/${id}/events/stream`);
    source.onmessage = (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as { kind: string; node?: string; lines?: string[] };
      const { kind, node, lines } = event;
      const status = BY_EVENT[kind];
      if (node && status) {
        setLive((before) => ({ ...before, status: { ...before.status, [node]: status } }));
      }
      if (node && lines) {
        setLive((before) => ({
          ...before,
          logs: { ...before.logs, [node]: [...(before.logs[node] ?? []), ...lines] },
        }));
      }
      if (kind === "run-finished" || kind === "closed") {
        source.close();
        void cache.invalidateQueries({ queryKey: ["run", id] });
        void cache.invalidateQueries({ queryKey: ["runs", draftId] });
      }
    };
    return () => {
      source.close();
    };
  }, [id, running, cache, draftId]);

  const submission = useMutation({
    mutationFn: (until: string | null) =>
      got<Run>(
        api.POST("/api/runs", {
          body: {
            graph: draft ? sendable(draft.graph) : null,
            draft_id: draftId,
            until,
            parameters: {},
            rerun: false,
            regenerate: [],
            target: "local",
            tags: {},
          },
        }),
      ),
    onSuccess: (started) => {
      setLive(NO_NEWS);
      cache.setQueryData(["run", started.id], started);
      setChosen(started.id);
    },
  });

  const byNode = useMemo(
    () => (run && draft ? overlay(run, draft.graph, running ? live.status : {}) : new Map()),
    [run, draft, live.status, running],
  ) as ReadonlyMap<string, NodeRun>;

  return {
    run: run ?? null,
    running: running || submission.isPending,
    byNode,
    logs: live.logs,
    error: submission.error,
    submit: (until) => {
      submission.mutate(until);
    },
    cancel: () => {
      if (id) void api.POST("/api/runs/{run_id}/cancel", { params: { path: { run_id: id } } });
    },
    step: (node) => run?.steps.find((s) => s.node === node),
  };
}

/** The run laid over the draft as it is now: what was edited since, and what it feeds, is stale. */
export function overlay(
  run: Run,
  graph: Graph,
  live: Readonly<Record<string, NodeStatus>>,
): Map<string, NodeRun> {
  const stale = reach(graph, changed(run, graph), "down");
  const steps = new Map(run.steps.map((s) => [s.node, s]));
  const found = new Map<string, NodeRun>();
  for (const node of graph.nodes) {
    const step = steps.get(node.id);
    if (!step) continue;
    const known = live[node.id] ?? (step.status as NodeStatus);
    const status = stale.has(node.id) && known !== "running" ? "stale" : known;
    const rows = Object.entries(step.outputs).flatMap(([port, value]) =>
      value.rows == null ? [] : [[port, value.rows] as const],
    );
    found.set(node.id, { status, seconds: step.duration_s, rows: Object.fromEntries(rows) });
  }
  return found;
}

/** Nodes that are not as they were in the run: settings, component or what feeds them. */
function changed(run: Run, graph: Graph): string[] {
  const then = new Map((run.graph.nodes ?? []).map((n) => [n.id, n]));
  const feeds = (wires: readonly { source: string; target: string }[], id: string) =>
    wires
      .filter((w) => w.target.startsWith(`${id}.`))
      .map((w) => `${w.source} ${w.target}`)
      .sort()
      .join("|");
  return graph.nodes
    .filter((node) => {
      const old = then.get(node.id);
      return (
        !old ||
        old.component !== node.component ||
        stable(old.parameters) !== stable(node.parameters) ||
        feeds(run.graph.wires ?? [], node.id) !== feeds(graph.wires, node.id)
      );
    })
    .map((node) => node.id);
}

function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join(",")}]`;
  if (value && typeof value === "object") {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${k}:${stable(v)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
