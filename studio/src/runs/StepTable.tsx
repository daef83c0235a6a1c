import { Table, Text } from "@mantine/core";
import type { Run } from "../api/client";
import { useText } from "../text/useText";
import { timeline } from "./times";
import classes from "./runs.module.css";

interface Props {
  readonly run: Run;
  readonly now: number;
  readonly chosen: string | null;
  onChoose(node: string): void;
}

const WIDTH = 260;

/** The steps of a run in their order: what became of each, why, and when. */
export function StepTable({ run, now, chosen, onChoose }: Props) {
  const text = useText();
  const { total, bars } = timeline(run.steps, now);
  return (
    <Table verticalSpacing={4} highlightOnHover className={classes.table}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{text.step}</Table.Th>
          <Table.Th w={100}>{text.runStatus}</Table.Th>
          <Table.Th>{text.reason}</Table.Th>
          <Table.Th w={WIDTH + 20}>{text.timing}</Table.Th>
          <Table.Th w={80} ta="right">
            {text.runTook}
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {run.steps.map((step) => {
          const bar = bars.get(step.node);
          return (
            <Table.Tr
              key={step.node}
              className={step.node === chosen ? (classes.chosen ?? "") : ""}
            >
              <Table.Td>
                <button
                  type="button"
                  className={classes.step}
                  aria-pressed={step.node === chosen}
                  onClick={() => {
                    onChoose(step.node);
                  }}
                >
                  {step.title}
                </button>
              </Table.Td>
              <Table.Td>{text.status[step.status]}</Table.Td>
              <Table.Td>
                <Text size="xs" c={step.error ? "red" : "dimmed"} lineClamp={2}>
                  {step.error?.happened ?? step.reason}
                </Text>
              </Table.Td>
              <Table.Td>
                {bar && total > 0 && (
                  <svg
                    width={WIDTH}
                    height={12}
                    role="img"
                    aria-label={text.stepAt(text.seconds(bar.from), text.seconds(bar.seconds))}
                  >
                    <rect
                      className={classes.bar}
                      data-status={step.status}
                      x={(bar.from / total) * (WIDTH - 2)}
                      width={Math.max((bar.seconds / total) * (WIDTH - 2), 2)}
                      height={12}
                      rx={2}
                    />
                  </svg>
                )}
              </Table.Td>
              <Table.Td ta="right">
                {step.duration_s === null ? "–" : text.seconds(step.duration_s)}
              </Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}
