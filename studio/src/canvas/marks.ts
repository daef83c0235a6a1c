/** What notes and groups on the canvas can change, and their colours. */

import { createContext } from "react";
import type { Group, Note } from "../draft/graph";

export interface Marks {
  /** A burst joins the strokes of one typing into one step. */
  onNote(note: Note, burst: string | null): void;
  onGroup(group: Group, burst: string | null): void;
}

export const MarksContext = createContext<Marks>({
  onNote: () => undefined,
  onGroup: () => undefined,
});

export const MARK_COLOURS = {
  yellow: "#d3a81f",
  blue: "#5b7fd6",
  green: "#3f9f6b",
  pink: "#c95a94",
  grey: "#7d8593",
} as const;

export type MarkColour = keyof typeof MARK_COLOURS;

export function markColour(name: string): string {
  return MARK_COLOURS[name as MarkColour] ?? MARK_COLOURS.grey;
}
