import { ActionIcon, Button, Group, Popover, TextInput, Tooltip } from "@mantine/core";
import { IconVariable, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { useText } from "../text/useText";

interface Props {
  readonly title: string;
  /** A name that it could have among the pipeline's parameters. */
  readonly wish: string;
  onPromote(name: string): void;
}

/** Makes a parameter of a node one of the pipeline, to be set at each run. */
export function Promote({ title, wish, onPromote }: Props) {
  const text = useText();
  const [opened, setOpened] = useState(false);
  const [name, setName] = useState(wish);
  return (
    <Popover opened={opened} onChange={setOpened} width={260} position="left-start" trapFocus>
      <Popover.Target>
        <Tooltip label={text.promote}>
          <ActionIcon
            size="sm"
            variant="subtle"
            color="gray"
            aria-label={`${text.promote}: ${title}`}
            onClick={() => {
              setName(wish);
              setOpened(!opened);
            }}
          >
            <IconVariable size={14} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            event.stopPropagation();
            onPromote(name.trim());
            setOpened(false);
          }}
        >
          <TextInput
            size="xs"
            label={text.promoteName}
            description={text.promoteHint}
            value={name}
            data-autofocus
            onChange={(event) => {
              setName(event.currentTarget.value);
            }}
          />
          <Group justify="flex-end" mt="xs">
            <Button type="submit" size="compact-xs" disabled={!name.trim()}>
              {text.save}
            </Button>
          </Group>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}

interface AskedProps {
  readonly name: string;
  readonly title: string;
  onDetach(): void;
}

/** Tells that a parameter is set by one of the pipeline's, and takes that back. */
export function Asked({ name, title, onDetach }: AskedProps) {
  const text = useText();
  return (
    <Group gap={4} mt={3} fz="xs" c="var(--mantine-color-anchor)" wrap="nowrap">
      <IconVariable size={13} aria-hidden />
      <span style={{ flex: 1 }}>{text.promotedAs(name)}</span>
      <ActionIcon
        size="xs"
        variant="subtle"
        color="gray"
        aria-label={`${text.detach}: ${title}`}
        onClick={onDetach}
      >
        <IconX size={12} />
      </ActionIcon>
    </Group>
  );
}
