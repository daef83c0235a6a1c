import { NumberInput } from "@mantine/core";
import { useText } from "../text/useText";

export interface Amount {
  readonly cpu_cores: number | null;
  readonly memory_gb: number | null;
}

interface Props {
  readonly value: Amount;
  onChange(value: Amount): void;
}

/** How much of a machine an inference cluster may reserve; all of it where nothing is said. */
export function Amounts({ value, onChange }: Props) {
  const text = useText();
  const fields = [
    ["cpu_cores", text.clusterCores],
    ["memory_gb", text.clusterMemory],
  ] as const;
  return fields.map(([field, label]) => (
    <NumberInput
      key={field}
      size="xs"
      label={label}
      description={text.clusterAll}
      min={0.1}
      value={value[field] ?? ""}
      onChange={(given) => {
        onChange({ ...value, [field]: typeof given === "number" ? given : null });
      }}
    />
  ));
}
