import { Input, NumberInput, Select, Table, Text, TextInput } from "@mantine/core";
import type { Column } from "../../api/client";
import type { Json } from "../../draft/graph";
import { useText } from "../../text/useText";
import { ruleOf, type RequestRule, type Use, withRule } from "../requestRules";

interface Props {
  readonly label: string;
  readonly help?: string;
  readonly error: string | null;
  readonly value: Json;
  readonly columns: readonly Column[] | null;
  /** A value of each column, as an example. */
  readonly samples?: Readonly<Record<string, unknown>>;
  onSet(value: Json, typing?: boolean): void;
}

/** Which columns a request must have, may leave out, or may have without being read. */
export function RequestColumnsControl(props: Props) {
  const { label, help, error, value, columns, samples, onSet } = props;
  const text = useText();
  const rules = Array.isArray(value) ? (value as unknown as readonly RequestRule[]) : [];
  const known = columns ?? [];
  // A column that is ignored is no longer in the sample of what is served.
  const others = rules.filter((rule) => !known.some((column) => column.name === rule.name));
  const rows = [
    ...known.map((column) => [column.name, column.type] as const),
    ...others.map((rule) => [rule.name, ""] as const),
  ];
  const set = (rule: RequestRule, typing = false) => {
    onSet(withRule(rules, rule) as unknown as Json, typing);
  };
  return (
    <Input.Wrapper label={label} description={help} error={error} size="xs" labelElement="div">
      {columns === null ? (
        <Text size="xs" c="dimmed" mt={4}>
          {text.columnsUnknown}
        </Text>
      ) : (
        <Table fz="xs" verticalSpacing={3} horizontalSpacing={6} mt={6} aria-label={label}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.schemaColumn}</Table.Th>
              {samples && <Table.Th>{text.schemaType}</Table.Th>}
              {samples && <Table.Th>{text.schemaSample}</Table.Th>}
              <Table.Th w={112}>{text.schemaUse}</Table.Th>
              <Table.Th w={120}>{text.schemaDefault}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(([name, type]) => {
              const rule = ruleOf(rules, name);
              return (
                <Table.Tr key={name}>
                  <Table.Td title={type}>{name}</Table.Td>
                  {samples && <Table.Td c="dimmed">{type}</Table.Td>}
                  {samples && <Table.Td ff="monospace">{shown(samples[name])}</Table.Td>}
                  <Table.Td>
                    <Select
                      size="xs"
                      aria-label={text.schemaUseOf(name)}
                      comboboxProps={{ width: 130 }}
                      allowDeselect={false}
                      value={rule.use}
                      data={(["required", "optional", "ignored"] as const).map((use) => ({
                        value: use,
                        label: text.schemaUses[use],
                      }))}
                      onChange={(use) => {
                        set({ name, use: (use ?? "required") as Use });
                      }}
                    />
                  </Table.Td>
                  <Table.Td>
                    {rule.use === "optional" && <Default rule={rule} type={type} onSet={set} />}
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      )}
    </Input.Wrapper>
  );
}

interface DefaultProps {
  readonly rule: RequestRule;
  readonly type: string;
  onSet(rule: RequestRule, typing: boolean): void;
}

function Default({ rule, type, onSet }: DefaultProps) {
  const text = useText();
  const frame = {
    size: "xs",
    "aria-label": text.schemaDefaultOf(rule.name),
    placeholder: text.schemaMissing,
  } as const;
  const put = (value: Json, typing: boolean) => {
    onSet(
      { name: rule.name, use: "optional", ...(value === null ? {} : { default: value }) },
      typing,
    );
  };
  if (type === "Integer" || type === "Double") {
    return (
      <NumberInput
        {...frame}
        hideControls
        allowDecimal={type === "Double"}
        value={typeof rule.default === "number" ? rule.default : ""}
        onChange={(given) => {
          put(typeof given === "number" ? given : null, true);
        }}
      />
    );
  }
  if (type === "Boolean") {
    return (
      <Select
        {...frame}
        clearable
        value={rule.default === undefined ? null : String(rule.default)}
        data={["true", "false"]}
        onChange={(given) => {
          put(given === null ? null : given === "true", false);
        }}
      />
    );
  }
  return (
    <TextInput
      {...frame}
      value={typeof rule.default === "string" ? rule.default : ""}
      onChange={(event) => {
        put(event.currentTarget.value || null, true);
      }}
    />
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number);
}
