import { Badge } from "@mantine/core";
import type { Schemas } from "../api/client";
import { useText } from "../text/useText";

const COLOURS = {
  transitioning: "blue",
  healthy: "teal",
  unhealthy: "orange",
  unschedulable: "orange",
  failed: "red",
  stopped: "gray",
} as const;

/** How an endpoint does, in a word and a colour. */
export function EndpointState({ state }: { readonly state: Schemas["Endpoint"]["state"] }) {
  const text = useText();
  return (
    <Badge color={COLOURS[state]} variant="dot" tt="none" fw={500}>
      {text.endpointStates[state]}
    </Badge>
  );
}
