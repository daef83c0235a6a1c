import { Group, Text, Title } from "@mantine/core";
import { useText } from "../text/useText";
import classes from "./endpoints.module.css";

export interface Line {
  readonly label: string;
  readonly colour: string;
  /** Null where there is none; the line has a gap there. */
  readonly values: readonly (number | null)[];
}

interface Props {
  readonly title: string;
  readonly unit: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
}

const WIDTH = 520;
const HEIGHT = 150;
const LEFT = 46;
const FOOT = 20;
/** Seconds from the left edge to the right. */
const SPAN = 300;

/** Lines over the last five minutes; its newest values stand beside their names. */
export function TimeChart({ title, unit, times, lines }: Props) {
  const text = useText();
  const last = times.at(-1) ?? 0;
  const highest = Math.max(0, ...lines.flatMap((l) => l.values.map((v) => v ?? 0)));
  const top = nice(highest);
  const x = (at: number) => LEFT + ((WIDTH - LEFT) * (SPAN - (last - at))) / SPAN;
  const y = (value: number) => 6 + (HEIGHT - FOOT - 6) * (1 - value / top);
  const newest = lines.map((l) => `${l.label} ${shown(l.values.at(-1) ?? null)} ${unit}`.trim());
  return (
    <figure className={classes.chart} aria-label={`${title}: ${newest.join(", ")}`}>
      <Group justify="space-between" mb={4} wrap="nowrap">
        <Title order={2} size="h6">
          {title}
        </Title>
        <Group gap="sm">
          {lines.map((line) => (
            <Group key={line.label} gap={5} wrap="nowrap">
              <span className={classes.swatch} style={{ background: line.colour }} />
              <Text size="xs" className={classes.newest ?? ""}>
                {line.label} <b>{shown(line.values.at(-1) ?? null)}</b> {unit}
              </Text>
            </Group>
          ))}
        </Group>
      </Group>
      <svg viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`} width="100%" aria-hidden>
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line
              x1={LEFT}
              x2={WIDTH}
              y1={y(top * share)}
              y2={y(top * share)}
              stroke="light-dark(#e3e6eb, #34373d)"
            />
            <text x={LEFT - 6} y={y(top * share) + 4} textAnchor="end" className={classes.axis}>
              {shown(top * share)}
            </text>
          </g>
        ))}
        {[4, 2, 0].map((minutes) => (
          <text
            key={minutes}
            x={x(last - minutes * 60) - (minutes === 0 ? 4 : 0)}
            y={HEIGHT - 4}
            textAnchor={minutes === 0 ? "end" : "middle"}
            className={classes.axis}
          >
            {minutes === 0 ? text.monitoringNow : text.monitoringAgo(minutes)}
          </text>
        ))}
        {lines.map((line) => (
          <path
            key={line.label}
            d={drawn(line.values, times, x, y)}
            fill="none"
            stroke={line.colour}
            strokeWidth={1.8}
            strokeLinejoin="round"
          />
        ))}
      </svg>
    </figure>
  );
}

function drawn(
  values: readonly (number | null)[],
  times: readonly number[],
  x: (at: number) => number,
  y: (value: number) => number,
): string {
  let pen = "M";
  const parts: string[] = [];
  values.forEach((value, place) => {
    const at = times[place];
    if (value === null || at === undefined) {
      pen = "M";
      return;
    }
    parts.push(`${pen}${x(at).toFixed(1)},${y(value).toFixed(1)}`);
    pen = "L";
  });
  return parts.join("");
}

/** The next of 1, 2, 5, 10, … that holds the highest value. */
export function nice(highest: number): number {
  if (highest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  const step = [1, 2, 5, 10].find((one) => one * power >= highest) ?? 10;
  return step * power;
}

function shown(value: number | null): string {
  if (value === null) return "–";
  return Number(value.toPrecision(3)).toLocaleString(undefined, { maximumFractionDigits: 2 });
}
