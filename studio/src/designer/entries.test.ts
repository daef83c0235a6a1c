// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { type Entry, searched } from "./entries";
import { neighbours } from "./follow";

const entry = (title: string, category: string, summary = ""): Entry => ({
  dragged: { component: title, version: 1, title },
  category,
  summary,
  asset: false,
});

describe("the search for something to add", () => {
  const all = [
    entry("Retrain Model", "Training"),
    entry("Train Model", "Training"),
    entry("Linear Regression", "Learners", "Fits a line to train data"),
  ];
  const found = (words: string) => searched(all, words).map((e) => e.dragged.title);

  it("puts titles that begin so before those that hold the words, and summaries last", () => {
    expect(found("train")).toEqual(["Train Model", "Retrain Model", "Linear Regression"]);
  });

  it("wants every word, and everything when there is none", () => {
    expect(found("model line")).toEqual([]);
    expect(found("  ")).toHaveLength(3);
  });
});

describe("neighbours", () => {
  it("are counted on the side that is asked for", () => {
    const pipeline = {
      nodes: [
        { id: "a", component: "dataset" },
        { id: "b", component: "split" },
        { id: "c", component: "split" },
      ],
      wires: [
        { source: "a.out", target: "b.in" },
        { source: "a.out", target: "c.in" },
      ],
    };
    expect([...neighbours([pipeline], "dataset", "source")]).toEqual([["split", 2]]);
    expect([...neighbours([pipeline], "dataset", "target")]).toEqual([]);
    expect([...neighbours([pipeline], "split", "target")]).toEqual([["dataset", 2]]);
  });
});
