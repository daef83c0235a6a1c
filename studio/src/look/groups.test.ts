import { describe, expect, it } from "vitest";
import { groupBars, groupLines, MOST_BARS, ordered, turned } from "./groups";

const measured = {
  column: "fuel",
  metrics: ["Error", "Accuracy"],
  losses: ["Error"],
  whole: [{ port: "first", name: "All rows", rows: 10, values: [4, 0.5] }],
  groups: [
    { port: "first", name: "b2", rows: 3, values: [5, 0.75] },
    { port: "first", name: "b10", rows: 6, values: [2, null] },
    { port: "first", name: "a", rows: 1, values: [4, 0.25] },
  ],
};
const { whole, groups } = groupLines(measured, { first: "Score Model" });
const names = (lines: readonly { name: string }[]) => lines.map((line) => line.name);

describe("the figures of groups", () => {
  it("stand beside those of all rows, better or worse by what the metric means", () => {
    expect(groups.map((line) => line.figures[0])).toEqual([
      { value: 5, difference: 1, lead: -0.5 },
      { value: 2, difference: -2, lead: 1 },
      { value: 4, difference: 0, lead: 0 },
    ]);
    expect(groups.map((line) => line.figures[1])).toEqual([
      { value: 0.75, difference: 0.25, lead: 1 },
      { value: null, difference: null, lead: 0 },
      { value: 0.25, difference: -0.25, lead: -1 },
    ]);
    expect(whole.map((line) => [line.series, line.figures[0]])).toEqual([
      ["Score Model", { value: 4, difference: null, lead: 0 }],
    ]);
  });

  it("are told from the whole of their own dataset", () => {
    const two = groupLines(
      {
        ...measured,
        whole: [...measured.whole, { port: "second", name: "All rows", rows: 10, values: [9, 1] }],
        groups: [{ port: "second", name: "a", rows: 1, values: [8, 1] }],
      },
      {},
    );
    expect(two.groups[0]?.series).toBe("second");
    expect(two.groups[0]?.figures).toEqual([
      { value: 8, difference: -1, lead: 1 },
      { value: 1, difference: 0, lead: 0 },
    ]);
  });

  it("are sorted as numbers within names, and what is missing comes last either way", () => {
    expect(names(ordered(groups, { by: "name", descending: false }))).toEqual(["a", "b2", "b10"]);
    expect(names(ordered(groups, { by: "rows", descending: true }))).toEqual(["b10", "b2", "a"]);
    expect(names(ordered(groups, { by: 1, descending: true }))).toEqual(["b2", "a", "b10"]);
    expect(names(ordered(groups, { by: 1, descending: false }))).toEqual(["a", "b2", "b10"]);
  });

  it("begin with the largest when a figure is chosen, and turn when it is chosen again", () => {
    const first = turned({ by: "name", descending: false }, 0);
    expect(first).toEqual({ by: 0, descending: true });
    expect(turned(first, 0)).toEqual({ by: 0, descending: false });
    expect(turned(first, "name")).toEqual({ by: "name", descending: false });
  });

  it("have a bar each where there is a value, as many as can be read", () => {
    const spec = JSON.parse(JSON.stringify(groupBars(groups, whole, 1, "Accuracy"))) as {
      layer: { data: { values: object[] } }[];
    };
    expect(spec.layer.map((layer) => layer.data.values)).toEqual([
      [
        { name: "b2", series: "Score Model", value: 0.75 },
        { name: "a", series: "Score Model", value: 0.25 },
      ],
      [{ name: "All rows", series: "Score Model", value: 0.5 }],
    ]);
    const many = Array.from({ length: 90 }, (_, n) => ({
      name: `g${String(n)}`,
      series: "Score Model",
      rows: 1,
      figures: [{ value: n, difference: null, lead: 0 }],
    }));
    const drawn = JSON.parse(JSON.stringify(groupBars(many, whole, 0, "x"))) as typeof spec;
    expect(drawn.layer[0]?.data.values).toHaveLength(MOST_BARS);
  });
});
