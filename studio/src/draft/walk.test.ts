import { describe, expect, it } from "vitest";
import { healingOf, passageOn, type PortsOf, spliceOn } from "./connect";
import * as edits from "./edits";
import { type Draft, emptyGraph, emptyLayout } from "./graph";
import { inOrder, neighbour } from "./walk";

const table = (name: string) => ({ name, title: name, type: "table" });
const model = (name: string) => ({ name, title: name, type: "model" });
const ports: Record<string, ReturnType<PortsOf>> = {
  dataset: { inputs: [], outputs: [table("dataset")] },
  pick: { inputs: [table("dataset")], outputs: [table("result")] },
  train: { inputs: [table("dataset")], outputs: [model("model")] },
};
const portsOf: PortsOf = (component) => ports[component];

/** dataset → pick → train, and dataset → pick-2; pick-3 stands alone. */
const draft: Draft = edits.inTurn(
  edits.addNode({ component: "dataset" }, { x: 100, y: 0 }),
  edits.addNode({ component: "pick" }, { x: 0, y: 100 }),
  edits.addNode({ component: "pick" }, { x: 200, y: 100 }),
  edits.addNode({ component: "train" }, { x: 0, y: 200 }),
  edits.addNode({ component: "pick" }, { x: 400, y: 0 }),
  edits.connect("dataset.dataset", "pick.dataset"),
  edits.connect("dataset.dataset", "pick-2.dataset"),
  edits.connect("pick.result", "train.dataset"),
)({ graph: emptyGraph, layout: emptyLayout });
const first = { source: "dataset.dataset", target: "pick.dataset" };

describe("arrow keys", () => {
  it("go up to what feeds a node and down to what it feeds", () => {
    expect(neighbour(draft, "train", "ArrowUp")).toBe("pick");
    expect(neighbour(draft, "pick", "ArrowDown")).toBe("train");
    expect(neighbour(draft, "train", "ArrowDown")).toBeNull();
  });

  it("go left and right among nodes of the same layer", () => {
    expect(neighbour(draft, "pick", "ArrowRight")).toBe("pick-2");
    expect(neighbour(draft, "pick-2", "ArrowLeft")).toBe("pick");
    expect(neighbour(draft, "pick", "ArrowLeft")).toBeNull();
    expect(neighbour(draft, "dataset", "ArrowRight")).toBe("pick-3");
  });
});

describe("the order of the outline", () => {
  it("has each node after all that feed it", () => {
    const order = inOrder(draft);
    expect(order).toHaveLength(5);
    for (const wire of draft.graph.wires) {
      const [source, target] = [wire.source, wire.target].map((pin) => pin.split(".")[0] ?? "");
      expect(order.indexOf(source ?? "")).toBeLessThan(order.indexOf(target ?? ""));
    }
  });

  it("holds every node even of a circle", () => {
    const round = edits.inTurn(
      edits.connect("pick.result", "pick-3.dataset"),
      edits.connect("pick-3.result", "pick.dataset"),
    )(draft);
    expect(new Set(inOrder(round)).size).toBe(5);
  });
});

describe("putting onto a wire", () => {
  it("takes a free node by ports of the wire's type", () => {
    expect(spliceOn(draft.graph, first, "pick-3", portsOf)).toEqual({
      into: "dataset",
      out: "result",
    });
  });

  it("leaves a node alone that is wired already, or that gives another type", () => {
    expect(spliceOn(draft.graph, first, "pick-2", portsOf)).toBeNull();
    expect(spliceOn(draft.graph, first, "pick", portsOf)).toBeNull();
    expect(passageOn(draft.graph, first, "train", portsOf)).toBeNull();
    expect(passageOn(draft.graph, first, "not-installed", portsOf)).toBeNull();
  });
});

describe("joining the neighbours of a node that goes", () => {
  it("is possible where an input and an output in use have one type", () => {
    expect(healingOf(draft.graph, "pick", portsOf)).toEqual({ into: "dataset", out: "result" });
    expect(healingOf(draft.graph, "train", portsOf)).toBeNull();
    expect(healingOf(draft.graph, "pick-2", portsOf)).toBeNull();
  });
});
