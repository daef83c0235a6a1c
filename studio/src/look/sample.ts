/** Which rows of a long table stand for all of it. */

export const MOST_POINTS = 3000;
const PIECES = 12;

/** Places and lengths of pieces spread evenly over a table, together at most MOST_POINTS rows. */
export function pieces(total: number): readonly { offset: number; limit: number }[] {
  if (total <= MOST_POINTS) return total > 0 ? [{ offset: 0, limit: total }] : [];
  const limit = MOST_POINTS / PIECES;
  return Array.from({ length: PIECES }, (_, place) => ({
    offset: Math.round((place * (total - limit)) / (PIECES - 1)),
    limit,
  }));
}
