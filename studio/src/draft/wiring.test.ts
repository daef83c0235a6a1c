import { describe, expect, it } from "vitest";
import cases from "../../../tests/graph/wiring_cases.json";
import { type ComponentPorts, type PortKind, refusal } from "./connect";
import { emptyGraph, type Graph } from "./graph";
import { wiringProblems } from "./wiring";

/** The cases by which the server's check is tested too, with the ports of its library. */
interface Given {
  readonly components: Readonly<
    Record<string, { readonly inputs: readonly string[]; readonly outputs: readonly string[] }>
  >;
  readonly cases: readonly {
    readonly name: string;
    readonly nodes: Readonly<Record<string, string>>;
    readonly wires: readonly string[];
    readonly problems: readonly string[];
    readonly draw: readonly { readonly wire: string; readonly refused: string | null }[];
  }[];
}

const given: Given = cases;

function port(text: string): PortKind {
  const [name = "", kind = "", optional] = text.split(/: |, /);
  return { name, title: name, type: kind, optional: optional === "optional" };
}

function portsOf(component: string): ComponentPorts | undefined {
  const known = given.components[component];
  return known && { inputs: known.inputs.map(port), outputs: known.outputs.map(port) };
}

function ends(wire: string): [string, string] {
  const [source = "", target = ""] = wire.split(" > ");
  return [source, target];
}

function graphOf(nodes: Readonly<Record<string, string>>, wires: readonly string[]): Graph {
  return {
    ...emptyGraph,
    nodes: Object.entries(nodes).map(([id, component]) => ({
      id,
      component,
      version: 1,
      parameters: {},
      title: "",
      comment: "",
    })),
    wires: wires.map((wire) => {
      const [source, target] = ends(wire);
      return { source, target };
    }),
  };
}

describe.each(given.cases)("$name", ({ nodes, wires, problems, draw }) => {
  const graph = graphOf(nodes, wires);

  it("is found to be so", () => {
    const found = wiringProblems(graph, portsOf).map(({ code, node, port }) =>
      [code, [node, port].filter((part) => part !== null).join(".")].filter(Boolean).join(" "),
    );
    expect(found.toSorted()).toEqual([...problems].sort());
  });

  it.each(draw)("$wire: $refused", ({ wire, refused }) => {
    const found = refusal(graph, ...ends(wire), portsOf);
    // A node that feeds itself is the smallest circle.
    expect(found === "same-node" ? "cycle" : found).toBe(refused);
  });
});
