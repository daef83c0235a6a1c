import type { Schemas } from "../api/client";
import { useText } from "../text/useText";
import { readable } from "./values";
import classes from "./look.module.css";

interface Props {
  readonly column: Schemas["ColumnProfile"];
  readonly width: number;
  readonly height: number;
}

/** How the values of a column are spread: a histogram, or bars of the most frequent values. */
export function Spread({ column, width, height }: Props) {
  const text = useText();
  const bars = column.histogram.length > 0 ? column.histogram : column.top;
  const most = Math.max(...bars.map((b) => b.count), 1);
  const step = width / Math.max(bars.length, 1);
  const label = column.histogram.length > 0 ? text.spreadOf(column.name) : text.topOf(column.name);
  // Values that each occur once have no spread to be seen.
  if (bars.length === 0 || (column.histogram.length === 0 && most === 1)) return null;
  return (
    <svg width={width} height={height} role="img" aria-label={label} className={classes.spread}>
      {bars.map((bar, place) => {
        const tall = Math.max((bar.count / most) * (height - 1), bar.count > 0 ? 1 : 0);
        return (
          <rect
            key={place}
            x={place * step}
            y={height - tall}
            width={Math.max(Math.min(step - 1, 28), 1)}
            height={tall}
          >
            <title>
              {"value" in bar
                ? `${readable(bar.value)}: ${bar.count.toLocaleString()}`
                : text.between(readable(bar.start), readable(bar.end), bar.count)}
            </title>
          </rect>
        );
      })}
    </svg>
  );
}
