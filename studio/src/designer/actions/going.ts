/** Actions that change no draft: selecting, running, opening. */

import { reach } from "../../draft/graph";
import type { Action } from "./action";

export const selectAll: Action = {
  id: "selectAll",
  group: "select",
  keys: ["Mod+A"],
  does: (here) => {
    here.select(here.draft.graph.nodes.map((n) => n.id));
  },
};

export const selectUp: Action = {
  id: "selectUp",
  group: "select",
  keys: ["Shift+ArrowLeft"],
  enabled: ({ selected }) => selected.size > 0,
  does: (here) => {
    here.select([...reach(here.draft.graph, here.selected, "up")]);
  },
};

export const selectDown: Action = {
  id: "selectDown",
  group: "select",
  keys: ["Shift+ArrowRight"],
  enabled: ({ selected }) => selected.size > 0,
  does: (here) => {
    here.select([...reach(here.draft.graph, here.selected, "down")]);
  },
};

export const walk: Action = { id: "walk", group: "select", keys: ["arrows"] };
export const settings: Action = { id: "settings", group: "select", keys: ["Enter"] };
export const back: Action = { id: "back", group: "select", keys: ["Escape"] };

export const run: Action = {
  id: "run",
  group: "run",
  keys: ["Mod+Enter"],
  enabled: ({ mayRun }) => mayRun,
  does: (here) => {
    here.submit({});
  },
};

export const runToHere: Action = {
  id: "runToHere",
  group: "run",
  keys: ["Shift+Enter"],
  enabled: ({ mayRun, selected, draft }) =>
    mayRun && selected.size === 1 && draft.graph.nodes.some((n) => selected.has(n.id)),
  does: (here) => {
    const [only] = here.selected;
    if (only !== undefined) here.submit({ until: only });
  },
};

/** The selected node and all it feeds, whatever is known of them. */
export const runFromHere: Action = {
  id: "runFromHere",
  group: "run",
  keys: ["Shift+Alt+Enter"],
  enabled: (here) => runToHere.enabled?.(here) === true,
  does: (here) => {
    here.submit({ regenerate: [...reach(here.draft.graph, here.selected, "down")] });
  },
};

export const runOptions: Action = {
  id: "runOptions",
  group: "run",
  keys: ["Mod+Shift+Enter"],
  enabled: ({ mayRun }) => mayRun,
  does: (here) => {
    here.open("run");
  },
};

export const stop: Action = {
  id: "stop",
  group: "run",
  keys: ["Mod+."],
  enabled: ({ running }) => running,
  does: (here) => {
    here.stop();
  },
};

export const add: Action = {
  id: "add",
  group: "edit",
  keys: ["/", "Space"],
  does: (here) => {
    here.open("add");
  },
};

export const find: Action = {
  id: "find",
  group: "view",
  keys: ["Mod+F"],
  does: (here) => {
    here.open("find");
  },
};

export const outline: Action = {
  id: "outline",
  group: "view",
  keys: ["Mod+Shift+O"],
  does: (here) => {
    here.open("outline");
  },
};

export const shortcuts: Action = {
  id: "shortcuts",
  group: "view",
  keys: ["?"],
  does: (here) => {
    here.open("shortcuts");
  },
};
