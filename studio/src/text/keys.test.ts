import { describe, expect, it } from "vitest";

const SOURCES = import.meta.glob<string>(["./*.ts", "!./*.test.ts", "!./useText.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** The keys that a file itself gives its texts: those that stand one step in. */
function keysOf(source: string): string[] {
  return [...source.matchAll(/^ {2}(?:"([^"]+)"|(\w+))(?:: |:$|\()/gm)].map(
    ([, quoted, plain]) => quoted ?? plain ?? "",
  );
}

describe.each(["en", "fr"])("the texts in %s", (language) => {
  const files = Object.entries(SOURCES).filter(([file]) => file.startsWith(`./${language}.`));

  it("have each key in one file, so that none overwrites another", () => {
    const homes = new Map<string, string[]>();
    for (const [file, source] of files) {
      for (const key of keysOf(source)) homes.set(key, [...(homes.get(key) ?? []), file]);
    }
    expect(homes.size).toBeGreaterThan(400);
    expect([...homes].filter(([, places]) => places.length > 1)).toEqual([]);
  });
});
