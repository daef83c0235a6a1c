import { expect, test } from "vitest";
import { sameWork } from "./same";

const graph = {
  nodes: [
    { id: "a", component: "dataset", parameters: { name: "cars", version: 1 }, title: "Cars" },
    { id: "b", component: "split-data", parameters: {}, title: "" },
  ],
  wires: [{ source: "a.dataset", target: "b.dataset" }],
};

test("titles and the order of nodes and parameters make no difference", () => {
  const other = {
    nodes: [
      { id: "b", component: "split-data", parameters: {}, title: "Cut" },
      { id: "a", component: "dataset", parameters: { version: 1, name: "cars" }, title: "" },
    ],
    wires: [...graph.wires],
  };
  expect(sameWork(graph, other)).toBe(true);
});

test("a parameter and a wire do", () => {
  const nodes = graph.nodes.map((node, at) =>
    at === 0 ? { ...node, parameters: { name: "trucks" } } : node,
  );
  expect(sameWork(graph, { ...graph, nodes })).toBe(false);
  expect(sameWork(graph, { ...graph, wires: [] })).toBe(false);
});
