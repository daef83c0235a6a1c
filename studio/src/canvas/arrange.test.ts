import { describe, expect, it } from "vitest";
import type { PortsOf } from "../draft/connect";
import * as edits from "../draft/edits";
import { emptyGraph, emptyLayout } from "../draft/graph";
import { arrange } from "./arrange";
import { NODE_HEIGHT, NODE_WIDTH } from "./toFlow";

const table = (name: string) => ({ name, title: name, type: "table" });
const portsOf: PortsOf = (component) =>
  component === "pick" ? { inputs: [table("in")], outputs: [table("out")] } : undefined;

describe("tidying up", () => {
  it("puts each node below what feeds it, apart from all others, on the grid", async () => {
    const place = { x: 55, y: 35 };
    const draft = edits.inTurn(
      edits.addNode({ component: "gone" }, place),
      ...[1, 2, 3].map(() => edits.addNode({ component: "pick" }, place)),
      edits.connect("gone.out", "pick.in"),
      edits.connect("gone.out", "pick-2.in"),
      edits.connect("pick.out", "pick-3.in"),
    )({ graph: emptyGraph, layout: emptyLayout });
    const places = await arrange(draft, portsOf);
    const at = (id: string) => places[id] ?? { x: NaN, y: NaN };

    expect(at("pick").y).toBeGreaterThanOrEqual(at("gone").y + NODE_HEIGHT);
    expect(at("pick-3").y).toBeGreaterThanOrEqual(at("pick").y + NODE_HEIGHT);
    expect(Math.abs(at("pick").x - at("pick-2").x)).toBeGreaterThanOrEqual(NODE_WIDTH);
    expect(Object.values(places).every((p) => p.x % 10 === 0 && p.y % 10 === 0)).toBe(true);
  });
});
