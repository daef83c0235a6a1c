import {
  ActionIcon,
  Button,
  Group,
  Input,
  Modal,
  ScrollArea,
  SegmentedControl,
  Select,
  Stack,
  TagsInput,
  Text,
  TextInput,
} from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import type { Column } from "../../api/client";
import { useText } from "../../text/useText";
import {
  chosen,
  readSelection,
  ROLES,
  type Rule,
  type Selection,
  TYPES,
  writeSelection,
} from "../columnSelection";
import type { ControlProps } from "./Control";

type Way = "names" | "types" | "roles" | "positions" | "pattern";

/** Which columns: a button that tells, and a window to choose. */
export function ColumnsControl({ parameter, value, error, columns, onSet }: ControlProps) {
  const text = useText();
  const [opened, setOpened] = useState(false);
  const selection = readSelection(value);
  const count = columns ? chosen(selection, columns).length : null;
  return (
    <Input.Wrapper label={parameter.title} description={parameter.help} error={error} size="xs">
      <Button
        fullWidth
        size="xs"
        variant="default"
        mt={4}
        onClick={() => {
          setOpened(true);
        }}
      >
        {count === null ? text.columnsEdit : text.columnsChosen(count)}
      </Button>
      <Modal
        opened={opened}
        onClose={() => {
          setOpened(false);
        }}
        title={`${parameter.title} · ${text.columnsTitle}`}
        size="lg"
      >
        {opened && (
          <Chooser
            selection={selection}
            columns={columns}
            onSave={(made) => {
              onSet(writeSelection(made));
              setOpened(false);
            }}
            onCancel={() => {
              setOpened(false);
            }}
          />
        )}
      </Modal>
    </Input.Wrapper>
  );
}

interface ChooserProps {
  readonly selection: Selection;
  readonly columns: readonly Column[] | null;
  onSave(selection: Selection): void;
  onCancel(): void;
}

function Chooser({ selection, columns, onSave, onCancel }: ChooserProps) {
  const text = useText();
  const plain =
    selection.begin === "none" && selection.rules.every((r) => r.rule === "include" && r.names);
  const [mode, setMode] = useState(columns && plain ? "name" : "rules");
  const [draft, setDraft] = useState(selection);
  const names = columns ? chosen(draft, columns) : draft.rules.flatMap((r) => r.names ?? []);
  const known = (columns ?? []).map((c) => c.name);
  const take = (list: readonly string[]) => {
    setDraft({
      begin: "none",
      rules: list.length > 0 ? [{ rule: "include", names: list }] : [],
      keep_order: draft.keep_order,
    });
  };
  return (
    <Stack>
      <SegmentedControl
        size="xs"
        value={mode}
        onChange={setMode}
        data={[
          { value: "name", label: text.columnsByName, disabled: columns === null },
          { value: "rules", label: text.columnsByRule },
        ]}
      />
      {columns === null && (
        <Text size="sm" c="dimmed">
          {text.columnsUnknown}
        </Text>
      )}
      {mode === "name" && columns ? (
        <Group grow align="stretch">
          <List
            title={text.columnsAvailable}
            all={text.columnsAll}
            columns={columns.filter((c) => !names.includes(c.name))}
            onPick={(name) => {
              take(known.filter((n) => n === name || names.includes(n)));
            }}
            onAll={() => {
              take(known);
            }}
          />
          <List
            title={text.columnsSelected}
            all={text.columnsClear}
            columns={columns.filter((c) => names.includes(c.name))}
            onPick={(name) => {
              take(names.filter((n) => n !== name));
            }}
            onAll={() => {
              take([]);
            }}
          />
        </Group>
      ) : (
        <Rules draft={draft} known={known} onChange={setDraft} />
      )}
      <Group justify="space-between">
        <Text size="sm" c="dimmed" role="status">
          {columns ? text.columnsChosen(names.length) : ""}
        </Text>
        <Group gap="xs">
          <Button variant="default" onClick={onCancel}>
            {text.cancel}
          </Button>
          <Button
            onClick={() => {
              onSave(draft);
            }}
          >
            {text.save}
          </Button>
        </Group>
      </Group>
    </Stack>
  );
}

interface ListProps {
  readonly title: string;
  readonly all: string;
  readonly columns: readonly Column[];
  onPick(name: string): void;
  onAll(): void;
}

function List({ title, all, columns, onPick, onAll }: ListProps) {
  const text = useText();
  const [search, setSearch] = useState("");
  const found = columns.filter((c) => c.name.toLowerCase().includes(search.toLowerCase()));
  return (
    <Stack gap={6}>
      <Group justify="space-between">
        <Text size="sm" fw={600}>
          {title} ({columns.length})
        </Text>
        <Button size="compact-xs" variant="subtle" onClick={onAll}>
          {all}
        </Button>
      </Group>
      <TextInput
        size="xs"
        aria-label={`${text.search}: ${title}`}
        placeholder={text.search}
        value={search}
        onChange={(event) => {
          setSearch(event.currentTarget.value);
        }}
      />
      <ScrollArea
        h={260}
        style={{ border: "1px solid var(--mantine-color-default-border)", borderRadius: 6 }}
      >
        {found.map((column) => (
          <Button
            key={column.name}
            fullWidth
            size="compact-sm"
            variant="subtle"
            color="gray"
            justify="space-between"
            fw={400}
            radius={0}
            rightSection={
              <Text size="xs" c="dimmed">
                {column.type}
              </Text>
            }
            onClick={() => {
              onPick(column.name);
            }}
          >
            {column.name}
          </Button>
        ))}
      </ScrollArea>
    </Stack>
  );
}

interface RulesProps {
  readonly draft: Selection;
  readonly known: readonly string[];
  onChange(draft: Selection): void;
}

function wayOf(rule: Rule): Way {
  const ways: Way[] = ["types", "roles", "positions", "pattern"];
  return ways.find((w) => rule[w] !== undefined) ?? "names";
}

function emptyRule(rule: Rule["rule"], way: Way): Rule {
  return way === "positions" || way === "pattern" ? { rule, [way]: "" } : { rule, [way]: [] };
}

function Rules({ draft, known, onChange }: RulesProps) {
  const text = useText();
  const put = (place: number, rule: Rule) => {
    onChange({ ...draft, rules: draft.rules.map((r, i) => (i === place ? rule : r)) });
  };
  const ways: Record<Way, string> = {
    names: text.columnsNames,
    types: text.columnsTypes,
    roles: text.columnsRoles,
    positions: text.columnsPositions,
    pattern: text.columnsPattern,
  };
  const offered: Partial<Record<Way, readonly string[]>> = {
    names: known,
    types: TYPES,
    roles: ROLES,
  };
  return (
    <Stack gap="xs">
      <Select
        size="xs"
        label={text.columnsBegin}
        value={draft.begin}
        allowDeselect={false}
        data={[
          { value: "all", label: text.columnsBeginAll },
          { value: "none", label: text.columnsBeginNone },
        ]}
        onChange={(begin) => {
          onChange({ ...draft, begin: begin === "all" ? "all" : "none" });
        }}
      />
      {draft.rules.map((rule, place) => {
        const way = wayOf(rule);
        const label = `${rule.rule === "include" ? text.columnsInclude : text.columnsExclude} ${ways[way]}`;
        const field = rule[way];
        return (
          <Group key={`${String(place)} ${way}`} gap={6} wrap="nowrap" align="flex-start">
            <Select
              size="xs"
              w={110}
              aria-label={text.columnsInclude}
              value={rule.rule}
              allowDeselect={false}
              data={[
                { value: "include", label: text.columnsInclude },
                { value: "exclude", label: text.columnsExclude },
              ]}
              onChange={(given) => {
                put(place, { ...rule, rule: given === "exclude" ? "exclude" : "include" });
              }}
            />
            <Select
              size="xs"
              w={110}
              aria-label={text.columnsByRule}
              value={way}
              allowDeselect={false}
              data={Object.entries(ways).map(([value, name]) => ({ value, label: name }))}
              onChange={(given) => {
                put(place, emptyRule(rule.rule, (given ?? "names") as Way));
              }}
            />
            {typeof field === "string" ? (
              <TextInput
                size="xs"
                flex={1}
                aria-label={label}
                value={field}
                onChange={(event) => {
                  put(place, { ...rule, [way]: event.currentTarget.value });
                }}
              />
            ) : (
              <TagsInput
                size="xs"
                flex={1}
                aria-label={label}
                data={[...(offered[way] ?? [])]}
                value={[...((field as readonly string[] | undefined) ?? [])]}
                onChange={(given) => {
                  put(place, { ...rule, [way]: given });
                }}
              />
            )}
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={text.columnsRemoveRule}
              onClick={() => {
                onChange({ ...draft, rules: draft.rules.filter((_, i) => i !== place) });
              }}
            >
              <IconTrash size={15} />
            </ActionIcon>
          </Group>
        );
      })}
      <Button
        size="xs"
        variant="light"
        leftSection={<IconPlus size={14} />}
        onClick={() => {
          const rule = emptyRule(draft.begin === "all" ? "exclude" : "include", "names");
          onChange({ ...draft, rules: [...draft.rules, rule] });
        }}
      >
        {text.columnsAddRule}
      </Button>
    </Stack>
  );
}
