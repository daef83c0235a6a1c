/** Shortcuts of the designer; none fires while the user types in a field. */

import { useEffect, useRef } from "react";
import * as edits from "../draft/edits";
import { type Draft, reach } from "../draft/graph";
import { useDraft } from "../draft/store";
import { fromClipboard, toClipboard } from "./clipboard";

interface Keys {
  readonly draft: Draft | null;
  readonly selected: ReadonlySet<string>;
  select(nodes: readonly string[]): void;
  removeSelected(): void;
  run(): void;
  runTo(): void;
  openPalette(): void;
}

function typing(event: Event): boolean {
  const target = event.target as HTMLElement | null;
  return !!target?.closest("input, textarea, select, [contenteditable=true], [role=dialog]");
}

export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const { draft, selected, select } = latest.current;
      if (typing(event) || !draft) return;
      const mod = event.ctrlKey || event.metaKey;
      const { edit, undo, redo } = useDraft.getState();
      const key = event.key.toLowerCase();
      const act = (does: () => void) => {
        event.preventDefault();
        does();
      };
      if (mod && key === "z") act(event.shiftKey ? redo : undo);
      else if (mod && key === "y") act(redo);
      else if (mod && key === "a") {
        act(() => {
          select(draft.graph.nodes.map((n) => n.id));
        });
      } else if (mod && key === "enter") act(latest.current.run);
      else if (event.shiftKey && key === "enter") act(latest.current.runTo);
      else if (key === "delete" || key === "backspace") act(latest.current.removeSelected);
      else if (mod && key === "d" && selected.size > 0) {
        act(() => {
          const taken = draft.graph.nodes.map((n) => n.id);
          const copy = edits.paste(edits.piece(draft, selected), { x: 40, y: 40 }, taken);
          edit(copy.edit, "duplicate");
          select([...copy.ids.values()]);
        });
      } else if (event.shiftKey && (key === "arrowleft" || key === "arrowright")) {
        act(() => {
          select([...reach(draft.graph, selected, key === "arrowleft" ? "up" : "down")]);
        });
      } else if (mod && key.startsWith("arrow") && selected.size > 0) {
        const step = { arrowleft: [-10, 0], arrowright: [10, 0], arrowup: [0, -10] }[key] ?? [
          0, 10,
        ];
        act(() => {
          const places = [...selected].map((id) => {
            const at = draft.layout.positions[id] ?? { x: 0, y: 0 };
            return [id, { x: at.x + (step[0] ?? 0), y: at.y + (step[1] ?? 0) }] as const;
          });
          edit(edits.moveNodes(Object.fromEntries(places)), "move", "nudge");
        });
      } else if (
        !mod &&
        (key === "/" || key === " ") &&
        !(event.target as HTMLElement).closest("button, a")
      ) {
        act(latest.current.openPalette);
      }
    };
    const copied = (event: ClipboardEvent) => {
      const { draft, selected } = latest.current;
      if (typing(event) || !draft || selected.size === 0) return;
      event.clipboardData?.setData("text/plain", toClipboard(edits.piece(draft, selected)));
      event.preventDefault();
      if (event.type === "cut") latest.current.removeSelected();
    };
    const pasted = (event: ClipboardEvent) => {
      const { draft, select } = latest.current;
      if (typing(event) || !draft) return;
      const piece = fromClipboard(event.clipboardData?.getData("text/plain") ?? "");
      if (!piece) return;
      event.preventDefault();
      const taken = draft.graph.nodes.map((n) => n.id);
      const copy = edits.paste(piece, { x: 40, y: 40 }, taken);
      useDraft.getState().edit(copy.edit, "paste");
      select([...copy.ids.values()]);
    };
    window.addEventListener("keydown", pressed);
    window.addEventListener("copy", copied);
    window.addEventListener("cut", copied);
    window.addEventListener("paste", pasted);
    return () => {
      window.removeEventListener("keydown", pressed);
      window.removeEventListener("copy", copied);
      window.removeEventListener("cut", copied);
      window.removeEventListener("paste", pasted);
    };
  }, []);
}
