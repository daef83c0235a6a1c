/** The plots of an evaluation, as Vega-Lite has them, one series for each set of scored rows. */

export interface TwoClassPlots {
  readonly task: "two-class";
  readonly positive: unknown;
  readonly negative: unknown;
  readonly roc: Curve<"false_positive_rate" | "true_positive_rate">;
  readonly precision_recall: Curve<"recall" | "precision">;
  readonly lift: Curve<"share_of_rows" | "share_of_positives" | "lift">;
  readonly thresholds: readonly Threshold[];
}

export interface MulticlassPlots {
  readonly task: "multiclass";
  readonly confusion: { readonly classes: readonly unknown[]; readonly counts: number[][] };
  readonly classes: readonly {
    readonly class: unknown;
    readonly rows: number;
    readonly precision: number | null;
    readonly recall: number | null;
    readonly f1_score: number | null;
  }[];
}

export interface RegressionPlots {
  readonly task: "regression";
  readonly residuals: { readonly edges: number[]; readonly counts: number[] };
  readonly predicted_actual: Curve<"actual" | "predicted">;
}

export interface QuantilePlots {
  readonly task: "quantile-regression";
  readonly coverage: readonly { readonly quantile: number; readonly share_below: number }[];
}

/** A row for each cluster, and a last one of all; values by the titles of their columns. */
export interface ClusterPlots {
  readonly task: "clustering";
  readonly clusters: readonly Readonly<Record<string, string | number | null>>[];
}

export type Plots =
  TwoClassPlots | MulticlassPlots | RegressionPlots | QuantilePlots | ClusterPlots;

export interface Threshold {
  readonly threshold: number;
  readonly true_positives: number;
  readonly false_positives: number;
  readonly true_negatives: number;
  readonly false_negatives: number;
  readonly accuracy: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1_score: number | null;
}

type Curve<Axes extends string> = Readonly<Record<Axes, readonly number[]>>;

/** A set of scored rows under the name that tells it from the others. */
export interface Series<P> {
  readonly name: string;
  readonly plots: P;
}

type Values = Record<string, unknown>[];

const quantitative = (field: string, title: string, share = false) => ({
  field,
  title,
  type: "quantitative",
  ...(share ? { scale: { domain: [0, 1] } } : {}),
});

/** Lines through pairs of figures. even: with the line of a guess by chance. */
export function lines<P>(
  series: readonly Series<P>[],
  points: (plots: P) => readonly (readonly [number, number])[],
  axes: readonly [string, string],
  options: { readonly even?: boolean; readonly share?: boolean } = {},
): object {
  const values: Values = series.flatMap(({ name, plots }) =>
    points(plots).map(([x, y], order) => ({ x, y, order, series: name })),
  );
  const encoding = {
    x: quantitative("x", axes[0], options.share ?? true),
    y: quantitative("y", axes[1], options.share ?? true),
  };
  const line = {
    data: { values },
    mark: { type: "line", strokeWidth: 2, interpolate: "linear" },
    encoding: {
      ...encoding,
      order: { field: "order" },
      color: {
        field: "series",
        type: "nominal",
        ...(series.length > 1 ? {} : { legend: null }),
      },
    },
  };
  const chance = {
    data: {
      values: [
        { x: 0, y: 0 },
        { x: 1, y: 1 },
      ],
    },
    mark: { type: "line", strokeDash: [4, 4], color: "#8a909b", strokeWidth: 1 },
    encoding,
  };
  return { layer: options.even ? [chance, line] : [line] };
}

/** Pairs of two columns of figures. */
export function pairs(xs: readonly number[], ys: readonly number[]): [number, number][] {
  return xs.map((x, place) => [x, ys[place] ?? NaN]);
}

/** How often each size of error occurs. */
export function residuals(
  { residuals: { edges, counts } }: RegressionPlots,
  axes: [string, string],
) {
  const values: Values = counts.map((count, place) => ({
    from: edges[place],
    to: edges[place + 1],
    count,
  }));
  return {
    data: { values },
    mark: { type: "bar", binSpacing: 1 },
    encoding: {
      x: { field: "from", bin: { binned: true }, type: "quantitative", title: axes[0] },
      x2: { field: "to" },
      y: quantitative("count", axes[1]),
    },
  };
}

/** What was predicted against what is true, with the line where both agree. */
export function predictedActual(plots: RegressionPlots, axes: [string, string]): object {
  const { actual, predicted } = plots.predicted_actual;
  const all = [...actual, ...predicted];
  const ends = [Math.min(...all), Math.max(...all)];
  const encoding = {
    x: { field: "x", type: "quantitative", title: axes[0], scale: { zero: false, nice: true } },
    y: { field: "y", type: "quantitative", title: axes[1], scale: { zero: false, nice: true } },
  };
  return {
    layer: [
      {
        data: { values: ends.map((e) => ({ x: e, y: e })) },
        mark: { type: "line", strokeDash: [4, 4], color: "#8a909b", strokeWidth: 1 },
        encoding,
      },
      {
        data: { values: pairs(actual, predicted).map(([x, y]) => ({ x, y })) },
        mark: { type: "point", filled: true, size: 22, opacity: 0.65 },
        encoding,
      },
    ],
  };
}

const SCALES: Readonly<Record<string, string>> = {
  Date: "temporal",
  DateTime: "temporal",
  Time: "nominal",
  String: "nominal",
  Boolean: "nominal",
};

/** Points of two columns; typeOf: the type of a column by its name. */
export function cloud(
  values: readonly Readonly<Record<string, unknown>>[],
  columns: { readonly x: string; readonly y: string; readonly tint: string | null },
  typeOf: (name: string) => string,
): object {
  // The names of columns may hold signs that mean something to the plot.
  const plain = values.map((row) => ({
    x: row[columns.x],
    y: row[columns.y],
    ...(columns.tint === null ? {} : { tint: row[columns.tint] }),
  }));
  const axis = (field: "x" | "y") => ({
    field,
    title: columns[field],
    type: SCALES[typeOf(columns[field])] ?? "quantitative",
    scale: { zero: false, nice: true },
  });
  return {
    data: { values: plain.filter((row) => typeof row.x !== "object" && typeof row.y !== "object") },
    mark: { type: "point", filled: true, size: 20, opacity: 0.6 },
    encoding: {
      x: axis("x"),
      y: axis("y"),
      ...(columns.tint === null
        ? {}
        : {
            color: {
              field: "tint",
              title: columns.tint,
              type: SCALES[typeOf(columns.tint)] ?? "quantitative",
            },
          }),
    },
  };
}
