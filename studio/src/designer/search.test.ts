import { describe, expect, it } from "vitest";
import { search } from "./search";

const nodes = [
  { id: "a", text: "Split JSON Data\nkeeps order", facts: { status: "done", duration: "120" } },
  { id: "b", text: "Train Model\nlabel price", facts: { status: "failed", duration: "3" } },
  { id: "c", text: "Score model", facts: { status: "notrun" } },
];

describe("search on the canvas", () => {
  it.each([
    ["model", ["b", "c"]],
    ["json data", ["a"]],
    ["train AND price", ["b"]],
    ["(json AND split) OR score", ["a", "c"]],
    ["(json", ["a"]],
    ["mod?l", ["b", "c"]],
    ["s*re", ["c"]],
    ["s*model", []],
    ["c++", []],
  ])("finds %s by words", (query, found) => {
    expect(search(query, nodes)).toEqual(found);
  });

  it.each([
    ["duration > 100;", ["a"]],
    ["duration<=3", ["b"]],
    ["status in { Failed,NotRun}", ["b", "c"]],
    ["status == done; duration >= 120", ["a"]],
    ["status = run", ["c"]],
    ["status != done", ["b", "c"]],
    ["duration != 3", ["a", "c"]],
  ])("finds %s by facts", (query, found) => {
    expect(search(query, nodes)).toEqual(found);
  });

  it("wants both where words and facts are given", () => {
    expect(search("model OR data | status in {done,failed}", nodes)).toEqual(["a", "b"]);
    expect(search("| status == done", nodes)).toEqual(["a"]);
  });

  it("searches for nothing while the box is empty", () => {
    expect(search("  ", nodes)).toBeNull();
  });
});
