import type { Schemas } from "../api/client";

/** What was measured of a group, and how far that is from all rows of its dataset. */
export interface Measured {
  readonly value: number | null;
  /** The value less that of all rows. */
  readonly difference: number | null;
  /** The difference as a share of the largest one of its metric, positive where it is for the better. */
  readonly lead: number;
}

export interface GroupLine {
  readonly name: string;
  readonly series: string;
  readonly rows: number;
  readonly figures: readonly Measured[];
}

/** By what lines are sorted: a number is the place of a metric. */
export interface Order {
  readonly by: "name" | "rows" | number;
  readonly descending: boolean;
}

/** The most groups that a chart has bars for. */
export const MOST_BARS = 30;

/** The groups of each dataset beside its rows as a whole. names: of the datasets, by port. */
export function groupLines(
  { metrics, losses, whole, groups }: Schemas["Groups"],
  names: Readonly<Record<string, string>>,
): { readonly whole: readonly GroupLine[]; readonly groups: readonly GroupLine[] } {
  const differences = groups.map((group) => {
    const all = whole.find((one) => one.port === group.port);
    return metrics.map((_, place) => less(group.values[place], all?.values[place]));
  });
  const largest = metrics.map((_, place) =>
    Math.max(...differences.map((row) => Math.abs(row[place] ?? 0))),
  );
  const line = (one: Schemas["GroupFigures"], off: readonly (number | null)[]): GroupLine => ({
    name: one.name,
    series: names[one.port] ?? one.port,
    rows: one.rows,
    figures: metrics.map((metric, place) => {
      const difference = off[place] ?? null;
      const better = losses.includes(metric) ? -1 : 1;
      const lead = difference ? (better * difference) / (largest[place] ?? 1) : 0;
      return { value: one.values[place] ?? null, difference, lead };
    }),
  });
  return {
    whole: whole.map((one) => line(one, [])),
    groups: groups.map((one, at) => line(one, differences[at] ?? [])),
  };
}

function less(value: number | null | undefined, whole: number | null | undefined): number | null {
  return typeof value === "number" && typeof whole === "number" ? value - whole : null;
}

/** The lines in an order; what was not measured comes last either way. */
export function ordered(lines: readonly GroupLine[], order: Order): readonly GroupLine[] {
  const sign = order.descending ? -1 : 1;
  const { by } = order;
  if (by === "name") {
    const compare = new Intl.Collator(undefined, { numeric: true }).compare;
    return lines.toSorted((a, b) => sign * compare(a.name, b.name));
  }
  const figure = (line: GroupLine) =>
    by === "rows" ? line.rows : (line.figures[by]?.value ?? null);
  return lines.toSorted((a, b) => {
    const [left, right] = [figure(a), figure(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * (left - right);
  });
}

/** The order after the head of a column was chosen: names from A on, figures from the largest on. */
export function turned(order: Order, by: Order["by"]): Order {
  return { by, descending: order.by === by ? !order.descending : by !== "name" };
}

/** A bar for each group, in the order of the lines, and a line where all rows are. */
export function groupBars(
  lines: readonly GroupLine[],
  whole: readonly GroupLine[],
  place: number,
  title: string,
): object {
  const shown = [...new Set(lines.map((line) => line.name))].slice(0, MOST_BARS);
  const of = (one: readonly GroupLine[]) =>
    one.flatMap(({ name, series, figures }) => {
      const value = figures[place]?.value ?? null;
      return value === null ? [] : [{ name, series, value }];
    });
  const several = whole.length > 1;
  const colour = {
    field: "series",
    type: "nominal",
    scale: { domain: whole.map((line) => line.series) },
    ...(several ? {} : { legend: null }),
  };
  const x = { field: "value", type: "quantitative", title };
  return {
    height: { step: several ? 11 : 18 },
    layer: [
      {
        data: { values: of(lines).filter(({ name }) => shown.includes(name)) },
        mark: { type: "bar" },
        encoding: {
          x,
          y: {
            field: "name",
            type: "nominal",
            sort: shown,
            title: null,
            axis: { labelLimit: 140 },
            scale: { domain: shown },
          },
          ...(several
            ? { yOffset: { field: "series", scale: { domain: whole.map((w) => w.series) } } }
            : {}),
          color: colour,
        },
      },
      {
        data: { values: of(whole) },
        mark: { type: "rule", strokeDash: [4, 4], strokeWidth: 1.5 },
        encoding: { x, ...(several ? { color: colour } : { color: { value: "#8a909b" } }) },
      },
    ],
  };
}
