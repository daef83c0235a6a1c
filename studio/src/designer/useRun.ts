/** The draft's last run: submitted, followed live, and laid over the nodes. */

import { useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { api, got, type Run, type Step } from "../api/client";
import { runQuery, runsQuery } from "../api/queries";
import { asTried, type Tried } from "../api/sweep";
import type { NodeRun, NodeStatus } from "../canvas/toFlow";
import { type Draft, type Graph, type Json, parsePin, reach } from "../draft/graph";
import { sendable } from "./queries";

interface Live {
  readonly status: Readonly<Record<string, NodeStatus>>;
  readonly fraction: Readonly<Record<string, number>>;
  readonly logs: Readonly<Record<string, readonly string[]>>;
  readonly sweeps: Readonly<Record<string, readonly Tried[]>>;
}

/** How many runs before the last one are asked for what it left out. */
const EARLIER = 3;
const AGAIN_MS = 4000;
const NO_RUNS: readonly Run[] = [];
const NO_NEWS: Live = { status: {}, fraction: {}, logs: {}, sweeps: {} };
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

/** How a run is asked for; what is left out is as the server has it. */
export interface Submission {
  /** Only this node and what it needs. */
  readonly until?: string | null;
  /** Nodes that run whatever is known of them. */
  readonly regenerate?: readonly string[];
  readonly rerun?: boolean;
  readonly experiment?: string | null;
  readonly name?: string | null;
  readonly target?: string | null;
  readonly parameters?: Readonly<Record<string, Json>>;
}

interface RunEvent {
  readonly kind: string;
  readonly node?: string;
  readonly lines?: string[];
  readonly fraction?: number | null;
  readonly report?: unknown;
}

export interface Runs {
  readonly run: Run | null;
  readonly running: boolean;
  readonly byNode: ReadonlyMap<string, NodeRun>;
  readonly logs: Readonly<Record<string, readonly string[]>>;
  /** The settings that nodes tried in the run that was watched, by node. */
  readonly sweeps: Readonly<Record<string, readonly Tried[]>>;
  readonly error: Error | null;
  submit(submission: Submission): void;
  cancel(): void;
  /** The latest that a node came to, and in which run. */
  result(node: string): { readonly run: string; readonly step: Step } | null;
}

export function useRun(draftId: string, draft: Draft | null, onOver: (run: Run) => void): Runs {
  const told = useRef(onOver);
  useEffect(() => {
    told.current = onOver;
  });
  const cache = useQueryClient();
  const [chosen, setChosen] = useState<string | null>(null);
  const [live, setLive] = useState<Live>(NO_NEWS);
  const { data: earlier } = useQuery(runsQuery(draftId));
  const id = chosen ?? earlier?.items[0]?.id ?? null;
  const { data: run } = useQuery({ ...runQuery(id ?? ""), enabled: id !== null });
  const latest = run ?? null;
  const running = latest !== null && !OVER.has(latest.status);

  // What a run to one node left out is shown as the runs before it had it.
  const uncovered =
    latest !== null &&
    draft !== null &&
    draft.graph.nodes.some((n) => !latest.steps.some((step) => step.node === n.id));
  const before = (earlier?.items ?? [])
    .map((item) => item.id)
    .filter((other) => other !== id)
    .slice(0, EARLIER);
  const olderFound = useQueries({
    queries: before.map((other) => ({ ...runQuery(other), enabled: uncovered })),
    combine: (found) => found.flatMap(({ data }) => (data && OVER.has(data.status) ? [data] : [])),
  });
  const older = uncovered ? olderFound : NO_RUNS;

  useEffect(() => {
    if (!id || !running) return;
    const source = new EventSource(`/api/runs/${id}/events/stream`);
    let finished = false;
    const look = () => {
      void cache
        .fetchQuery({ ...runQuery(id), staleTime: 0, retry: false })
        .then((now) => {
          if (finished || !OVER.has(now.status)) return;
          finished = true;
          source.close();
          void cache.invalidateQueries({ queryKey: ["runs", draftId] });
          void cache.invalidateQueries({ queryKey: ["plan"] });
          told.current(now);
        })
        // The server is silent: it is asked again.
        .catch(() => undefined);
    };
    source.onmessage = (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as RunEvent;
      setLive((known) => withNews(known, event));
      if (event.kind === "run-finished" || event.kind === "closed") look();
    };
    const again = setInterval(look, AGAIN_MS);
    return () => {
      clearInterval(again);
      source.close();
    };
  }, [id, running, cache, draftId]);

  const submission = useMutation({
    mutationFn: (submission: Submission) =>
      got<Run>(
        api.POST("/api/runs", {
          body: {
            graph: draft ? sendable(draft.graph) : null,
            draft_id: draftId,
            until: submission.until ?? null,
            parameters: { ...submission.parameters },
            rerun: submission.rerun ?? false,
            regenerate: [...(submission.regenerate ?? [])],
            experiment: submission.experiment ?? null,
            name: submission.name ?? null,
            target: submission.target ?? null,
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

  const byNode = useMemo(() => {
    const shown = new Map<string, NodeRun>();
    if (!latest || !draft) return shown;
    for (const [node, told] of overlay(latest, draft.graph, running ? live : NO_NEWS)) {
      shown.set(node, told);
    }
    for (const one of older) {
      for (const [node, told] of overlay(one, draft.graph)) {
        if (!shown.has(node)) shown.set(node, told);
      }
    }
    return shown;
  }, [latest, older, draft, live, running]);

  return {
    run: latest,
    running: running || submission.isPending,
    byNode,
    logs: live.logs,
    sweeps: live.sweeps,
    error: submission.error,
    submit: (asked) => {
      submission.mutate(asked);
    },
    cancel: () => {
      if (id) void api.POST("/api/runs/{run_id}/cancel", { params: { path: { run_id: id } } });
    },
    result: (node) => {
      for (const one of latest ? [latest, ...older] : []) {
        const step = one.steps.find((s) => s.node === node);
        if (step) return { run: one.id, step };
      }
      return null;
    },
  };
}

function withNews(live: Live, { kind, node, lines, fraction, report }: RunEvent): Live {
  if (node === undefined) return live;
  const status = BY_EVENT[kind];
  const tried = asTried(report);
  const before = live.sweeps[node] ?? [];
  // After a break of the line, what was told is told again.
  const news = tried !== null && !before.some((one) => one.try === tried.try);
  return {
    sweeps: news ? { ...live.sweeps, [node]: [...before, tried] } : live.sweeps,
    status: status ? { ...live.status, [node]: status } : live.status,
    fraction: fraction == null ? live.fraction : { ...live.fraction, [node]: fraction },
    logs: lines ? { ...live.logs, [node]: [...(live.logs[node] ?? []), ...lines] } : live.logs,
  };
}

/** The run laid over the draft as it is now: what was edited since, and what it feeds, is stale. */
export function overlay(
  run: Run,
  graph: Graph,
  live: Pick<Live, "status" | "fraction"> = NO_NEWS,
): Map<string, NodeRun> {
  const stale = reach(graph, changed(run, graph), "down");
  const steps = new Map(run.steps.map((s) => [s.node, s]));
  const found = new Map<string, NodeRun>();
  for (const node of graph.nodes) {
    const step = steps.get(node.id);
    if (!step) continue;
    const known = live.status[node.id] ?? (step.status as NodeStatus);
    const status = stale.has(node.id) && known !== "running" ? "stale" : known;
    const rows = Object.entries(step.outputs).flatMap(([port, value]) =>
      value.rows == null ? [] : [[port, value.rows] as const],
    );
    const fraction = live.fraction[node.id];
    found.set(node.id, {
      status,
      seconds: step.duration_s,
      rows: Object.fromEntries(rows),
      ...(fraction === undefined ? {} : { fraction }),
    });
  }
  return found;
}

/** Nodes that are not as they were in the run: settings, component or what feeds them. */
function changed(run: Run, graph: Graph): string[] {
  const then = new Map((run.graph.nodes ?? []).map((n) => [n.id, n]));
  const fed = feeds(run.graph.wires ?? []);
  const feedsNow = feeds(graph.wires);
  return graph.nodes
    .filter((node) => {
      const old = then.get(node.id);
      return (
        !old ||
        old.component !== node.component ||
        stable(old.parameters) !== stable(node.parameters) ||
        fed.get(node.id) !== feedsNow.get(node.id)
      );
    })
    .map((node) => node.id);
}

const FEEDS = new WeakMap<readonly object[], ReadonlyMap<string, string>>();

/** What feeds each node, as text that is the same for the same wires; read once for each list of wires. */
function feeds(wires: readonly { source: string; target: string }[]): ReadonlyMap<string, string> {
  const known = FEEDS.get(wires);
  if (known) return known;
  const lists = new Map<string, string[]>();
  for (const { source, target } of wires) {
    const { node } = parsePin(target);
    const list = lists.get(node);
    if (list) list.push(`${source} ${target}`);
    else lists.set(node, [`${source} ${target}`]);
  }
  const found = new Map([...lists].map(([node, list]) => [node, list.sort().join("|")] as const));
  FEEDS.set(wires, found);
  return found;
}

const STABLE = new WeakMap<object, string>();

/** A value as text that is the same whatever the order of its fields; read once for each object. */
function stable(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const known = STABLE.get(value);
  if (known !== undefined) return known;
  const found = Array.isArray(value)
    ? `[${value.map(stable).join(",")}]`
    : `{${Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([k, v]) => `${k}:${stable(v)}`)
        .join(",")}}`;
  STABLE.set(value, found);
  return found;
}
