/** The open draft: its history and whether it is saved. Knows no network: `saver` is handed in. */

import { create } from "zustand";
import type { Edit } from "./edits";
import type { Draft } from "./graph";
import { apply, begin, type History, redo, undo } from "./history";

export type SaveState = "saved" | "unsaved" | "saving" | "offline" | "conflict";

interface Open {
  readonly id: string | null;
  readonly revision: number;
  readonly history: History | null;
  readonly save: SaveState;
  /** The draft as it was last saved. */
  readonly stored: Draft | null;
  /** `recalled` is the undo history of an earlier visit; its present is the draft. */
  open(id: string, revision: number, draft: Draft, recalled?: History | null): void;
  edit(edit: Edit, did: string, burst?: string | null): void;
  undo(): void;
  redo(): void;
  saving(): void;
  savedAs(revision: number, draft: Draft): void;
  failed(state: "offline" | "conflict"): void;
  /** Goes on from another revision: after a conflict, the present draft is saved over it. */
  rebase(revision: number): void;
}

export const useDraft = create<Open>((set) => ({
  id: null,
  revision: 0,
  history: null,
  save: "saved",
  stored: null,
  open: (id, revision, draft, recalled = null) => {
    set({ id, revision, history: recalled ?? begin(draft), save: "saved", stored: draft });
  },
  edit: (edit, did, burst = null) => {
    set((state) => changed(state, state.history && apply(state.history, edit, did, burst)));
  },
  undo: () => {
    set((state) => changed(state, state.history && undo(state.history)));
  },
  redo: () => {
    set((state) => changed(state, state.history && redo(state.history)));
  },
  saving: () => {
    set({ save: "saving" });
  },
  savedAs: (revision, draft) => {
    set((state) => ({
      revision,
      stored: draft,
      save: state.history?.present.draft === draft ? "saved" : "unsaved",
    }));
  },
  failed: (save) => {
    set({ save });
  },
  rebase: (revision) => {
    set({ revision, save: "unsaved" });
  },
}));

function changed(state: Open, history: History | null): Partial<Open> {
  if (history === state.history) return {};
  const unsaved = state.save === "conflict" ? state.save : "unsaved";
  return { history, save: unsaved };
}
