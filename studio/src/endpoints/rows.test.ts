import { expect, test } from "vitest";
import type { Schemas } from "../api/client";
import { records, rowsOfCsv, textOf, valueOf } from "./rows";

const column = (name: string, type: Schemas["RequestColumn"]["type"]) => ({
  name,
  type,
  use: "required" as const,
  default: null,
  missing: true,
});

test("fields become values of their column's type", () => {
  expect(valueOf("12.5", "Double")).toBe(12.5);
  expect(valueOf("", "String")).toBeNull();
  expect(valueOf("true", "Boolean")).toBe(true);
  // What is no number is sent as it is, so that the endpoint says what is wrong.
  expect(valueOf("many", "Integer")).toBe("many");
  expect(textOf({ isNan: true })).toBe('{"isNan":true}');
});

test("a CSV file is read with quotes, commas and line breaks inside cells", () => {
  expect(records('a,b\r\n"x, ""y""\nz",2\n\n')).toEqual([
    ["a", "b"],
    ['x, "y"\nz', "2"],
  ]);
});

test("the rows of a CSV file have the types that the endpoint asks for", () => {
  const columns = [column("make", "String"), column("doors", "Integer")];
  expect(rowsOfCsv("\uFEFFmake,doors\naudi,4\nbmw,\n", columns)).toEqual([
    { make: "audi", doors: 4 },
    { make: "bmw", doors: null },
  ]);
});
