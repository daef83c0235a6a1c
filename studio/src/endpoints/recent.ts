/** A list with more at its end, and at most so many: the oldest go. */
export function recent<T>(before: readonly T[], more: readonly T[], most: number): readonly T[] {
  const all = [...before, ...more];
  return all.length > most ? all.slice(all.length - most) : all;
}
