import { describe, expect, it } from "vitest";
import type { Run } from "../api/client";
import * as edits from "../draft/edits";
import { type Draft, emptyGraph, emptyLayout } from "../draft/graph";
import { overlay } from "./useRun";

const place = { x: 0, y: 0 };
const draft: Draft = edits.inTurn(
  edits.addNode({ component: "dataset" }, place),
  edits.addNode({ component: "pick", parameters: { columns: ["a"] } }, place),
  edits.addNode({ component: "count" }, place),
  edits.connect("dataset.out", "pick.in"),
  edits.connect("pick.out", "count.in"),
)({ graph: emptyGraph, layout: emptyLayout });

const run = {
  graph: draft.graph,
  steps: ["dataset", "pick", "count"].map((node) => ({
    node,
    status: "done",
    duration_s: 0.5,
    outputs: { out: { digest: "", kind: "table", rows: 3, columns: 1 } },
  })),
} as unknown as Run;

const states = (after: Draft) =>
  Object.fromEntries([...overlay(run, after.graph)].map(([node, told]) => [node, told.status]));

describe("a run laid over the draft", () => {
  it("marks what was edited and all it feeds, and nothing else", () => {
    const after = edits.setParameter("pick", "columns", ["b"])(draft);
    expect(states(after)).toEqual({ dataset: "done", pick: "stale", count: "stale" });
  });

  it("marks nothing for a comment, and nothing when the edit is taken back", () => {
    expect(states(edits.describeNode("pick", { comment: "why" })(draft)).pick).toBe("done");
    const back = edits.inTurn(
      edits.setParameter("pick", "columns", ["b"]),
      edits.setParameter("pick", "columns", ["a"]),
    )(draft);
    expect(states(back).count).toBe("done");
  });

  it("marks a node that is fed by something else, also through another port", () => {
    const after = edits.disconnect("dataset.out", "pick.in")(draft);
    expect(states(after)).toEqual({ dataset: "done", pick: "stale", count: "stale" });
  });

  it("tells rows, and how far a running step is", () => {
    const live = { status: { pick: "running" as const }, fraction: { pick: 0.4 } };
    const told = overlay(run, draft.graph, live).get("pick");
    expect(told).toMatchObject({ status: "running", fraction: 0.4, rows: { out: 3 } });
  });
});
