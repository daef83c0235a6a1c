import {
  Checkbox,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  TagsInput,
  Text,
} from "@mantine/core";
import type { Schemas } from "../api/client";
import { useText } from "../text/useText";
import { type Choices, ENCODINGS } from "./choices";

interface Props {
  readonly options: Schemas["ReadOptions"];
  onChoose(choices: Choices): void;
}

/** The choices of reading a file; those that its format has not are left out. */
export function ParseOptions({ options, onChoose }: Props) {
  const text = useText();
  const delimited = options.format == null || options.format === "csv" || options.format === "tsv";
  if (options.format === "parquet" || options.format === "arrow") return <div />;
  const separator = options.separator ?? ",";
  const separators: Readonly<Record<string, string>> = text.importSeparators;
  const encoding = options.encoding ?? "utf-8";
  return (
    <Stack gap="sm">
      {delimited && (
        <>
          <Select
            size="xs"
            label={text.importSeparator}
            allowDeselect={false}
            data={[
              ...Object.entries(separators).map(([value, label]) => ({ value, label })),
              ...(separator in separators ? [] : [{ value: separator, label: separator }]),
            ]}
            value={separator}
            onChange={(value) => {
              if (value) onChoose({ separator: value });
            }}
          />
          <Checkbox
            size="xs"
            label={text.importHeader}
            checked={options.header}
            onChange={(event) => {
              onChoose({ header: event.currentTarget.checked });
            }}
          />
        </>
      )}
      <Select
        size="xs"
        label={text.importEncoding}
        allowDeselect={false}
        data={[...new Set([encoding, ...ENCODINGS])]}
        value={encoding}
        onChange={(value) => {
          if (value) onChoose({ encoding: value });
        }}
      />
      {delimited && (
        <>
          <TagsInput
            size="xs"
            label={text.importMissing}
            description={text.importMissingHint}
            value={options.missing.filter((mark) => mark !== "")}
            onChange={(marks) => {
              onChoose({ missing: ["", ...marks] });
            }}
          />
          <div role="group" aria-label={text.importDecimal}>
            <Text size="xs" fw={500} mb={2}>
              {text.importDecimal}
            </Text>
            <SegmentedControl
              size="xs"
              fullWidth
              data={[
                { value: ".", label: text.importPoint },
                { value: ",", label: text.importComma },
              ]}
              value={options.decimal}
              onChange={(value) => {
                onChoose({ decimal: value as "." | "," });
              }}
            />
          </div>
          <Select
            size="xs"
            label={text.importRagged}
            allowDeselect={false}
            data={Object.entries(text.importRaggedWays).map(([value, label]) => ({ value, label }))}
            value={options.ragged}
            onChange={(value) => {
              if (value) onChoose({ ragged: value as "error" | "pad" | "skip" });
            }}
          />
          <NumberInput
            size="xs"
            label={text.importSkip}
            min={0}
            allowDecimal={false}
            value={options.skip_rows}
            onChange={(value) => {
              if (typeof value === "number") onChoose({ skip_rows: value });
            }}
          />
          <Checkbox
            size="xs"
            label={text.importTrim}
            checked={options.trim}
            onChange={(event) => {
              onChoose({ trim: event.currentTarget.checked });
            }}
          />
        </>
      )}
    </Stack>
  );
}
