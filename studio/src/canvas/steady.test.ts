import { describe, expect, it } from "vitest";
import { alike, Steady } from "./steady";

describe("steady nodes", () => {
  it("are the same objects while nothing in them changes", () => {
    const steady = new Steady<{ id: string; data: { rows: Record<string, number> } }>();
    const [first, second] = steady.keep([
      { id: "a", data: { rows: { out: 1 } } },
      { id: "b", data: { rows: {} } },
    ]);
    const after = steady.keep([
      { id: "a", data: { rows: { out: 1 } } },
      { id: "b", data: { rows: { out: 2 } } },
    ]);
    expect(after[0]).toBe(first);
    expect(after[1]).not.toBe(second);
    expect(after[1]?.data.rows).toEqual({ out: 2 });
  });

  it("are the same list when all of them are", () => {
    const steady = new Steady<{ id: string; x: number }>();
    const before = steady.keep([{ id: "a", x: 1 }]);
    expect(steady.keep([{ id: "a", x: 1 }])).toBe(before);
    expect(steady.keep([])).toEqual([]);
  });

  it("tell a list from an object, and a missing field from an undefined one", () => {
    expect(alike([], {})).toBe(false);
    expect(alike({ a: undefined }, { b: undefined })).toBe(false);
    expect(alike(NaN, NaN)).toBe(true);
  });
});
