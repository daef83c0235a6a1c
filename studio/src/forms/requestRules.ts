/** Rules of a Web Service Input, as its parameter holds them. */

import type { Json } from "../draft/graph";

export type Use = "required" | "optional" | "ignored";

export interface RequestRule {
  readonly name: string;
  readonly use: Use;
  readonly default?: Json;
}

/** The rule for a column; one without a rule is required. */
export function ruleOf(rules: readonly RequestRule[], name: string): RequestRule {
  return rules.find((rule) => rule.name === name) ?? { name, use: "required" };
}

/** The rules with one in place of the column's former one; a required column needs none. */
export function withRule(rules: readonly RequestRule[], rule: RequestRule): RequestRule[] {
  const others = rules.filter((other) => other.name !== rule.name);
  return rule.use === "required" ? others : [...others, rule];
}
