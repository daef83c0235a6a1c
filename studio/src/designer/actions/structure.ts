import { healingOf } from "../../draft/connect";
import * as edits from "../../draft/edits";
import { freshId } from "../../draft/edits";
import { toClipboard } from "../clipboard";
import type { Action, Here } from "./action";

const some = ({ selected }: Here) => selected.size > 0;
const nodes = ({ draft, selected }: Here) =>
  draft.graph.nodes.map((n) => n.id).filter((id) => selected.has(id));

export const undo: Action = {
  id: "undo",
  group: "edit",
  keys: ["Mod+Z"],
  does: (here) => {
    here.undo();
  },
};

export const redo: Action = {
  id: "redo",
  group: "edit",
  keys: ["Mod+Shift+Z", "Mod+Y"],
  does: (here) => {
    here.redo();
  },
};

/** The keys go through the browser's own clipboard events; the menu writes to it directly. */
export const copy: Action = {
  id: "copy",
  group: "edit",
  keys: ["Mod+C"],
  byClipboard: true,
  enabled: (here) => nodes(here).length > 0,
  does: (here) => {
    void navigator.clipboard.writeText(toClipboard(edits.piece(here.draft, here.selected)));
  },
};

export const cut: Action = { id: "cut", group: "edit", keys: ["Mod+X"] };
export const paste: Action = { id: "paste", group: "edit", keys: ["Mod+V"] };

export const duplicate: Action = {
  id: "duplicate",
  group: "edit",
  keys: ["Mod+D"],
  enabled: (here) => nodes(here).length > 0,
  does: (here) => {
    const taken = here.draft.graph.nodes.map((n) => n.id);
    const made = edits.paste(edits.piece(here.draft, here.selected), { x: 40, y: 40 }, taken);
    here.edit(made.edit, "duplicate");
    here.select([...made.ids.values()]);
  },
};

/** Nodes, wires, notes and groups that are selected; a group's nodes stay. */
function removing({ draft, selected, wires }: Here): edits.Edit {
  const cuts = [...wires].map((wire) => {
    const [source = "", target = ""] = wire.split(" > ");
    return edits.disconnect(source, target);
  });
  const notes = draft.layout.notes.filter((n) => selected.has(n.id));
  const groups = draft.layout.groups.filter((g) => selected.has(g.id));
  return edits.inTurn(
    ...cuts,
    ...notes.map((n) => edits.removeNote(n.id)),
    ...groups.map((g) => edits.removeGroup(g.id)),
    edits.removeNodes(selected),
  );
}

export const remove: Action = {
  id: "remove",
  group: "edit",
  keys: ["Delete", "Backspace"],
  enabled: ({ selected, wires }) => selected.size + wires.size > 0,
  does: (here) => {
    here.edit(removing(here), "remove");
    here.say(here.text.announceRemoved(here.selected.size + here.wires.size));
    here.select([]);
  },
};

export const heal: Action = {
  id: "heal",
  group: "edit",
  keys: ["Mod+Delete", "Mod+Backspace"],
  enabled: (here) =>
    nodes(here).some((id) => healingOf(here.draft.graph, id, here.portsOf) !== null),
  does: (here) => {
    const gone = nodes(here);
    here.edit((draft) => {
      const healed = gone.reduce((before, id) => {
        // Each is asked again: a node taken out before may have given it other neighbours.
        const through = healingOf(before.graph, id, here.portsOf);
        return through ? edits.removeAndHeal(id, through)(before) : before;
      }, draft);
      return removing(here)(healed);
    }, "heal");
    here.say(here.text.announceHealed(gone.length));
    here.select([]);
  },
};

export const note: Action = {
  id: "note",
  group: "edit",
  keys: ["Shift+S"],
  does: (here) => {
    const { positions, notes } = here.draft.layout;
    const places = Object.values(positions);
    const id = freshId(
      notes.map((n) => n.id),
      "note",
    );
    const right = places.length > 0 ? Math.max(...places.map((p) => p.x)) + 260 : 80;
    const y = Math.min(80, ...places.map((p) => p.y)) + notes.length * 20;
    here.edit(
      edits.putNote({ id, text: "", x: right, y, width: 220, height: 120, colour: "yellow" }),
      "note",
    );
    here.select([id]);
  },
};

export const group: Action = {
  id: "group",
  group: "edit",
  keys: ["Mod+G"],
  enabled: (here) => nodes(here).length > 0,
  does: (here) => {
    const id = freshId(
      here.draft.layout.groups.map((g) => g.id),
      "group",
    );
    const members = nodes(here);
    here.edit(
      edits.putGroup({ id, title: here.text.groupNew, nodes: members, colour: "blue" }),
      "group",
    );
    here.say(here.text.announceGrouped(members.length));
    here.select([id]);
  },
};

/** The groups that are selected, or that hold a selected node. */
function groupsOf({ draft, selected }: Here): string[] {
  return draft.layout.groups
    .filter((g) => selected.has(g.id) || g.nodes.some((n) => selected.has(n)))
    .map((g) => g.id);
}

export const ungroup: Action = {
  id: "ungroup",
  group: "edit",
  keys: ["Mod+Shift+G"],
  enabled: (here) => groupsOf(here).length > 0,
  does: (here) => {
    here.edit(edits.inTurn(...groupsOf(here).map(edits.removeGroup)), "ungroup");
    here.say(here.text.announceUngrouped);
  },
};

export const rename: Action = {
  id: "rename",
  group: "edit",
  keys: ["F2"],
  enabled: (here) => nodes(here).length === 1,
  does: (here) => {
    here.open("title");
  },
};

const STEPS: readonly (readonly [string, number, number])[] = [
  ["Mod+ArrowLeft", -10, 0],
  ["Mod+ArrowRight", 10, 0],
  ["Mod+ArrowUp", 0, -10],
  ["Mod+ArrowDown", 0, 10],
];

export const nudges: readonly Action[] = STEPS.map(([keys, x, y]) => ({
  id: "nudge",
  group: "edit",
  keys: [keys],
  enabled: some,
  does: (here) => {
    const places = nodes(here).map((id) => {
      const at = here.draft.layout.positions[id] ?? { x: 0, y: 0 };
      return [id, { x: at.x + x, y: at.y + y }] as const;
    });
    here.edit(edits.moveNodes(Object.fromEntries(places)), "move", "nudge");
  },
}));
