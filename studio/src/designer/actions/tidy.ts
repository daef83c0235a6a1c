import * as edits from "../../draft/edits";
import type { Action } from "./action";

export const tidy: Action = {
  id: "tidy",
  group: "view",
  keys: ["Shift+Alt+T"],
  enabled: ({ draft }) => draft.graph.nodes.length > 0,
  does: (here) => {
    const chosen = here.draft.graph.nodes.map((n) => n.id).filter((id) => here.selected.has(id));
    const piece = chosen.length > 1 ? edits.piece(here.draft, chosen) : here.draft;
    void import("../../canvas/arrange").then(async ({ arrange }) => {
      const places = await arrange(piece, here.portsOf);
      here.edit(edits.moveNodes(places), "tidy");
      here.say(here.text.announceTidied);
    });
  },
};
