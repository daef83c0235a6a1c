import type { RunSummary } from "../api/client";

/** Seconds a run has taken so far, or in all; null before it begins. */
export function took(run: RunSummary, now: number): number | null {
  if (!run.started_at) return null;
  const end = run.finished_at ? Date.parse(run.finished_at) : now;
  return Math.max((end - Date.parse(run.started_at)) / 1000, 0);
}

export interface Bar {
  /** Seconds after the begin of the run. */
  readonly from: number;
  readonly seconds: number;
}

interface Timed {
  readonly node: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

/** Where each step lies in the time of its run; steps that were not run have no bar. */
export function timeline(
  steps: readonly Timed[],
  now: number,
): { readonly total: number; readonly bars: ReadonlyMap<string, Bar> } {
  const begun = steps.flatMap((s) => (s.started_at ? [Date.parse(s.started_at)] : []));
  const start = Math.min(...begun);
  const bars = new Map<string, Bar>();
  let total = 0;
  for (const step of steps) {
    if (!step.started_at) continue;
    const from = (Date.parse(step.started_at) - start) / 1000;
    const end = step.finished_at ? Date.parse(step.finished_at) : now;
    const seconds = Math.max((end - Date.parse(step.started_at)) / 1000, 0);
    bars.set(step.node, { from, seconds });
    total = Math.max(total, from + seconds);
  }
  return { total, bars };
}
