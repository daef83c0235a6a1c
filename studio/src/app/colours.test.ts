import { DEFAULT_THEME, darken } from "@mantine/core";
import { describe, expect, it } from "vitest";
import { contrast, readableColours } from "./colours";

const THEME = { ...DEFAULT_THEME, primaryShade: { light: 7, dark: 8 } } as const;
const USED = ["red", "orange", "yellow", "green", "teal", "blue", "indigo", "gray"] as const;
const { light, dark } = readableColours(THEME);

const told = (variables: Record<string, string>, name: string) => {
  const value = variables[`--mantine-color-${name}`];
  if (value === undefined) throw new Error(`no variable for ${name}`);
  return value;
};

describe.each(USED)("words in %s can be read", (colour) => {
  const shades = THEME.colors[colour];

  it("on light and filled buttons, pointed at or not, in the light scheme", () => {
    const words = told(light, `${colour}-light-color`);
    expect(contrast(words, shades[1])).toBeGreaterThanOrEqual(4.5);
    expect(contrast(words, shades[2])).toBeGreaterThanOrEqual(4.5);
    expect(contrast("#fff", told(light, `${colour}-filled`))).toBeGreaterThanOrEqual(4.5);
    expect(contrast("#fff", told(light, `${colour}-filled-hover`))).toBeGreaterThanOrEqual(4.5);
  });

  it("on light and filled buttons, pointed at or not, in the dark scheme", () => {
    // The grounds that the library gives to light buttons there, and the words on them.
    expect(contrast(shades[0], darken(shades[9], 0.5))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(shades[0], darken(shades[9], 0.3))).toBeGreaterThanOrEqual(4.5);
    expect(contrast("#fff", told(dark, `${colour}-filled`))).toBeGreaterThanOrEqual(4.5);
    expect(contrast("#fff", told(dark, `${colour}-filled-hover`))).toBeGreaterThanOrEqual(4.5);
  });

  it("on plain paper", () => {
    expect(contrast(told(light, `${colour}-text`), "#f4f5f8")).toBeGreaterThanOrEqual(4.5);
    expect(contrast(told(light, `${colour}-outline`), "#f4f5f8")).toBeGreaterThanOrEqual(4.5);
    expect(contrast(shades[4], "#2e2e2e")).toBeGreaterThanOrEqual(4.5);
  });
});
