import { describe, expect, it } from "vitest";
import { MOST_POINTS, pieces } from "./sample";

describe("the rows that stand for a table", () => {
  it("are all of them when there are few, and none of none", () => {
    expect(pieces(58)).toEqual([{ offset: 0, limit: 58 }]);
    expect(pieces(0)).toEqual([]);
  });

  it("come from its beginning, its end and in between, and never overlap", () => {
    const found = pieces(1_000_000);
    expect(found[0]?.offset).toBe(0);
    const last = found.at(-1);
    expect((last?.offset ?? 0) + (last?.limit ?? 0)).toBe(1_000_000);
    expect(found.reduce((sum, p) => sum + p.limit, 0)).toBe(MOST_POINTS);
    for (const [place, piece] of found.slice(1).entries()) {
      expect(piece.offset).toBeGreaterThanOrEqual((found[place]?.offset ?? 0) + piece.limit);
    }
    expect(pieces(MOST_POINTS + 1).every((p) => p.offset + p.limit <= MOST_POINTS + 1)).toBe(true);
  });
});
