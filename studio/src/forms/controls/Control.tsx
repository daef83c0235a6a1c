import {
  Autocomplete,
  Input,
  NumberInput,
  Select,
  Switch,
  Textarea,
  TextInput,
} from "@mantine/core";
import { type ComponentType, lazy, Suspense } from "react";
import type { Column, Parameter } from "../../api/client";
import type { Json } from "../../draft/graph";
import { useText } from "../../text/useText";
import { ColumnsControl } from "./ColumnsControl";
import { ConnectionControl } from "./ConnectionControl";
import { DatasetControl } from "./DatasetControl";
import { JsonControl } from "./JsonControl";
import type { NameControlProps } from "./NameControl";
import { RequestColumnsControl } from "./RequestColumnsControl";

const CodeControl = lazy(() => import("./CodeControl").then((m) => ({ default: m.CodeControl })));

/** Controls of a name among those that the server knows. */
const NAMES: Readonly<Record<string, ComponentType<NameControlProps>>> = {
  connection: ConnectionControl,
  dataset: DatasetControl,
};

export interface ControlProps {
  readonly parameter: Parameter;
  readonly value: Json;
  readonly error: string | null;
  readonly columns: readonly Column[] | null;
  onSet(value: Json, typing?: boolean): void;
}

/** The control for a parameter, by what its description asks for. */
export function Control(props: ControlProps) {
  const { parameter, value, error, columns, onSet } = props;
  const text = useText();
  const frame = {
    label: parameter.title,
    description: parameter.help,
    error,
    size: "xs" as const,
    required: parameter.required,
  };
  const OfNames = NAMES[parameter.control];
  if (OfNames) {
    return (
      <OfNames
        label={parameter.title}
        help={parameter.help}
        error={error}
        required={parameter.required}
        value={value}
        onSet={onSet}
      />
    );
  }
  switch (parameter.control) {
    case "columns":
      return <ColumnsControl {...props} />;
    case "request-columns":
      return (
        <RequestColumnsControl
          label={parameter.title}
          help={parameter.help}
          error={error}
          value={value}
          columns={columns}
          onSet={onSet}
        />
      );
    case "bool":
      return (
        <Switch
          size="sm"
          label={parameter.title}
          description={parameter.help}
          error={error}
          checked={value === true}
          onChange={(event) => {
            onSet(event.currentTarget.checked);
          }}
        />
      );
    case "choice":
      return (
        <Select
          {...frame}
          data={parameter.choices.map(String)}
          value={value === null ? null : String(value)}
          clearable={parameter.optional}
          allowDeselect={parameter.optional}
          onChange={(chosen) => {
            onSet((parameter.choices.find((c) => String(c) === chosen) ?? null) as Json);
          }}
        />
      );
    case "int":
    case "float":
      return (
        <NumberInput
          {...frame}
          // What is not yet a number, such as "0.", is a text while it is typed.
          value={typeof value === "number" || typeof value === "string" ? value : ""}
          allowDecimal={parameter.control === "float"}
          {...(parameter.minimum === null ? {} : { min: parameter.minimum })}
          {...(parameter.maximum === null ? {} : { max: parameter.maximum })}
          clampBehavior="none"
          step={parameter.control === "int" ? 1 : 0.1}
          decimalScale={12}
          onChange={(given) => {
            onSet(given === "" ? null : given, true);
          }}
        />
      );
    case "column":
      return (
        <Autocomplete
          {...frame}
          data={(columns ?? []).map((c) => c.name)}
          placeholder={columns ? text.chooseColumn : text.columnsUnknown}
          value={typeof value === "string" ? value : ""}
          onChange={(given) => {
            onSet(given, true);
          }}
        />
      );
    case "code":
      return (
        <Input.Wrapper {...frame}>
          <Suspense fallback={null}>
            <CodeControl
              label={parameter.title}
              language={parameter.language ?? ""}
              value={typeof value === "string" ? value : ""}
              onChange={(given) => {
                onSet(given, true);
              }}
            />
          </Suspense>
        </Input.Wrapper>
      );
    case "text":
      return (
        <Textarea
          {...frame}
          autosize
          minRows={4}
          maxRows={16}
          value={typeof value === "string" ? value : ""}
          onChange={(event) => {
            onSet(event.currentTarget.value, true);
          }}
        />
      );
    case "string":
    case "names":
      return (
        <TextInput
          {...frame}
          value={typeof value === "string" ? value : ""}
          onChange={(event) => {
            onSet(event.currentTarget.value, true);
          }}
        />
      );
    default:
      return <JsonControl {...props} />;
  }
}
