import { Badge, Group, Select, Stack, Table, Text } from "@mantine/core";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, got, type Schemas } from "../api/client";
import { runQuery, useLibrary } from "../api/queries";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { readable } from "./values";
import classes from "./look.module.css";

type Difference = Schemas["TableDifference"];

const differenceQuery = (digest: string, other: string) =>
  queryOptions({
    queryKey: ["difference", digest, other],
    queryFn: () =>
      got<Difference>(
        api.GET("/api/artifacts/{digest}/difference", {
          params: { path: { digest }, query: { other } },
        }),
      ),
    staleTime: Infinity,
  });

interface Props {
  readonly runId: string;
  readonly node: string;
  readonly digest: string;
}

/** How a table differs from one on another port of the same run; from what came in, to begin with. */
export function DifferenceLook({ runId, node, digest }: Props) {
  const text = useText();
  const library = useLibrary();
  const { data: run } = useQuery(runQuery(runId));
  const [chosen, setChosen] = useState<string | null>(null);
  if (!run) return <Waiting />;
  const others = run.steps.flatMap((step) =>
    Object.entries(step.outputs)
      .filter(([, value]) => value.kind === "table" && value.digest !== digest)
      .map(([port, value]) => {
        const titles = library.get(step.component)?.outputs ?? [];
        const title = titles.find((p) => p.name === port)?.title ?? port;
        return {
          value: `${step.node}.${port}`,
          label: titles.length > 1 ? `${step.title} · ${title}` : step.title,
          digest: value.digest,
        };
      }),
  );
  const feeding = (run.graph.wires ?? []).find(
    (w) => w.target.startsWith(`${node}.`) && others.some((o) => o.value === w.source),
  )?.source;
  const other = others.find((o) => o.value === (chosen ?? feeding)) ?? others[0];
  if (!other) {
    return (
      <Text size="sm" c="dimmed">
        {text.differenceNone}
      </Text>
    );
  }
  return (
    <Stack gap="xs">
      <Select
        size="xs"
        w={320}
        label={text.comparedWith}
        data={others.map(({ value, label }) => ({ value, label }))}
        value={other.value}
        searchable
        allowDeselect={false}
        onChange={setChosen}
      />
      <Found left={other.digest} right={digest} />
    </Stack>
  );
}

function Found({ left, right }: { readonly left: string; readonly right: string }) {
  const text = useText();
  const { data, error } = useQuery(differenceQuery(left, right));
  if (error) return <Refusal title={text.somethingWrong} error={error} otherwise={text.offline} />;
  if (!data) return <Waiting />;
  const same = data.columns.filter((c) => c.change === "same").length;
  const shown = data.columns.filter((c) => c.change !== "same");
  const colours = { changed: "orange", retyped: "grape", added: "teal", removed: "red" } as const;
  return (
    <>
      <Text size="sm" role="status">
        {text.differenceRows(data.left_rows, data.right_rows)} {text.differenceSame(same)}
      </Text>
      {shown.length > 0 && (
        <Table verticalSpacing={4} fz="xs" className={classes.differences ?? ""}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.column}</Table.Th>
              <Table.Th>{text.change}</Table.Th>
              <Table.Th ta="right">{text.missing}</Table.Th>
              <Table.Th ta="right">{text.unique}</Table.Th>
              <Table.Th ta="right">{text.mean}</Table.Th>
              <Table.Th>{text.spread}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((column) => {
              // The values are the same, and the role or the mark as categorical is not.
              const marks = column.change === "changed" && column.cells === 0;
              return (
                <Table.Tr key={column.name}>
                  <Table.Th scope="row">{column.name}</Table.Th>
                  <Table.Td>
                    <Group gap={6} wrap="nowrap">
                      <Badge
                        size="sm"
                        variant="light"
                        tt="none"
                        color={marks ? "gray" : colours[column.change as keyof typeof colours]}
                      >
                        {marks ? text.otherMarks : text.columnChanges[column.change]}
                      </Badge>
                      {column.change === "retyped" &&
                        `${column.left?.type ?? ""} → ${column.right?.type ?? ""}`}
                      {column.cells !== null &&
                        column.cells > 0 &&
                        text.differentCells(column.cells)}
                    </Group>
                  </Table.Td>
                  <Sides left={column.left_spread?.missing} right={column.right_spread?.missing} />
                  <Sides
                    left={column.left_spread?.distinct}
                    right={column.right_spread?.distinct}
                  />
                  <Sides left={column.left_spread?.mean} right={column.right_spread?.mean} />
                  <Table.Td>{column.shares && <Both shares={column.shares} />}</Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      )}
    </>
  );
}

function Sides(props: {
  readonly left: number | null | undefined;
  readonly right: number | null | undefined;
}) {
  const { left, right } = props;
  const [from, to] = [readable(left), readable(right)];
  return <Table.Td ta="right">{from === to ? from : `${from} → ${to}`}</Table.Td>;
}

const WIDTH = 120;
const HEIGHT = 26;

/** How the values of both sides are spread, one behind the other. */
function Both({ shares }: { readonly shares: Schemas["Shares"] }) {
  const text = useText();
  const bars = (counts: readonly number[], className: string | undefined) => {
    const total = Math.max(
      1,
      counts.reduce((sum, c) => sum + c, 0),
    );
    const most = Math.max(
      ...[shares.left, shares.right].map(
        (side) =>
          Math.max(...side, 0) /
          Math.max(
            1,
            side.reduce((sum, c) => sum + c, 0),
          ),
      ),
      1e-9,
    );
    const wide = WIDTH / Math.max(counts.length, 1);
    return counts.map((count, place) => {
      const high = ((count / total / most) * HEIGHT) | 0;
      return (
        <rect
          key={`${className ?? ""} ${String(place)}`}
          className={className}
          x={place * wide}
          y={HEIGHT - high}
          width={Math.max(wide - 1, 1)}
          height={high}
        />
      );
    });
  };
  return (
    <svg width={WIDTH} height={HEIGHT} role="img" aria-label={text.spreadBoth}>
      {bars(shares.left, classes.before)}
      {bars(shares.right, classes.after)}
    </svg>
  );
}
