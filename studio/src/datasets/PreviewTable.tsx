import { NativeSelect } from "@mantine/core";
import type { Schemas } from "../api/client";
import { useText } from "../text/useText";
import { type ColumnType, TYPES } from "./choices";
import classes from "./datasets.module.css";

interface Props {
  readonly preview: Schemas["Preview"];
  readonly types: Readonly<Record<string, ColumnType>>;
  onType(column: string, type: ColumnType): void;
}

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (value !== null && typeof value === "object" && "isNan" in value) return "NaN";
  return JSON.stringify(value);
}

/** The first rows as they would be read; the type of a column is chosen in its head. */
export function PreviewTable({ preview, types, onType }: Props) {
  const text = useText();
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolled region must be reachable by keyboard
    <div className={classes.preview} role="region" aria-label={text.importTypes} tabIndex={0}>
      <table aria-label={text.importTypes}>
        <thead>
          <tr>
            {preview.columns.map((column) => (
              <th key={column.name} scope="col">
                {column.name}
                <NativeSelect
                  size="xs"
                  mt={2}
                  variant="filled"
                  aria-label={text.importTypeOf(column.name)}
                  data={[...new Set([...TYPES, column.type])]}
                  value={types[column.name] ?? column.type}
                  onChange={(event) => {
                    onType(column.name, event.currentTarget.value as ColumnType);
                  }}
                />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {preview.rows.map((row, place) => (
            <tr key={place}>
              {row.map((value, index) => (
                <td
                  key={preview.columns[index]?.name ?? index}
                  data-numeric={
                    ["Integer", "Double"].includes(preview.columns[index]?.type ?? "") || undefined
                  }
                >
                  {value === null ? (
                    <span className={classes.empty}>{text.none}</span>
                  ) : (
                    shown(value)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
