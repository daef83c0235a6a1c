/** Shortcuts of the designer; none fires while the user types in a field. */

import { useEffect, useRef } from "react";
import * as edits from "../draft/edits";
import { focusNode } from "../canvas/Canvas";
import type { Here } from "./actions/action";
import { ACTIONS } from "./actions/all";
import { matches } from "./actions/keys";
import { remove } from "./actions/structure";
import { fromClipboard, toClipboard } from "./clipboard";

function typing(event: Event): boolean {
  const target = event.target as HTMLElement | null;
  return !!target?.closest("input, textarea, select, [contenteditable=true], [role=dialog]");
}

/** Keys that a focused button, link or entry of a menu needs for itself. */
function taken(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  const held = event.shiftKey || event.ctrlKey || event.metaKey || event.altKey;
  const own = !held && (event.key === " " || event.key === "Enter");
  return event.defaultPrevented || (own && !!target?.closest("button, a, [role=menu]"));
}

export function useKeys(here: Here | null): void {
  const latest = useRef(here);
  useEffect(() => {
    latest.current = here;
  });

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const now = latest.current;
      if (!now) return;
      if (event.key === "Escape") {
        leave(event, now);
        return;
      }
      if (typing(event) || taken(event)) return;
      const action = ACTIONS.find(
        (one) => one.does && !one.byClipboard && one.keys.some((keys) => matches(keys, event)),
      );
      if (!action) return;
      // Also where it is not enabled: the browser's own "find" or "bookmark" would surprise.
      event.preventDefault();
      if (action.enabled?.(now) !== false) action.does?.(now);
    };
    const copied = (event: ClipboardEvent) => {
      const now = latest.current;
      if (typing(event) || !now?.draft.graph.nodes.some((n) => now.selected.has(n.id))) return;
      event.clipboardData?.setData("text/plain", toClipboard(edits.piece(now.draft, now.selected)));
      event.preventDefault();
      if (event.type === "cut") remove.does?.(now);
    };
    const pasted = (event: ClipboardEvent) => {
      const now = latest.current;
      if (typing(event) || !now) return;
      const piece = fromClipboard(event.clipboardData?.getData("text/plain") ?? "");
      if (!piece) return;
      event.preventDefault();
      const used = now.draft.graph.nodes.map((n) => n.id);
      const copy = edits.paste(piece, { x: 40, y: 40 }, used);
      now.edit(copy.edit, "paste");
      now.select([...copy.ids.values()]);
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

/** Escape goes from the settings back to their node, in the outline or on the canvas; there it selects nothing. */
function leave(event: KeyboardEvent, here: Here): void {
  const target = event.target as HTMLElement;
  const opened = target.getAttribute("aria-expanded") === "true";
  if (event.defaultPrevented || opened) return;
  const [only] = here.selected;
  if (target.closest("#settings, [data-outline]") && !target.matches("[data-step]")) {
    if (only === undefined) return;
    const step = document.querySelector<HTMLElement>(`[data-step="${CSS.escape(only)}"]`);
    if (step) step.focus();
    else focusNode(only);
  } else if (!typing(event) && !target.closest("[role=menu]") && here.selected.size > 0) {
    here.select([]);
  }
}
