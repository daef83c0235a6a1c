/** Rows of a request, from a form's fields and from a CSV file. */

import type { Schemas } from "../api/client";

export type Row = Readonly<Record<string, unknown>>;
type Column = Schemas["RequestColumn"];

/** What a field's text stands for in a request; an empty one is a missing value. */
export function valueOf(typed: string, type: string): unknown {
  if (typed.trim() === "") return null;
  if (type === "Integer" || type === "Double") {
    const number = Number(typed);
    return Number.isFinite(number) ? number : typed;
  }
  if (type === "Boolean") {
    const word = typed.trim().toLowerCase();
    if (word === "true" || word === "false") return word === "true";
  }
  return typed;
}

/** A value as a field shows it. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number);
}

/** The records of a CSV text: commas, quotes doubled within quotes, any line ends. */
export function records(text: string): string[][] {
  const found: string[][] = [];
  let record: string[] = [];
  let cell = "";
  let quoted = false;
  const end = () => {
    record.push(cell);
    cell = "";
  };
  const line = () => {
    end();
    if (record.length > 1 || record[0] !== "") found.push(record);
    record = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? "";
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === ",") end();
    else if (sign === "\n") line();
    else if (sign !== "\r") cell += sign;
  }
  line();
  return found;
}

/** The rows of a CSV text whose first record names the columns. */
export function rowsOfCsv(text: string, columns: readonly Column[]): Row[] {
  const [names = [], ...rest] = records(text.replace(/^\uFEFF/, ""));
  const types = new Map(columns.map((column) => [column.name, column.type]));
  return rest.map((cells) =>
    Object.fromEntries(
      names.map((name, place) => [name, valueOf(cells[place] ?? "", types.get(name) ?? "String")]),
    ),
  );
}
