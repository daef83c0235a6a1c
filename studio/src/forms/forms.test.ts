import { describe, expect, it } from "vitest";
import type { Column, Parameter } from "../api/client";
import { chosen, readSelection, writeSelection } from "./columnSelection";
import { visible } from "./visible";

const column = (name: string, type: Column["type"], role: Column["role"] = "feature"): Column => ({
  name,
  type,
  role,
  categorical: false,
  score: null,
});
const CARS = [
  column("make", "String"),
  column("width", "Double"),
  column("doors", "Integer"),
  column("price", "Double", "label"),
];

describe("column selections", () => {
  it("read their short forms and write them back as short", () => {
    for (const short of ["all", "none", ["make", "price"]]) {
      expect(writeSelection(readSelection(short))).toEqual(short);
    }
  });

  it("choose by rules in order, in the order of the table", () => {
    const choose = (value: Parameters<typeof readSelection>[0]) =>
      chosen(readSelection(value), CARS);
    expect(choose(["price", "make"])).toEqual(["make", "price"]);
    expect(choose({ begin: "all", rules: [{ rule: "exclude", names: ["make"] }] })).toEqual([
      "width",
      "doors",
      "price",
    ]);
    expect(
      choose({ rules: [{ types: ["Numeric"] }, { rule: "exclude", roles: ["Labels"] }] }),
    ).toEqual(["width", "doors"]);
    expect(choose({ rules: [{ positions: "1, 3-4" }] })).toEqual(["make", "doors", "price"]);
    expect(choose({ rules: [{ pattern: "^d" }] })).toEqual(["doors"]);
    expect(choose({ rules: [{ pattern: "(" }] })).toEqual([]);
  });
});

describe("visibility", () => {
  const line = (name: string, fallback: unknown, when: Record<string, unknown[]> | null = null) =>
    ({ name, default: fallback, visible_when: when }) as Parameter;
  const form = [
    line("mode", "Rows"),
    line("seed", 0, { mode: ["Rows"], random: [true] }),
    line("random", true),
    line("pattern", "", { mode: ["Pattern"] }),
  ];
  const names = (values: Record<string, string | boolean>) =>
    visible(form, values).map((p) => p.name);

  it("follows defaults and what is set", () => {
    expect(names({})).toEqual(["mode", "seed", "random"]);
    expect(names({ random: false })).toEqual(["mode", "random"]);
    expect(names({ mode: "Pattern" })).toEqual(["mode", "random", "pattern"]);
  });

  it("asks for one of several conditions", () => {
    const either = {
      ...line("share", 0.5, { mode: ["Rows"], random: [false] }),
      or_visible_when: [{ mode: ["Pattern"] }],
    };
    const shown = (values: Record<string, string | boolean>) =>
      visible([...form, either], values).includes(either);
    expect([
      shown({}),
      shown({ random: false }),
      shown({ mode: "Pattern" }),
      shown({ mode: "Head", random: false }),
    ]).toEqual([false, true, true, false]);
  });
});
