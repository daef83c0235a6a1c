import {
  ActionIcon,
  Button,
  Group,
  Select,
  SimpleGrid,
  Text,
  TextInput,
  Tooltip,
} from "@mantine/core";
import { IconChevronLeft, IconChevronRight, IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { useText } from "../text/useText";
import { type Row, textOf, valueOf } from "./rows";
import classes from "./endpoints.module.css";

interface Props {
  readonly input: Schemas["RequestInput"];
  readonly rows: readonly Row[];
  onChange(rows: readonly Row[]): void;
}

/** The rows of a request, one at a time, with a field for each column. */
export function RowForm({ input, rows, onChange }: Props) {
  const text = useText();
  const [wanted, setPlace] = useState(0);
  const place = Math.min(wanted, Math.max(rows.length - 1, 0));
  const row = rows[place] ?? {};
  const columns = input.columns.filter((column) => column.use !== "ignored");
  const set = (name: string, value: unknown) => {
    const changed = [...rows];
    changed[place] = { ...row, [name]: value };
    onChange(changed);
  };
  const sample = input.samples[rows.length % Math.max(input.samples.length, 1)] ?? {};
  return (
    <section aria-label={input.name} style={{ marginBottom: 12 }}>
      <Group justify="space-between" mb={6}>
        <Text size="sm" fw={600}>
          {input.name}
        </Text>
        <Group gap={4}>
          <ActionIcon
            size="sm"
            variant="subtle"
            color="gray"
            aria-label={text.rowBefore}
            disabled={place === 0}
            onClick={() => {
              setPlace(place - 1);
            }}
          >
            <IconChevronLeft size={15} />
          </ActionIcon>
          <Text size="xs" c="dimmed">
            {text.rowOf(place + 1, rows.length)}
          </Text>
          <ActionIcon
            size="sm"
            variant="subtle"
            color="gray"
            aria-label={text.rowAfter}
            disabled={place >= rows.length - 1}
            onClick={() => {
              setPlace(place + 1);
            }}
          >
            <IconChevronRight size={15} />
          </ActionIcon>
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconPlus size={13} />}
            onClick={() => {
              onChange([...rows, sample]);
              setPlace(rows.length);
            }}
          >
            {text.rowAdd}
          </Button>
          <Tooltip label={text.rowRemove}>
            <ActionIcon
              size="sm"
              variant="subtle"
              color="gray"
              aria-label={text.rowRemove}
              disabled={rows.length < 2}
              onClick={() => {
                onChange(rows.filter((_, at) => at !== place));
              }}
            >
              <IconTrash size={14} />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      <div className={classes.form}>
        <SimpleGrid cols={2} spacing="sm" verticalSpacing={6}>
          {columns.map((column) => {
            const label = `${column.name} · ${column.type}`;
            if (column.type === "Boolean") {
              return (
                <Select
                  key={column.name}
                  size="xs"
                  label={label}
                  required={column.use === "required"}
                  clearable={column.missing}
                  value={typeof row[column.name] === "boolean" ? String(row[column.name]) : null}
                  data={["true", "false"]}
                  onChange={(given) => {
                    set(column.name, given === null ? null : given === "true");
                  }}
                />
              );
            }
            return (
              <TextInput
                key={column.name}
                size="xs"
                label={label}
                withAsterisk={column.use === "required"}
                placeholder={column.use === "optional" ? textOf(column.default) : ""}
                value={textOf(row[column.name])}
                onChange={(event) => {
                  set(column.name, valueOf(event.currentTarget.value, column.type));
                }}
              />
            );
          })}
        </SimpleGrid>
      </div>
    </section>
  );
}
