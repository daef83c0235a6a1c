/** What a user can do, as data: keys, menus, toolbar and the shortcuts sheet read the same object. */

import type { PortsOf } from "../../draft/connect";
import type { Edit } from "../../draft/edits";
import type { Draft } from "../../draft/graph";
import type { Text } from "../../text/en";
import type { Submission } from "../useRun";

/** Where an action finds itself, and what it can move. */
export interface Here {
  readonly draft: Draft;
  readonly selected: ReadonlySet<string>;
  /** Selected wires, as "node.port > node.port". */
  readonly wires: ReadonlySet<string>;
  readonly portsOf: PortsOf;
  readonly text: Text;
  readonly running: boolean;
  readonly mayRun: boolean;
  edit(edit: Edit, did: string, burst?: string | null): void;
  undo(): void;
  redo(): void;
  select(nodes: readonly string[], wires?: readonly string[]): void;
  say(what: string): void;
  submit(submission: Submission): void;
  stop(): void;
  open(panel: Panel): void;
}

export type Panel =
  "add" | "find" | "outline" | "shortcuts" | "settings" | "title" | "run" | "problems";

export interface Action {
  readonly id: keyof Text["actions"];
  readonly group: keyof Text["actionGroups"];
  /** Such as "Mod+Shift+Z"; the first is the one shown. */
  readonly keys: readonly string[];
  enabled?(here: Here): boolean;
  /** The keys reach the designer as an event of the clipboard, not as keys. */
  readonly byClipboard?: boolean;
  /** Absent where the browser or the canvas does it itself: it is only listed. */
  does?(here: Here): void;
}
