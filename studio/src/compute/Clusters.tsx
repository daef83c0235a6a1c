import { Button, Group, Stack, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";

interface Props {
  readonly hint: string;
  /** Why they could not be read, and why a change of one was refused. */
  readonly errors: readonly (Error | null)[];
  /** The list, once there is one; null while it is awaited. */
  readonly list: ReactNode;
  /** The dialogs of this list. */
  readonly children: ReactNode;
  onNew(): void;
}

/** A list of clusters of one sort, with what it is for and a way to make one more. */
export function Clusters({ hint, errors, list, children, onNew }: Props) {
  const text = useText();
  const failures = errors.filter((error) => error !== null);
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {hint}
        </Text>
        <Button size="xs" leftSection={<IconPlus size={14} />} onClick={onNew}>
          {text.computeNew}
        </Button>
      </Group>
      {failures.map((error) => (
        <Refusal
          key={error.message}
          title={text.somethingWrong}
          error={error}
          otherwise={text.offline}
        />
      ))}
      {list ?? (failures.length === 0 && <Waiting />)}
      {children}
    </Stack>
  );
}
