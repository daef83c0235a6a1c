import { describe, expect, it } from "vitest";
import type { PortsOf } from "./connect";
import * as edits from "./edits";
import { emptyGraph, emptyLayout } from "./graph";
import { freeBelow, joint, openOutput } from "./place";

const port = (name: string, type = "table") => ({ name, title: name, type });
const kinds: Record<string, ReturnType<PortsOf>> = {
  dataset: { inputs: [], outputs: [port("out")] },
  split: { inputs: [port("in")], outputs: [port("left"), port("right")] },
  learner: { inputs: [], outputs: [port("model", "untrained-model")] },
  train: {
    inputs: [port("learner", "untrained-model"), port("data")],
    outputs: [port("model", "model")],
  },
};
const portsOf: PortsOf = (component) => kinds[component];
const draft = edits.inTurn(
  edits.addNode({ component: "split" }, { x: 0, y: 0 }),
  edits.addNode({ component: "train" }, { x: 0, y: 130 }),
  edits.connect("split.left", "train.data"),
)({ graph: emptyGraph, layout: emptyLayout });

describe("what is added behind a node", () => {
  it("is fed by an output that feeds nothing yet", () => {
    expect(openOutput(draft, "split", "train", portsOf)).toBe("split.right");
    expect(openOutput(draft, "split", "learner", portsOf)).toBeNull();
  });

  it("stands below it, beside what stands there", () => {
    expect(freeBelow(draft.layout.positions, { x: 0, y: 0 })).toEqual({ x: 260, y: 130 });
    expect(freeBelow(draft.layout.positions, { x: 600, y: 0 })).toEqual({ x: 600, y: 130 });
  });

  it("is joined by the port of the right kind, from either end of a wire", () => {
    expect(joint(draft.graph, { pin: "split.left", side: "source" }, "train", portsOf)).toBe(
      "data",
    );
    expect(joint(draft.graph, { pin: "train.learner", side: "target" }, "learner", portsOf)).toBe(
      "model",
    );
    expect(
      joint(draft.graph, { pin: "train.learner", side: "target" }, "split", portsOf),
    ).toBeNull();
  });
});
