import { describe, expect, it } from "vitest";
import { type Explanation, explanationIn, rowOf } from "./explanation";

const TOLD: Explanation = {
  method: "weights",
  scale: "log-odds",
  rows: 2,
  features: [{ feature: "age", mean_contribution: 0.8 }],
  sums: [
    { row: 0, average: -1, sum: 0.5 },
    { row: 1, average: -1, sum: -1.2 },
  ],
  contributions: [
    { row: 0, feature: "hours", value: 40, contribution: 0.4 },
    { row: 0, feature: "age", value: 39, contribution: 1.1 },
    { row: 1, feature: "age", value: 20, contribution: -0.2 },
  ],
};

describe("why a model scores a row as it does", () => {
  it("is told by the parts of that row alone, the largest first", () => {
    const [first, second] = TOLD.sums;
    expect(first && rowOf(TOLD, first).map((p) => p.feature)).toEqual(["age", "hours"]);
    expect(second && rowOf(TOLD, second).map((p) => p.contribution)).toEqual([-0.2]);
  });

  it("is not there where it was not asked for", () => {
    expect(explanationIn({ weights: [] })).toBeNull();
    expect(explanationIn({ explanation: TOLD })).toBe(TOLD);
  });
});
