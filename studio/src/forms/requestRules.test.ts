import { expect, test } from "vitest";
import { ruleOf, withRule } from "./requestRules";

test("a column without a rule is required", () => {
  expect(ruleOf([], "make")).toEqual({ name: "make", use: "required" });
});

test("a rule takes the place of the former one, and required needs none", () => {
  const optional = withRule([], { name: "make", use: "optional", default: "audi" });
  expect(withRule(optional, { name: "make", use: "ignored" })).toEqual([
    { name: "make", use: "ignored" },
  ]);
  expect(withRule(optional, { name: "make", use: "required" })).toEqual([]);
});
