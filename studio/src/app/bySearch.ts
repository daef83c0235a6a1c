/** Things by what was typed: those whose title begins with it come first. */

interface Sought {
  readonly title: string;
  readonly kind: string;
}

export function bySearch<T extends Sought>(things: readonly T[], search: string): readonly T[] {
  const wish = search.trim().toLowerCase();
  const words = wish.split(/\s+/).filter(Boolean);
  if (words.length === 0) return things;
  const rank = ({ title, kind }: Sought): number => {
    const name = title.toLowerCase();
    if (name.startsWith(wish)) return 0;
    if (words.every((word) => name.includes(word))) return 1;
    return words.every((word) => `${kind} ${title}`.toLowerCase().includes(word)) ? 2 : 3;
  };
  return things
    .map((thing) => ({ thing, rank: rank(thing) }))
    .filter((one) => one.rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .map((one) => one.thing);
}
