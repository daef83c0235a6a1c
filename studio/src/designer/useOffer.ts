/** The actions that can be done now, for "go to anything". */

import { useEffect, useRef } from "react";
import { useText } from "../text/useText";
import { useCommands } from "../ui/commands";
import type { Here } from "./actions/action";
import { ACTIONS } from "./actions/all";
import { spoken } from "./actions/keys";

export function useOffer(here: Here | null): void {
  const text = useText();
  const offer = useCommands((state) => state.offer);
  const latest = useRef(here);
  useEffect(() => {
    latest.current = here;
  });
  const able = ACTIONS.filter(
    (action) =>
      action.does && action.id !== "nudge" && here !== null && action.enabled?.(here) !== false,
  )
    .map((action) => action.id)
    .join(" ");
  useEffect(() => {
    const ids = new Set(able.split(" "));
    offer(
      ACTIONS.filter((action) => ids.has(action.id)).map((action) => ({
        // Actions of one name differ by their keys, such as the steps of the grid.
        id: `${action.id} ${action.keys.join(" ")}`,
        title: text.actions[action.id],
        keys: spoken(action.keys[0] ?? "", text.keyNames).join("+"),
        act: () => {
          if (latest.current) action.does?.(latest.current);
        },
      })),
    );
    return () => {
      offer([]);
    };
  }, [able, offer, text]);
}
