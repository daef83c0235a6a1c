import { describe, expect, it } from "vitest";
import type { PortsOf } from "../../draft/connect";
import * as edits from "../../draft/edits";
import { type Draft, emptyGraph, emptyLayout } from "../../draft/graph";
import { en } from "../../text/en";
import type { Here } from "./action";
import { ACTIONS } from "./all";
import { matches } from "./keys";
import { group, heal, remove, ungroup } from "./structure";

const pressed = (key: string, held: Partial<Parameters<typeof matches>[1]> = {}) => ({
  key,
  code: "",
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...held,
});

describe("keys", () => {
  it("match only with what is held", () => {
    expect(matches("Mod+Z", pressed("z", { ctrlKey: true }))).toBe(true);
    expect(matches("Mod+Z", pressed("z", { metaKey: true }))).toBe(true);
    expect(matches("Mod+Z", pressed("Z", { ctrlKey: true, shiftKey: true }))).toBe(false);
    expect(matches("Delete", pressed("Delete", { ctrlKey: true }))).toBe(false);
    expect(matches("Space", pressed(" "))).toBe(true);
  });

  it("match a sign whether or not it needs Shift, and a letter that Alt changes", () => {
    expect(matches("?", pressed("?", { shiftKey: true }))).toBe(true);
    expect(matches("?", pressed("?"))).toBe(true);
    const changed = { code: "KeyT", shiftKey: true, altKey: true };
    expect(matches("Shift+Alt+T", pressed("ˇ", changed))).toBe(true);
  });

  it("belong to one action each", () => {
    const keys = ACTIONS.flatMap((action) => action.keys);
    expect(keys).toEqual([...new Set(keys)]);
  });
});

const table = (name: string) => ({ name, title: name, type: "table" });
const portsOf: PortsOf = (component) =>
  component === "pick"
    ? { inputs: [table("in")], outputs: [table("out")] }
    : { inputs: [], outputs: [table("out")] };

function bench(selected: readonly string[]) {
  const place = { x: 0, y: 0 };
  let draft: Draft = edits.inTurn(
    edits.addNode({ component: "dataset" }, place),
    edits.addNode({ component: "pick" }, place),
    edits.addNode({ component: "pick" }, place),
    edits.addNode({ component: "pick" }, place),
    edits.connect("dataset.out", "pick.in"),
    edits.connect("pick.out", "pick-2.in"),
    edits.connect("pick-2.out", "pick-3.in"),
  )({ graph: emptyGraph, layout: emptyLayout });
  const nothing = () => undefined;
  const here = (): Here => ({
    draft,
    selected: new Set(selected),
    wires: new Set(),
    portsOf,
    text: en,
    running: false,
    mayRun: true,
    edit: (edit) => {
      draft = edit(draft);
    },
    undo: nothing,
    redo: nothing,
    select: nothing,
    say: nothing,
    submit: nothing,
    stop: nothing,
    open: nothing,
  });
  return { here, draft: () => draft };
}

describe("actions", () => {
  it("take out several nodes in a row and join what is left", () => {
    const { here, draft } = bench(["pick", "pick-2"]);
    heal.does?.(here());
    expect(draft().graph.wires).toEqual([{ source: "dataset.out", target: "pick-3.in" }]);
    expect(draft().graph.nodes.map((n) => n.id)).toEqual(["dataset", "pick-3"]);
  });

  it("remove without joining", () => {
    const { here, draft } = bench(["pick"]);
    remove.does?.(here());
    expect(draft().graph.wires).toEqual([{ source: "pick-2.out", target: "pick-3.in" }]);
  });

  it("join nothing where nothing stands on both sides", () => {
    expect(heal.enabled?.(bench(["dataset"]).here())).toBe(false);
    expect(heal.enabled?.(bench(["pick"]).here())).toBe(true);
  });

  it("group the selected nodes and take the group apart, nodes kept", () => {
    const { here, draft } = bench(["pick", "pick-2"]);
    group.does?.(here());
    expect(draft().layout.groups[0]?.nodes).toEqual(["pick", "pick-2"]);
    ungroup.does?.(here());
    expect(draft().layout.groups).toEqual([]);
    expect(draft().graph.nodes).toHaveLength(4);
  });
});
