import { describe, expect, it } from "vitest";
import { asTried, course, ranked, type Tried } from "./sweep";

const tried = (number: number, value: number | null, best: number | null): Tried => ({
  about: "sweep",
  learner: "Linear Regression",
  metric: "Mean_Absolute_Error",
  smallest_is_best: true,
  try: number,
  settled: number,
  total: 4,
  settings: { "L2 regularization weight": number / 10 },
  ...(value === null ? {} : { metrics: { Mean_Absolute_Error: value } }),
  pruned: false,
  best_try: null,
  best_value: best,
});
const TRIES = [tried(1, 5, 5), tried(2, null, 5), tried(3, 3, 3), tried(4, 4, 3)];

describe("a sweep while it goes on", () => {
  it("has the best try first and those without a value last", () => {
    expect(ranked(TRIES).map((t) => t.try)).toEqual([3, 4, 1, 2]);
    const largest = TRIES.map((t) => ({ ...t, smallest_is_best: false }));
    expect(ranked(largest).map((t) => t.try)).toEqual([1, 4, 3, 2]);
  });

  it("draws what each try came to and the best so far", () => {
    expect(course(TRIES).map(({ value, best }) => [value, best])).toEqual([
      [5, 5],
      [null, 5],
      [3, 3],
      [4, 3],
    ]);
  });

  it("is told by reports about sweeps alone", () => {
    expect(asTried(TRIES[0])).toBe(TRIES[0]);
    expect(asTried({ about: "something else", try: 1 })).toBeNull();
    expect(asTried(undefined)).toBeNull();
  });
});
