/** Keeps the object of a drawn node while nothing in it changes, so that React draws only what does. */

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/** Whether two values hold the same, looking into objects and lists. */
export function alike(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (!isFields(left) || !isFields(right) || Array.isArray(left) !== Array.isArray(right)) {
    return false;
  }
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => key in right && alike(left[key], right[key]))
  );
}

export class Steady<T extends { readonly id: string }> {
  private kept: ReadonlyMap<string, T> = new Map();
  private list: readonly T[] = [];

  /** The same things, as the objects they were handed out as before where they are alike. */
  keep(things: readonly T[]): T[] {
    const list = things.map((thing) => {
      const before = this.kept.get(thing.id);
      return before && alike(before, thing) ? before : thing;
    });
    const same = list.length === this.list.length && list.every((t, i) => t === this.list[i]);
    if (!same) {
      this.kept = new Map(list.map((thing) => [thing.id, thing]));
      this.list = list;
    }
    return this.list as T[];
  }
}
