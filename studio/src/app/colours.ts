/** Colours in which words can be read: 4.5 to 1 against the ground they stand on, in both schemes. */

import { type CSSVariablesResolver, darken, luminance, type MantineTheme } from "@mantine/core";

const LEAST = 4.5;
const STEP = 0.03;
const WHITE = "#ffffff";

/** The grey behind the canvas and panels, on which coloured words stand too. */
const PAPER = "#f4f5f8";

/** How far the lightness of two colours lies apart, from 1 to 21. */
export function contrast(left: string, right: string): number {
  const [low = 0, high = 0] = [luminance(left), luminance(right)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** The colour, as much darker as it must be to be told from another one. */
function apart(colour: string, other: string): string {
  let found = colour;
  for (let part = STEP; contrast(found, other) < LEAST && part < 1; part += STEP) {
    found = darken(colour, part);
  }
  return found;
}

type Shades = readonly string[];

function light(name: string, shades: Shades, primary: number): Record<string, string> {
  const shade = (place: number) => shades[Math.min(place, shades.length - 1)] ?? WHITE;
  const variable = `--mantine-color-${name}`;
  const filled = apart(shade(primary), WHITE);
  const words = apart(shade(primary), PAPER);
  return {
    [`${variable}-filled`]: filled,
    [`${variable}-filled-hover`]: apart(shade(primary + 1), WHITE),
    [`${variable}-text`]: words,
    [`${variable}-outline`]: words,
    // A light button darkens under the pointer.
    [`${variable}-light-color`]: apart(shade(9), shade(2)),
  };
}

function dark(name: string, shades: Shades, primary: number): Record<string, string> {
  const shade = (place: number) => shades[Math.min(place, shades.length - 1)] ?? WHITE;
  const variable = `--mantine-color-${name}`;
  return {
    [`${variable}-filled`]: apart(shade(primary), WHITE),
    [`${variable}-filled-hover`]: apart(shade(primary + 1), WHITE),
  };
}

function shadeOf(theme: MantineTheme, scheme: "light" | "dark"): number {
  const { primaryShade } = theme;
  return typeof primaryShade === "number" ? primaryShade : primaryShade[scheme];
}

export const readableColours: CSSVariablesResolver = (theme) => {
  const found = { variables: {}, light: {}, dark: {} };
  for (const [name, shades] of Object.entries(theme.colors)) {
    if (name === "dark") continue;
    Object.assign(found.light, light(name, shades, shadeOf(theme, "light")));
    Object.assign(found.dark, dark(name, shades, shadeOf(theme, "dark")));
  }
  Object.assign(found.light, { "--mantine-color-error": "var(--mantine-color-red-text)" });
  Object.assign(found.dark, { "--mantine-color-error": "var(--mantine-color-red-text)" });
  return found;
};
