import { Text } from "@mantine/core";
import { course, type Mark, ranked, type Tried, valueOf } from "../api/sweep";
import { useText } from "../text/useText";
import classes from "./Sweep.module.css";

const WIDTH = 300;
const HEIGHT = 150;
const MARGIN = 14;

/** The settings that were tried so far, the best first, and how the best came about. */
export function Sweep({ tries }: { readonly tries: readonly Tried[] }) {
  const text = useText();
  const last = tries.at(-1);
  if (!last) return null;
  const metric = named(last.metric);
  const settings = [...new Set(tries.flatMap((tried) => Object.keys(tried.settings)))];
  return (
    <div className={classes.sweep}>
      <div>
        <Text size="sm" fw={600}>
          {last.learner}
        </Text>
        <Text size="sm" c="dimmed" aria-live="polite">
          {text.sweepSoFar(last.settled, last.total)}
          {last.best_value !== null && ` · ${text.sweepBest(metric, shown(last.best_value))}`}
        </Text>
        <Curve marks={course(tries)} total={last.total} label={text.sweepCurve(metric)} />
      </div>
      <table className={classes.tries} aria-label={text.sweep}>
        <thead>
          <tr>
            <th scope="col">{text.sweepTry}</th>
            <th scope="col" data-numeric>
              {metric}
            </th>
            {settings.map((name) => (
              <th key={name} scope="col" data-numeric>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ranked(tries).map((tried) => (
            <tr key={tried.try} data-best={tried.try === last.best_try || undefined}>
              <td>{tried.try + 1}</td>
              <td data-numeric>{outcome(tried, text.sweepPruned, text.sweepFailed)}</td>
              {settings.map((name) => (
                <td key={name} data-numeric>
                  {shown(tried.settings[name])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function outcome(tried: Tried, pruned: string, failed: string): string {
  const value = valueOf(tried);
  if (value !== null) return shown(value);
  return tried.pruned ? pruned : failed;
}

function named(metric: string): string {
  return metric.replaceAll("_", " ");
}

function shown(value: unknown): string {
  if (typeof value === "number") {
    return Number(value.toPrecision(5)).toLocaleString(undefined, { maximumFractionDigits: 8 });
  }
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "–");
}

/** A dot for each try, and a line for the best so far. */
function Curve(props: {
  readonly marks: readonly Mark[];
  readonly total: number;
  readonly label: string;
}) {
  const { marks, total, label } = props;
  const values = marks.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length === 0) return null;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const x = (place: number) =>
    MARGIN + (place * (WIDTH - 2 * MARGIN)) / Math.max(total - 1, marks.length - 1, 1);
  const y = (value: number) =>
    high === low
      ? HEIGHT / 2
      : HEIGHT - MARGIN - ((value - low) * (HEIGHT - 2 * MARGIN)) / (high - low);
  const bests = marks.flatMap(({ place, best }) => (best === null ? [] : [{ place, best }]));
  const line = bests
    .map(({ place, best }, at) =>
      at === 0
        ? `M${String(x(place))} ${String(y(best))}`
        : `H${String(x(place))}V${String(y(best))}`,
    )
    .join("");
  return (
    <svg width={WIDTH} height={HEIGHT} role="img" aria-label={label} className={classes.curve}>
      <path d={line} className={classes.best} />
      {marks.map(({ place, value }) =>
        value === null ? null : (
          <circle key={place} cx={x(place)} cy={y(value)} r={3} className={classes.dot}>
            <title>{shown(value)}</title>
          </circle>
        ),
      )}
    </svg>
  );
}
