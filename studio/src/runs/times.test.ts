import { describe, expect, it } from "vitest";
import { timeline } from "./times";

const at = (s: number) => new Date(Date.UTC(2026, 0, 1) + s * 1000).toISOString();

describe("timeline", () => {
  it("begins with the first step and leaves out steps that were not run", () => {
    const { total, bars } = timeline(
      [
        { node: "a", started_at: at(2), finished_at: at(3) },
        { node: "b", started_at: at(2.5), finished_at: at(6) },
        { node: "c", started_at: null, finished_at: null },
      ],
      0,
    );
    expect(total).toBe(4);
    expect(bars.get("b")).toEqual({ from: 0.5, seconds: 3.5 });
    expect(bars.has("c")).toBe(false);
  });

  it("lets a step that goes on reach to now", () => {
    const { bars } = timeline(
      [{ node: "a", started_at: at(0), finished_at: null }],
      Date.parse(at(9)),
    );
    expect(bars.get("a")?.seconds).toBe(9);
  });
});
