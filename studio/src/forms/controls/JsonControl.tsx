import { Textarea } from "@mantine/core";
import { useState } from "react";
import { parse, stringify } from "yaml";
import type { Json } from "../../draft/graph";
import type { ControlProps } from "./Control";

/** Any other value, as YAML; it is taken over when it can be read. */
export function JsonControl({ parameter, value, error, onSet }: ControlProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  return (
    <Textarea
      size="xs"
      label={parameter.title}
      description={parameter.help}
      error={fault ?? error}
      autosize
      minRows={2}
      ff="monospace"
      value={typed ?? (value === null ? "" : stringify(value).trimEnd())}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
      }}
      onBlur={() => {
        if (typed === null) return;
        try {
          onSet((parse(typed) ?? null) as Json);
          setTyped(null);
          setFault(null);
        } catch (problem) {
          setFault((problem as Error).message);
        }
      }}
    />
  );
}
