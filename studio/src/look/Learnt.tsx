import type { ReactNode } from "react";
import { readable } from "./values";
import classes from "./look.module.css";

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

// Of all that was learnt, what moves the predictions is asked for first.
const FIRST = ["weights", "importance"];

function rank([key]: readonly [string, unknown]): number {
  const place = FIRST.indexOf(key);
  return place < 0 ? FIRST.length : place;
}

function cell(value: unknown): string {
  return Array.isArray(value) ? value.map(readable).join(", ") : readable(value);
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}

/** What was learnt, whatever its form: lists of like things as tables, figures by name as lists. */
export function Learnt({ value, name }: { readonly value: unknown; readonly name: string }) {
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every(isFields)) return <Lines lines={value} name={name} />;
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

/** A table of like things; the last column of numbers is drawn as bars too. */
function Lines({ lines, name }: { readonly lines: readonly Fields[]; readonly name: string }) {
  const keys = [...new Set(lines.flatMap((line) => Object.keys(line)))];
  const numeric = keys.filter((c) => lines.every((line) => typeof line[c] === "number"));
  const columns = [...keys.filter((key) => !numeric.includes(key)), ...numeric];
  const drawn = numeric.at(-1);
  const sizes = drawn === undefined ? [] : lines.map((line) => Math.abs(line[drawn] as number));
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
                    width={Math.max((120 * (sizes[place] ?? 0)) / most, 0.5)}
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
