import { describe, expect, it } from "vitest";
import * as edits from "./edits";
import { emptyGraph, emptyLayout } from "./graph";
import { apply, begin, redo, undo } from "./history";
import { keep, KEPT_STEPS, recall } from "./keptHistory";

const place = { x: 0, y: 0 };

function edited() {
  let history = begin({ graph: { ...emptyGraph, name: "Cars" }, layout: emptyLayout });
  history = apply(history, edits.addNode({ component: "pick" }, place), "add");
  history = apply(history, edits.setParameter("pick", "columns", { a: 1, b: [2] }), "set");
  history = apply(history, edits.rename("Cars again"), "rename");
  return undo(history);
}

const stored = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe("a kept history", () => {
  it("undoes and redoes after it was stored as before", () => {
    const before = edited();
    const after = recall(stored(keep(before)), before.present.draft);
    expect(after && undo(after).present.draft).toEqual(undo(before).present.draft);
    expect(after && redo(after).present.draft).toEqual(redo(before).present.draft);
    expect(after?.past).toHaveLength(2);
  });

  it("does not mind in which order the server writes keys", () => {
    const before = edited();
    const { graph, layout } = before.present.draft;
    expect(recall(stored(keep(before)), { layout, graph: { ...graph } })).not.toBeNull();
  });

  it("is left aside when the draft has moved on, or when it is of another kind", () => {
    const before = edited();
    const moved = edits.rename("Theirs")(before.present.draft);
    expect(recall(stored(keep(before)), moved)).toBeNull();
    expect(recall(null, moved)).toBeNull();
    expect(recall({ format: 2 }, moved)).toBeNull();
  });

  it("holds so many steps and stores what they share once", () => {
    let history = edited();
    for (let x = 0; x < 80; x += 1) {
      history = apply(history, edits.moveNodes({ pick: { x, y: 1 } }), "move");
    }
    const kept = keep(history);
    expect(kept.past).toHaveLength(KEPT_STEPS);
    expect(kept.pool.filter((one) => JSON.stringify(one).includes('"component"'))).toHaveLength(1);
  });
});
