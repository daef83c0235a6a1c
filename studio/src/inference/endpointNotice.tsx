import { Anchor } from "@mantine/core";

/** A notification that leads to an endpoint. */
export function endpointNotice(name: string, message: string, label: string) {
  return {
    color: "teal",
    title: message,
    autoClose: 12_000,
    // Outside the router, so that a plain address is used.
    message: (
      <Anchor href={`/endpoints/${name}`} size="sm">
        {label}
      </Anchor>
    ),
  };
}
