import { Button, Group, Select, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { useText } from "../text/useText";
import { type Amount, Amounts } from "./Amounts";

type Asked = Schemas["ClusterAsked"];

interface Props {
  readonly kinds: readonly Schemas["ClusterKind"][];
  readonly kind?: string;
  readonly busy: boolean;
  onSubmit(asked: Asked): void;
  onCancel(): void;
}

const NAME = /^[A-Za-z][A-Za-z0-9-]{1,23}$/;

/** A new inference cluster: name, kind, and how much of it may be reserved. */
export function ClusterForm({ kinds, kind: given, busy, onSubmit, onCancel }: Props) {
  const text = useText();
  const [name, setName] = useState("");
  const [kind, setKind] = useState(given ?? kinds[0]?.name ?? "local");
  const [amount, setAmount] = useState<Amount>({ cpu_cores: null, memory_gb: null });
  const [options, setOptions] = useState<Readonly<Record<string, string>>>({});
  const known = kinds.find((k) => k.name === kind);
  const right = NAME.test(name);
  const submit = () => {
    const filled = Object.entries(options).filter(([, value]) => value.trim() !== "");
    onSubmit({
      name,
      kind,
      ...amount,
      options: Object.fromEntries(filled),
      description: "",
    });
  };
  return (
    // No form element: it stands within the dialog's own form as well.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Enter in a field submits, as in a form
    <div
      role="group"
      aria-label={text.clusterNew}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
        // Enter chooses from an open list first, and never submits what is around.
        event.preventDefault();
        if (right && event.target.getAttribute("aria-expanded") !== "true") submit();
      }}
    >
      <Stack gap="sm">
        <SimpleGrid cols={2} spacing="sm">
          <TextInput
            size="xs"
            label={text.clusterName}
            description={text.clusterNameHint}
            required
            data-autofocus
            value={name}
            error={name !== "" && !right ? text.clusterNameHint : null}
            onChange={(event) => {
              setName(event.currentTarget.value);
            }}
          />
          <Select
            size="xs"
            label={text.clusterKind}
            description={text.clusterKindHint}
            allowDeselect={false}
            value={kind}
            data={kinds.map((k) => ({
              value: k.name,
              label: text.clusterKinds[k.name] ?? k.title,
            }))}
            onChange={(chosen) => {
              setKind(chosen ?? "local");
              setOptions({});
            }}
          />
          <Amounts value={amount} onChange={setAmount} />
          {Object.entries(known?.options ?? {}).map(([option, meaning]) => (
            <TextInput
              key={option}
              size="xs"
              label={option.replaceAll("_", " ")}
              description={meaning}
              value={options[option] ?? ""}
              onChange={(event) => {
                setOptions({ ...options, [option]: event.currentTarget.value });
              }}
            />
          ))}
        </SimpleGrid>
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={onCancel}>
            {text.cancel}
          </Button>
          <Button size="xs" disabled={!right} loading={busy} onClick={submit}>
            {text.clusterCreate}
          </Button>
        </Group>
      </Stack>
    </div>
  );
}
