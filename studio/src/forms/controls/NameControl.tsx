import { Autocomplete } from "@mantine/core";
import type { Json } from "../../draft/graph";

export interface NameControlProps {
  readonly label: string;
  readonly help: string;
  readonly error: string | null;
  readonly required: boolean;
  readonly value: Json;
  onSet(value: Json, typing?: boolean): void;
}

interface Props extends NameControlProps {
  readonly names: readonly string[];
}

/** A name, one of those that the server knows or one that is still to come. */
export function NameControl({ label, help, error, required, value, onSet, names }: Props) {
  return (
    <Autocomplete
      label={label}
      description={help}
      error={error}
      required={required}
      size="xs"
      data={[...names]}
      value={typeof value === "string" ? value : ""}
      onChange={(given) => {
        onSet(given, true);
      }}
    />
  );
}
