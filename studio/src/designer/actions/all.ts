import type { Action } from "./action";
import * as going from "./going";
import * as structure from "./structure";
import { tidy } from "./tidy";

const { undo, redo, copy, cut, paste, duplicate, remove, heal, note, group, ungroup, rename } =
  structure;
const { add, selectAll, selectUp, selectDown, walk, settings, back } = going;

/** All actions, in the order of the shortcuts sheet. */
export const ACTIONS: readonly Action[] = [
  add,
  undo,
  redo,
  copy,
  cut,
  paste,
  duplicate,
  remove,
  heal,
  rename,
  ...structure.nudges,
  { id: "splice", group: "edit", keys: ["Alt+drag"] },
  note,
  group,
  ungroup,
  walk,
  settings,
  back,
  selectAll,
  selectUp,
  selectDown,
  going.run,
  going.runToHere,
  going.runFromHere,
  going.runOptions,
  going.stop,
  going.find,
  going.outline,
  tidy,
  going.shortcuts,
];

/** What a right click on a node offers. */
export const NODE_MENU: readonly (readonly Action[])[] = [
  [going.runToHere, going.runFromHere],
  [copy, duplicate, rename],
  [group, ungroup],
  [remove, heal],
];
