/** Which rows of a long table are in view; all rows are equally high. */

/** No browser lays out an element that is much taller. */
export const TALLEST = 15_000_000;

/** Rows above and below those in view that are drawn too. */
const MORE = 12;

export interface View {
  /** How tall what is scrolled is. */
  readonly height: number;
  /** The first and the last row to be drawn; last is below first when there are none. */
  readonly first: number;
  readonly last: number;
  /** Where the first row to be drawn stands. */
  readonly top: number;
}

/**
 * scrolled: how far down it is.  shown: the height that can be seen.  A table too tall for the browser
 * is scrolled faster than its rows go by.
 */
export function rowsInView(given: {
  readonly count: number;
  readonly row: number;
  readonly scrolled: number;
  readonly shown: number;
}): View {
  const { count, row, scrolled, shown } = given;
  const whole = count * row;
  const height = Math.min(whole, TALLEST);
  const way = height - shown;
  const part = way > 0 ? Math.min(Math.max(scrolled / way, 0), 1) : 0;
  // Where the rows stand, were they as tall as they would have to be.
  const place = height === whole ? Math.max(scrolled, 0) : part * (whole - shown);
  const first = Math.max(Math.floor(place / row) - MORE, 0);
  const last = Math.min(Math.ceil((place + shown) / row) + MORE, count) - 1;
  return { height, first, last, top: first * row - place + Math.max(scrolled, 0) };
}
