import { expect, test } from "vitest";
import { recent } from "./recent";

test("the oldest go when there are too many", () => {
  expect(recent([1, 2], [3], 5)).toEqual([1, 2, 3]);
  expect(recent([1, 2, 3], [4, 5], 4)).toEqual([2, 3, 4, 5]);
  expect(recent([], [1, 2, 3], 2)).toEqual([2, 3]);
});
