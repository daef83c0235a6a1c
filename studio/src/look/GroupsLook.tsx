import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Plot } from "./Plot";
import {
  groupBars,
  type GroupLine,
  groupLines,
  type Measured,
  MOST_BARS,
  type Order,
  ordered,
  turned,
} from "./groups";
import { readable } from "./values";
import classes from "./look.module.css";

interface Props {
  readonly groups: Schemas["Groups"];
  /** What the datasets are called, by port. */
  readonly names: Readonly<Record<string, string>>;
}

/** What was measured of the rows of each group, beside all rows. */
export function GroupsLook({ groups, names }: Props) {
  const text = useText();
  const [order, setOrder] = useState<Order>({ by: "name", descending: false });
  const [drawn, setDrawn] = useState(0);
  const lines = useMemo(() => groupLines(groups, names), [groups, names]);
  const shown = useMemo(() => ordered(lines.groups, order), [lines, order]);
  const metric = groups.metrics[drawn]?.replaceAll("_", " ") ?? "";
  const several = lines.whole.length > 1;
  const bars = useMemo(
    () => groupBars(shown, lines.whole, drawn, metric),
    [shown, lines, drawn, metric],
  );
  const count = new Set(shown.map((line) => line.name)).size;
  const head = (by: Order["by"], title: string) => (
    <Head
      key={by}
      title={title}
      numeric={by !== "name"}
      sorted={order.by === by ? order.descending : null}
      onSort={() => {
        setOrder(turned(order, by));
        if (typeof by === "number") setDrawn(by);
      }}
    />
  );
  return (
    <>
      <div className={classes.groupsBox}>
        <table className={`${classes.metrics ?? ""} ${classes.groups ?? ""}`}>
          <caption>{text.byGroup(groups.column)}</caption>
          <thead>
            <tr>
              {head("name", groups.column)}
              {several && (
                <th scope="col" data-text>
                  {text.groupOf}
                </th>
              )}
              {head("rows", text.rowsTab)}
              {groups.metrics.map((name, place) => head(place, name.replaceAll("_", " ")))}
            </tr>
          </thead>
          <tbody>
            {lines.whole.map((line) => (
              <Line key={line.series} line={line} title={text.allRows} several={several} whole />
            ))}
            {shown.map((line, place) => (
              <Line
                key={`${line.series} ${line.name} ${String(place)}`}
                line={line}
                title={line.name}
                several={several}
              />
            ))}
          </tbody>
        </table>
      </div>
      {count > 0 && (
        <Plot
          title={
            count > MOST_BARS
              ? text.firstGroups(metric, MOST_BARS, count)
              : text.metricByGroup(metric, groups.column)
          }
          spec={bars}
        />
      )}
    </>
  );
}

function Head(props: {
  readonly title: string;
  readonly numeric: boolean;
  /** Whether the largest comes first; null when another column says. */
  readonly sorted: boolean | null;
  onSort(): void;
}) {
  const { title, numeric, sorted, onSort } = props;
  const sort = sorted === null ? "none" : sorted ? "descending" : "ascending";
  const Arrow = sorted ? IconArrowDown : IconArrowUp;
  return (
    <th scope="col" aria-sort={sort} data-text={!numeric || undefined}>
      <button type="button" onClick={onSort}>
        <span>{title}</span>
        <Arrow size={12} aria-hidden style={{ opacity: sorted === null ? 0 : 1 }} />
      </button>
    </th>
  );
}

function Line(props: {
  readonly line: GroupLine;
  readonly title: string;
  readonly several: boolean;
  readonly whole?: boolean;
}) {
  const { line, title, several, whole = false } = props;
  return (
    <tr data-whole={whole || undefined}>
      <th scope="row">{title}</th>
      {several && <td data-text>{line.series}</td>}
      <td>{line.rows.toLocaleString()}</td>
      {line.figures.map((figure, place) => (
        <Figure key={place} figure={figure} />
      ))}
    </tr>
  );
}

function Figure({ figure: { value, difference, lead } }: { readonly figure: Measured }) {
  const text = useText();
  const side = lead > 0 ? "better" : lead < 0 ? "worse" : undefined;
  return (
    <td
      data-side={side}
      style={{ "--share": String(0.06 + Math.abs(lead) * 0.3) } as React.CSSProperties}
    >
      {readable(value)}
      {side && (
        <small title={side === "better" ? text.betterThanAll : text.worseThanAll}>
          {`${(difference ?? 0) > 0 ? "+" : "−"}${readable(Math.abs(difference ?? 0))}`}
        </small>
      )}
    </td>
  );
}
