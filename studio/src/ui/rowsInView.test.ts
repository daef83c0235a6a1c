import { describe, expect, it } from "vitest";
import { rowsInView, TALLEST } from "./rowsInView";

const row = 26;
const shown = 260;

describe("the rows in view", () => {
  it("are the first ones, and none of none", () => {
    expect(rowsInView({ count: 1000, row, shown, scrolled: 0 })).toEqual({
      height: 26_000,
      first: 0,
      last: 21,
      top: 0,
    });
    const none = rowsInView({ count: 0, row, shown, scrolled: 0 });
    expect(none.last).toBeLessThan(none.first);
  });

  it("stand where they are scrolled to", () => {
    const view = rowsInView({ count: 1000, row, shown, scrolled: 5200 });
    expect([view.first, view.last]).toEqual([188, 221]);
    expect(view.top).toBe(188 * row);
  });

  it("are reached to the very last, however many there are", () => {
    for (const count of [10_000, 1_000_000, 50_000_000]) {
      const { height } = rowsInView({ count, row, shown, scrolled: 0 });
      expect(height).toBeLessThanOrEqual(TALLEST);
      const end = rowsInView({ count, row, shown, scrolled: height - shown });
      expect(end.last).toBe(count - 1);
      // The last row ends where what is scrolled ends.
      expect(end.top + (end.last - end.first + 1) * row).toBeCloseTo(height, 3);
    }
  });
});
