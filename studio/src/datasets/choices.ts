/** How a file is read, as far as the user has chosen; the rest is guessed by the server. */

import type { Schemas } from "../api/client";

export type Choices = Partial<Schemas["ReadOptions"]>;
export type ColumnType = Schemas["ColumnType"];

/** What fields read that are missing, unless chosen. */
export const MISSING = ["", "?", "NA", "N/A", "null", "NULL", "NaN", "nan"] as const;

export const ENCODINGS = [
  "utf-8",
  "windows-1252",
  "iso-8859-15",
  "windows-1251",
  "shift_jis",
  "gb18030",
  "utf-16",
] as const;

export const TYPES: readonly ColumnType[] = ["String", "Integer", "Double", "Boolean", "DateTime"];
