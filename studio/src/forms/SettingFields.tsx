import { NumberInput, Select, SimpleGrid, Switch, TagsInput, TextInput } from "@mantine/core";
import type { Schemas } from "../api/client";
import { useText } from "../text/useText";

type Setting = Schemas["SettingExplained"];

/** Values by name of setting; one that is not there has its default. */
export type Settings = Readonly<Record<string, unknown>>;

interface Props {
  readonly settings: readonly Setting[];
  readonly values: Settings;
  onChange(name: string, value: unknown): void;
}

interface Explained {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

/** A field for every setting, with what it does, its range and its default. */
export function SettingFields({ settings, values, onChange }: Props) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm" verticalSpacing="sm">
      {settings
        .filter(({ json_schema }) => (json_schema as Explained).type !== "object")
        .map((setting) => (
          <Field
            key={setting.name}
            setting={setting}
            value={setting.name in values ? values[setting.name] : undefined}
            onChange={(value) => {
              onChange(setting.name, value);
            }}
          />
        ))}
    </SimpleGrid>
  );
}

interface FieldProps {
  readonly setting: Setting;
  readonly value: unknown;
  onChange(value: unknown): void;
}

function Field({ setting, value, onChange }: FieldProps) {
  const text = useText();
  const schema = setting.json_schema as Explained;
  const label = text.settingNames[setting.name] ?? setting.name.replaceAll("_", " ");
  const least = schema.minimum ?? schema.exclusiveMinimum;
  const range =
    least !== undefined && schema.maximum !== undefined
      ? text.deployRange(least.toLocaleString(), schema.maximum.toLocaleString())
      : "";
  const usual =
    schema.default === undefined ||
    schema.default === "" ||
    Array.isArray(schema.default) ||
    schema.type === "boolean"
      ? ""
      : text.deployDefault(
          text.settingChoices[String(schema.default as string | number)] ??
            String(schema.default as string | number),
        );
  const facts = [range, usual].filter(Boolean).join(", ");
  const meaning = text.settingMeanings[setting.name] ?? schema.description ?? "";
  const description = facts ? `${meaning} (${facts})` : meaning;
  const frame = { label, description, size: "xs" } as const;
  const current = value === undefined ? schema.default : value;
  if (schema.type === "boolean") {
    return (
      <Switch
        {...frame}
        checked={current === true}
        onChange={(event) => {
          onChange(event.currentTarget.checked);
        }}
      />
    );
  }
  if (schema.type === "integer" || schema.type === "number") {
    return (
      <NumberInput
        {...frame}
        value={typeof current === "number" ? current : ""}
        allowDecimal={schema.type === "number"}
        clampBehavior="blur"
        {...(least === undefined ? {} : { min: least })}
        {...(schema.maximum === undefined ? {} : { max: schema.maximum })}
        onChange={(given) => {
          if (typeof given === "number") onChange(given);
        }}
      />
    );
  }
  if (schema.type === "array") {
    return (
      <TagsInput
        {...frame}
        value={Array.isArray(current) ? (current as string[]) : []}
        onChange={onChange}
      />
    );
  }
  const choices = /^\^\(([\w|]+)\)\$$/.exec(schema.pattern ?? "")?.[1]?.split("|");
  if (choices) {
    return (
      <Select
        {...frame}
        allowDeselect={false}
        data={choices.map((value) => ({ value, label: text.settingChoices[value] ?? value }))}
        value={typeof current === "string" ? current : null}
        onChange={onChange}
      />
    );
  }
  return (
    <TextInput
      {...frame}
      value={typeof current === "string" ? current : ""}
      onChange={(event) => {
        onChange(event.currentTarget.value);
      }}
    />
  );
}
