import { describe, expect, it } from "vitest";
import { passage, type PortsOf, refusal, targetsOn } from "./connect";
import * as edits from "./edits";
import { type Draft, emptyGraph, emptyLayout, reach } from "./graph";
import { apply, begin, redo, sameLogic, undo } from "./history";

const at = { x: 0, y: 0 };
const table = (name: string) => ({ name, title: name, type: "table" });
const ports: Record<string, ReturnType<PortsOf>> = {
  dataset: { inputs: [], outputs: [table("dataset")] },
  pick: { inputs: [table("dataset")], outputs: [table("result")] },
  learner: { inputs: [], outputs: [{ name: "model", title: "Model", type: "untrained-model" }] },
  "web-service-input": { inputs: [], outputs: [table("rows")] },
};
const portsOf: PortsOf = (component) => ports[component];

function chain(): Draft {
  return edits.inTurn(
    edits.addNode({ component: "dataset" }, at),
    edits.addNode({ component: "pick" }, at),
    edits.addNode({ component: "pick" }, { x: 10, y: 20 }),
    edits.connect("dataset.dataset", "pick.dataset"),
    edits.connect("pick.result", "pick-2.dataset"),
  )({ graph: emptyGraph, layout: emptyLayout });
}

const wires = (draft: Draft) => draft.graph.wires.map((w) => `${w.source} > ${w.target}`);

describe("edits", () => {
  it("give an added node an id of its own", () => {
    expect(chain().graph.nodes.map((n) => n.id)).toEqual(["dataset", "pick", "pick-2"]);
  });

  it("give a further Web Service Input or Output a name of its own", () => {
    const add = (component: string, parameters = {}) =>
      edits.addNode({ component, parameters }, at);
    const many = edits.inTurn(
      add("web-service-input"),
      add("web-service-input", { name: "WebServiceInput1" }),
      add("web-service-input"),
      add("web-service-output"),
    )({ graph: emptyGraph, layout: emptyLayout });
    expect(many.graph.nodes.map((n) => n.parameters.name)).toEqual([
      undefined,
      "WebServiceInput1",
      "WebServiceInput2",
      undefined,
    ]);
  });

  it("remove a node with its wires, place and pipeline parameters, and nothing else", () => {
    const asked = edits.promoteParameter("columns", "pick.columns", "all")(chain());
    const left = edits.removeNodes(["pick"])(asked);
    expect(left.graph.nodes.map((n) => n.id)).toEqual(["dataset", "pick-2"]);
    expect(left.graph.wires).toEqual([]);
    expect(left.graph.parameters[0]?.sets).toEqual([]);
    expect(Object.keys(left.layout.positions)).toEqual(["dataset", "pick-2"]);
  });

  it("let a new wire take the place of the old one, but not of a request's", () => {
    const rewired = edits.connect("dataset.dataset", "pick-2.dataset")(chain());
    expect(wires(rewired)).toContain("dataset.dataset > pick-2.dataset");
    expect(wires(rewired)).not.toContain("pick.result > pick-2.dataset");
    const asked = edits.inTurn(
      edits.addNode({ component: "web-service-input" }, at),
      edits.connect("web-service-input.rows", "pick.dataset"),
    )(chain());
    expect(asked.graph.wires.filter((w) => w.target === "pick.dataset")).toHaveLength(2);
  });

  it("splice a node onto a wire and heal when it goes", () => {
    const wire = { source: "dataset.dataset", target: "pick.dataset" };
    const spliced = edits.inTurn(
      edits.addNode({ component: "pick" }, at),
      edits.splice(wire, "pick-3", "dataset", "result"),
    )(chain());
    expect(wires(spliced)).toContain("dataset.dataset > pick-3.dataset");
    expect(wires(spliced)).toContain("pick-3.result > pick.dataset");
    const healed = edits.removeAndHeal("pick-3", { into: "dataset", out: "result" })(spliced);
    expect(wires(healed).sort()).toEqual(wires(chain()).sort());
  });

  it("paste copies with the wires among them", () => {
    const draft = chain();
    const taken = draft.graph.nodes.map((n) => n.id);
    const copied = edits.piece(draft, ["pick", "pick-2"]);
    const { edit, ids } = edits.paste(copied, { x: 5, y: 5 }, taken);
    const pasted = edit(draft);
    expect([...ids.values()]).toEqual(["pick-3", "pick-2-2"]);
    expect(wires(pasted)).toContain("pick-3.result > pick-2-2.dataset");
    expect(pasted.layout.positions["pick-2-2"]).toEqual({ x: 15, y: 25 });
  });

  it("do what a problem's fix says", () => {
    const fixed = edits.fromFix([
      { edit: "disconnect", source: "dataset.dataset", target: "pick.dataset" },
      { edit: "set_parameter", node_id: "pick", name: "columns", value: ["a"] },
    ])(chain());
    expect(wires(fixed)).toEqual(["pick.result > pick-2.dataset"]);
    expect(fixed.graph.nodes[1]?.parameters).toEqual({ columns: ["a"] });
  });
});

describe("history", () => {
  it("undoes and redoes step by step", () => {
    let history = begin(chain());
    history = apply(history, edits.setParameter("pick", "a", 1), "set");
    history = apply(history, edits.removeNodes(["pick-2"]), "remove");
    expect(undo(history).present.draft.graph.nodes).toHaveLength(3);
    expect(undo(undo(history)).present.draft).toEqual(chain());
    expect(redo(redo(undo(undo(history)))).present).toEqual({ ...history.present, burst: null });
  });

  it("takes a burst of typing as one step", () => {
    let history = begin(chain());
    for (const text of ["a", "ab", "abc"]) {
      history = apply(history, edits.setParameter("pick", "note", text), "set", "pick.note");
    }
    expect(history.past).toHaveLength(1);
    expect(undo(history).present.draft).toEqual(chain());
  });

  it("forgets what was undone when something else is done", () => {
    let history = undo(apply(begin(chain()), edits.removeNodes(["pick"]), "remove"));
    history = apply(history, edits.rename("Cars"), "rename");
    expect(redo(history)).toBe(history);
  });

  it("knows that moving and commenting change no result", () => {
    const draft = chain();
    const moved = edits.moveNodes({ pick: { x: 9, y: 9 } })(draft);
    const commented = edits.describeNode("pick", { comment: "why" })(moved);
    expect(sameLogic(draft, commented)).toBe(true);
    expect(sameLogic(draft, edits.setParameter("pick", "a", 1)(draft))).toBe(false);
  });
});

describe("connection rules", () => {
  it("refuse wrong types, cycles and a node's own input", () => {
    const { graph } = edits.addNode({ component: "learner" }, at)(chain());
    expect(refusal(graph, "dataset.dataset", "pick-2.dataset", portsOf)).toBeNull();
    expect(refusal(graph, "learner.model", "pick.dataset", portsOf)).toBe("wrong-port-type");
    expect(refusal(graph, "pick-2.result", "pick.dataset", portsOf)).toBe("cycle");
    expect(refusal(graph, "pick.result", "pick.dataset", portsOf)).toBe("same-node");
    expect(refusal(graph, "pick.nothing", "pick-2.dataset", portsOf)).toBe("unknown-port");
  });

  it("offer free inputs before filled ones, and a passage through a node", () => {
    const { graph } = chain();
    expect(targetsOn(graph, "pick-2", "dataset.dataset", portsOf)).toEqual(["pick-2.dataset"]);
    expect(targetsOn(graph, "dataset", "pick.result", portsOf)).toEqual([]);
    expect(passage({ inputs: [table("a")], outputs: [table("b")] }, "table")).toEqual({
      into: "a",
      out: "b",
    });
  });

  it("reach everything up and down the wires", () => {
    const { graph } = chain();
    expect([...reach(graph, ["dataset"], "down")].sort()).toEqual(["dataset", "pick", "pick-2"]);
    expect([...reach(graph, ["pick"], "up")].sort()).toEqual(["dataset", "pick"]);
  });
});
