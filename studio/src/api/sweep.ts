/** What a step that tries many settings tells of each, as `step-report` events have it. */

export interface Tried {
  readonly about: "sweep";
  readonly learner: string;
  /** By which tries are ranked. */
  readonly metric: string;
  readonly smallest_is_best: boolean;
  readonly try: number;
  /** How many are done, this one with them. */
  readonly settled: number;
  readonly total: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly metrics?: Readonly<Record<string, number | null>>;
  /** Given up before it was measured in full. */
  readonly pruned: boolean;
  readonly best_try: number | null;
  readonly best_value: number | null;
}

export function asTried(report: unknown): Tried | null {
  const found = report as Partial<Tried> | null | undefined;
  return found?.about === "sweep" && typeof found.try === "number" ? (found as Tried) : null;
}

/** What a node tried, of the sweeps of a run. */
export function triesOf(
  sweeps: readonly { readonly node: string; readonly tries: readonly unknown[] }[] | undefined,
  node: string | null,
): readonly Tried[] | undefined {
  return sweeps
    ?.find((sweep) => sweep.node === node)
    ?.tries.flatMap((report) => asTried(report) ?? []);
}

/** By what a try is ranked, null when it could not be trained or was given up. */
export function valueOf(tried: Tried): number | null {
  return tried.pruned ? null : (tried.metrics?.[tried.metric] ?? null);
}

/** The tries with the best first; those without a value come last, in the order they came. */
export function ranked(tries: readonly Tried[]): readonly Tried[] {
  return tries.toSorted((left, right) => {
    const [a, b] = [valueOf(left), valueOf(right)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const better = left.smallest_is_best ? a - b : b - a;
    return better === 0 ? left.try - right.try : better;
  });
}

export interface Mark {
  /** Which one it was in the order in which they were settled, from 0. */
  readonly place: number;
  readonly value: number | null;
  /** The best up to here. */
  readonly best: number | null;
}

/** Each try's value and the best so far, in the order in which they were settled. */
export function course(tries: readonly Tried[]): readonly Mark[] {
  return tries.map((tried, place) => ({ place, value: valueOf(tried), best: tried.best_value }));
}
