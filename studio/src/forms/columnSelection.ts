/** Column selections as they stand in a file, and the columns they choose. */

import type { Column } from "../api/client";
import type { Json } from "../draft/graph";

export interface Rule {
  readonly rule: "include" | "exclude";
  readonly names?: readonly string[];
  readonly positions?: string;
  readonly types?: readonly string[];
  readonly roles?: readonly string[];
  readonly pattern?: string;
  readonly all?: true;
}

export interface Selection {
  readonly begin: "all" | "none";
  readonly rules: readonly Rule[];
  readonly keep_order: boolean;
}

export const TYPES = [
  "Numeric",
  "String",
  "Integer",
  "Double",
  "Boolean",
  "DateTime",
  "Categorical",
];
export const ROLES = ["Features", "Labels", "Scores", "Weights"];
const ROLE_OF: Readonly<Record<string, string>> = {
  Features: "feature",
  Labels: "label",
  Scores: "score",
  Weights: "weight",
};

/** Reads the short forms too: "all", "none", and a list of names. */
export function readSelection(value: Json): Selection {
  if (value === "all" || value === "none") return { begin: value, rules: [], keep_order: false };
  if (Array.isArray(value)) {
    const names = value.map(String);
    const rules: Rule[] = names.length > 0 ? [{ rule: "include", names }] : [];
    return { begin: "none", rules, keep_order: false };
  }
  const given = (value ?? {}) as Partial<Record<keyof Selection, unknown>>;
  const rules = (Array.isArray(given.rules) ? given.rules : []) as Rule[];
  return {
    begin: given.begin === "all" ? "all" : "none",
    rules: rules.map((r) =>
      withoutNulls({ ...r, rule: r.rule === "exclude" ? "exclude" : "include" }),
    ),
    keep_order: given.keep_order === true,
  };
}

function withoutNulls(rule: Rule): Rule {
  return Object.fromEntries(Object.entries(rule).filter(([, v]) => v !== null)) as unknown as Rule;
}

/** The form for the file: as short as it can be said. */
export function writeSelection(selection: Selection): Json {
  const [first, ...others] = selection.rules;
  if (!first) return selection.begin;
  if (
    selection.begin === "none" &&
    others.length === 0 &&
    first.rule === "include" &&
    first.names &&
    !selection.keep_order
  ) {
    return [...first.names];
  }
  const out: Record<string, Json> = {
    begin: selection.begin,
    rules: selection.rules as unknown as Json,
  };
  if (selection.keep_order) out.keep_order = true;
  return out;
}

function positionsIn(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [first, last] = part.split("-").map((n) => Number(n.trim()));
    if (first === undefined || Number.isNaN(first)) return [];
    const end = last === undefined || Number.isNaN(last) ? first : last;
    return Array.from({ length: Math.max(0, end - first + 1) }, (_, i) => first + i);
  });
}

function matches(rule: Rule, columns: readonly Column[]): string[] {
  if (rule.names) return [...rule.names];
  if (rule.positions !== undefined) {
    return positionsIn(rule.positions).flatMap((p) => columns[p - 1]?.name ?? []);
  }
  return columns
    .filter((c) => {
      if (rule.all) return true;
      if (rule.pattern !== undefined) {
        try {
          return new RegExp(rule.pattern).test(c.name);
        } catch {
          return false;
        }
      }
      if (rule.types) {
        return rule.types.some(
          (t) =>
            t === c.type ||
            (t === "Numeric" && (c.type === "Integer" || c.type === "Double")) ||
            (t === "Categorical" && c.categorical),
        );
      }
      return (rule.roles ?? []).some((r) => ROLE_OF[r] === c.role);
    })
    .map((c) => c.name);
}

/** The chosen columns, in the table's order. */
export function chosen(selection: Selection, columns: readonly Column[]): string[] {
  const found = new Set(selection.begin === "all" ? columns.map((c) => c.name) : []);
  for (const rule of selection.rules) {
    for (const name of matches(rule, columns)) {
      if (rule.rule === "include") found.add(name);
      else found.delete(name);
    }
  }
  return columns.map((c) => c.name).filter((name) => found.has(name));
}
