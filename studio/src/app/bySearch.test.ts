import { describe, expect, it } from "vitest";
import { bySearch } from "./bySearch";

const things = [
  { kind: "Pipeline", title: "My data flow" },
  { kind: "Page", title: "Data" },
  { kind: "Data set", title: "Cars" },
];
const found = (search: string) => bySearch(things, search).map((t) => t.title);

describe("go to anything", () => {
  it("offers everything before anything is typed", () => {
    expect(found(" ")).toHaveLength(3);
  });

  it("puts a title that begins so first, and what is only of that kind last", () => {
    expect(found("data")).toEqual(["Data", "My data flow", "Cars"]);
  });

  it("wants every word", () => {
    expect(found("data cars")).toEqual(["Cars"]);
    expect(found("data boats")).toEqual([]);
  });
});
