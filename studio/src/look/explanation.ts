/** How much each feature moves a model's scores, as a trained model records it. */

export interface Part {
  readonly row: number;
  readonly score?: string;
  readonly feature: string;
  readonly value: unknown;
  readonly contribution: number;
}

export interface Sum {
  readonly row: number;
  readonly score?: string;
  readonly average: number;
  readonly sum: number;
}

export interface Explanation {
  readonly method: string;
  readonly scale: string;
  /** How many rows were explained. */
  readonly rows: number;
  readonly features: readonly { readonly feature: string; readonly mean_contribution: number }[];
  readonly sums: readonly Sum[];
  readonly contributions: readonly Part[];
}

/** The explanation among what was learnt, or null where none was asked for. */
export function explanationIn(learnt: Readonly<Record<string, unknown>>): Explanation | null {
  const found = learnt.explanation as Partial<Explanation> | null | undefined;
  return Array.isArray(found?.features) && Array.isArray(found.sums)
    ? (found as Explanation)
    : null;
}

/** The parts of one row's score, largest first, and what they add up to. */
export function rowOf(told: Explanation, sum: Sum): readonly Part[] {
  return told.contributions
    .filter((part) => part.row === sum.row && part.score === sum.score)
    .toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
}
