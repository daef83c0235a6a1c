import { Group, NativeSelect, Text } from "@mantine/core";
import { useState } from "react";
import { useText } from "../text/useText";
import { type Explanation, rowOf } from "./explanation";
import { readable } from "./values";
import classes from "./look.module.css";

const WIDTH = 150;

/** How much each feature moves the scores over all rows, and why one row was scored as it was. */
export function ExplanationLook({ told }: { readonly told: Explanation }) {
  const text = useText();
  const [place, setPlace] = useState(0);
  const sum = told.sums[place];
  const most = Math.max(...told.features.map((f) => f.mean_contribution), 0);
  return (
    <section aria-label={text.explanation}>
      <Text size="sm" fw={600}>
        {text.explanation}
      </Text>
      <Text size="xs" c="dimmed" mb="xs">
        {text.explanationOf(told.rows, told.scale, told.method)}
      </Text>
      <Group align="flex-start" gap="xl">
        <table className={classes.lines}>
          <caption>{text.explanationAll}</caption>
          <tbody>
            {told.features.map((line) => (
              <tr key={line.feature}>
                <th scope="row">{line.feature}</th>
                <td data-numeric>{readable(line.mean_contribution)}</td>
                <td>
                  <Bar part={most > 0 ? line.mean_contribution / most : 0} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {sum && (
          <div>
            <NativeSelect
              size="xs"
              maw={260}
              label={text.explanationRow}
              value={String(place)}
              onChange={(event) => {
                setPlace(Number(event.currentTarget.value));
              }}
              data={told.sums.map((one, at) => ({
                value: String(at),
                label: `${text.rowNumber(one.row + 1)}${one.score === undefined ? "" : ` · ${one.score}`}`,
              }))}
            />
            <Row told={told} place={place} />
          </div>
        )}
      </Group>
    </section>
  );
}

function Row({ told, place }: { readonly told: Explanation; readonly place: number }) {
  const text = useText();
  const sum = told.sums[place];
  if (!sum) return null;
  const parts = rowOf(told, sum);
  const most = Math.max(...parts.map((part) => Math.abs(part.contribution)), 0);
  return (
    <table className={classes.lines}>
      <tbody>
        <tr>
          <th scope="row">{text.explanationAverage}</th>
          <td />
          <td data-numeric>{readable(sum.average)}</td>
          <td />
        </tr>
        {parts.map((part) => (
          <tr key={part.feature}>
            <th scope="row">{part.feature}</th>
            <td>{part.value === null ? "" : readable(part.value)}</td>
            <td data-numeric>
              {part.contribution > 0 ? "+" : ""}
              {readable(part.contribution)}
            </td>
            <td>
              <Bar part={most > 0 ? part.contribution / most : 0} />
            </td>
          </tr>
        ))}
        <tr>
          <th scope="row">{text.explanationSum}</th>
          <td />
          <td data-numeric>{readable(sum.sum)}</td>
          <td />
        </tr>
      </tbody>
    </table>
  );
}

/** part: from -1 to 1. */
function Bar({ part }: { readonly part: number }) {
  return (
    <svg width={WIDTH} height={10} aria-hidden>
      <rect
        className={part < 0 ? classes.negative : classes.positive}
        width={Math.max(WIDTH * Math.abs(part), 0.5)}
        height={10}
        rx={2}
      />
    </svg>
  );
}
