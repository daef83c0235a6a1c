import { Badge } from "@mantine/core";
import type { RunSummary } from "../api/client";
import { useText } from "../text/useText";

const COLOURS = {
  queued: "gray",
  running: "blue",
  completed: "teal",
  failed: "red",
  cancelled: "gray",
} as const;

/** How far a run is, in a word and a colour. */
export function RunState({ status }: { readonly status: RunSummary["status"] }) {
  const text = useText();
  return (
    <Badge color={COLOURS[status]} variant="dot" tt="none" fw={500}>
      {text.runStates[status]}
    </Badge>
  );
}
