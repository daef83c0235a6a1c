import { Select } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { readable } from "./values";
import classes from "./look.module.css";

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

const BIAS = "Bias";

// Of all that was learnt, what moves the predictions is asked for first.
const FIRST = ["weights", "importance"];

function rank([key]: readonly [string, unknown]): number {
  const place = FIRST.indexOf(key);
  return place < 0 ? FIRST.length : place;
}

function cell(value: unknown): string {
  return Array.isArray(value) ? value.map(readable).join(", ") : readable(value);
}

/** Whether a thing has a table of its own, such as a class with the weights of its features. */
function holdsTable(fields: Fields): boolean {
  return Object.values(fields).some((v) => Array.isArray(v) && v.length > 0 && v.every(isFields));
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}

/** What was learnt, whatever its form: lists of like things as tables, figures by name as lists. */
export function Learnt({ value, name }: { readonly value: unknown; readonly name: string }) {
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every(isFields)) {
      const Many = value.some(holdsTable) ? OneOf : Lines;
      return <Many lines={value} name={name} />;
    }
    return (
      <Named name={name}>
        <span>{value.map(readable).join(", ") || "–"}</span>
      </Named>
    );
  }
  if (!isFields(value)) {
    return (
      <Named name={name}>
        <span>{readable(value)}</span>
      </Named>
    );
  }
  const entries = Object.entries(value).sort((a, b) => rank(a) - rank(b));
  const inner = entries.filter(([, v]) => typeof v === "object" && v !== null);
  if (
    entries.length > 0 &&
    inner.length === entries.length &&
    entries.every(([, v]) => isFields(v))
  ) {
    return (
      <Lines
        name={name}
        lines={entries.map(([key, fields]) => ({ "": key, ...(fields as Fields) }))}
      />
    );
  }
  const plain = entries.filter(([, v]) => typeof v !== "object" || v === null);
  return (
    <div className={classes.learnt}>
      {plain.length > 0 && (
        <dl className={classes.figures} aria-label={words(name)}>
          {plain.map(([key, v]) => (
            <div key={key}>
              <dt>{words(key)}</dt>
              <dd>{readable(v)}</dd>
            </div>
          ))}
        </dl>
      )}
      {inner.map(([key, v]) => (
        <Learnt key={key} name={key} value={v} />
      ))}
    </div>
  );
}

function Named({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <div className={classes.caption}>{words(name)}</div>
      {children}
    </div>
  );
}

/** Things with tables of their own, of which one is looked at; the first text or number names each. */
function OneOf({ lines, name }: { readonly lines: readonly Fields[]; readonly name: string }) {
  const [chosen, setChosen] = useState(0);
  const key = Object.keys(lines[0] ?? {}).find((k) => typeof lines[0]?.[k] !== "object") ?? "";
  const rest = Object.entries(lines[chosen] ?? {}).filter(([k]) => k !== key);
  return (
    <div className={classes.learnt}>
      <Select
        label={`${words(name)} (${String(lines.length)})`}
        classNames={{ label: classes.caption }}
        size="xs"
        maw={320}
        searchable
        allowDeselect={false}
        data={lines.map((line, place) => ({
          value: String(place),
          label: key ? cell(line[key]) : String(place + 1),
        }))}
        value={String(chosen)}
        onChange={(value) => setChosen(Number(value))}
      />
      <Learnt value={Object.fromEntries(rest)} name={name} />
    </div>
  );
}

/** A table of like things; the numbers in whose order they stand, or else the last, are drawn as bars too. */
function Lines({ lines, name }: { readonly lines: readonly Fields[]; readonly name: string }) {
  const keys = [...new Set(lines.flatMap((line) => Object.keys(line)))];
  const numeric = keys.filter((c) => lines.every((line) => typeof line[c] === "number"));
  const columns = [...keys.filter((key) => !numeric.includes(key)), ...numeric];
  const size = (line: Fields | undefined, key: string) => Math.abs((line?.[key] ?? 0) as number);
  const ordered = numeric.find((key) =>
    lines.every((line, place) => place === 0 || size(line, key) <= size(lines[place - 1], key)),
  );
  const drawn = ordered ?? numeric.at(-1);
  // The weight of no feature, often larger than all others, would leave nothing to see of them.
  const sizes = lines.map((line) =>
    drawn === undefined || line.feature === BIAS ? 0 : size(line, drawn),
  );
  const most = Math.max(...sizes, 0);
  return (
    <table className={classes.lines}>
      <caption>{words(name)}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col" data-numeric={numeric.includes(column) || undefined}>
              {words(column)}
            </th>
          ))}
          {most > 0 && <td />}
        </tr>
      </thead>
      <tbody>
        {lines.map((line, place) => (
          <tr key={place}>
            {columns.map((column) => (
              <td key={column} data-numeric={numeric.includes(column) || undefined}>
                {cell(line[column])}
              </td>
            ))}
            {most > 0 && drawn !== undefined && (
              <td>
                <svg width={120} height={10} aria-hidden>
                  <rect
                    className={(line[drawn] as number) < 0 ? classes.negative : classes.positive}
                    width={(120 * (sizes[place] ?? 0)) / most}
                    height={10}
                    rx={2}
                  />
                </svg>
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
