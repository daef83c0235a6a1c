import { Anchor, Badge, Button, Group, Stack, Table, Text, Title } from "@mantine/core";
import { IconArrowsLeftRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Fragment } from "react";
import { Link, useSearchParams } from "react-router";
import { comparisonQuery } from "../api/queries";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { figure } from "./figure";
import { RunState } from "./RunState";
import classes from "./runs.module.css";

function words(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Two runs side by side: figures, and where their pipelines differ. */
export function Compare() {
  const text = useText();
  const [place, setPlace] = useSearchParams();
  const left = place.get("left") ?? "";
  const right = place.get("right") ?? "";
  const { data, error } = useQuery(comparisonQuery(left, right));
  if (error) {
    return (
      <Stack maw={720} mx="auto" p="xl">
        <Refusal title={text.somethingWrong} error={error} otherwise={text.offline} />
      </Stack>
    );
  }
  if (!data) return <Waiting />;
  const sides = [
    [text.leftRun, data.left],
    [text.rightRun, data.right],
  ] as const;
  const several = new Set(data.metrics.map(({ node, port }) => `${node}.${port}`)).size > 1;
  return (
    <Stack maw={1080} mx="auto" p="xl" gap="lg">
      <Group justify="space-between">
        <Title order={1} size="h3">
          {text.compareTitle}
        </Title>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconArrowsLeftRight size={14} />}
          onClick={() => {
            setPlace({ left: right, right: left }, { replace: true });
          }}
        >
          {text.swap}
        </Button>
      </Group>
      <Group gap="xl">
        {sides.map(([side, run]) => (
          <Group key={side} gap="xs">
            <Text size="sm" c="dimmed">
              {side}
            </Text>
            <Anchor component={Link} to={`/runs/${run.id}`} size="sm">
              {run.name}
            </Anchor>
            <RunState status={run.status} />
          </Group>
        ))}
      </Group>
      <section aria-labelledby="figures">
        <Title order={2} size="h5" id="figures" mb="xs">
          {text.metrics}
        </Title>
        {data.metrics.length === 0 ? (
          <Text size="sm" c="dimmed">
            {text.noFigures}
          </Text>
        ) : (
          <Table verticalSpacing={5} maw={720} className={classes.table}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{text.metrics}</Table.Th>
                <Table.Th ta="right">{text.leftRun}</Table.Th>
                <Table.Th ta="right">{text.rightRun}</Table.Th>
                <Table.Th ta="right">{text.difference}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.metrics.map((row, place) => {
                const before = data.metrics[place - 1];
                const begins = several && (row.node !== before?.node || row.port !== before.port);
                return (
                  <Fragment key={`${row.node} ${row.port} ${row.name}`}>
                    {begins && (
                      <Table.Tr>
                        <Table.Th colSpan={4} scope="rowgroup" className={classes.measured ?? ""}>
                          {`${row.node} · ${row.port.replaceAll("_", " ")}`}
                        </Table.Th>
                      </Table.Tr>
                    )}
                    <Table.Tr>
                      <Table.Td>{row.name.replaceAll("_", " ")}</Table.Td>
                      <Table.Td ta="right">{figure(row.left)}</Table.Td>
                      <Table.Td ta="right">{figure(row.right)}</Table.Td>
                      <Table.Td ta="right">
                        {row.left === null || row.right === null
                          ? "–"
                          : figure(row.right - row.left)}
                      </Table.Td>
                    </Table.Tr>
                  </Fragment>
                );
              })}
            </Table.Tbody>
          </Table>
        )}
      </section>
      <section aria-labelledby="pipelines">
        <Title order={2} size="h5" id="pipelines" mb="xs">
          {text.settingsDiffer}
        </Title>
        {data.nodes.length === 0 ? (
          <Text size="sm" c="dimmed">
            {text.sameSettings}
          </Text>
        ) : (
          <Table verticalSpacing={5} className={classes.table}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{text.step}</Table.Th>
                <Table.Th>{text.setting}</Table.Th>
                <Table.Th>{text.leftRun}</Table.Th>
                <Table.Th>{text.rightRun}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.nodes.flatMap((node) => {
                const title = (
                  <Group gap={6}>
                    {node.title}
                    <Badge size="sm" variant="light" color="gray" tt="none">
                      {text.changes[node.change]}
                    </Badge>
                  </Group>
                );
                const rows = node.settings.map((setting, index) => (
                  <Table.Tr key={`${node.node} ${setting.parameter}`}>
                    <Table.Td>{index === 0 ? title : null}</Table.Td>
                    <Table.Td>{setting.parameter.replaceAll("_", " ")}</Table.Td>
                    <Table.Td>{words(setting.left)}</Table.Td>
                    <Table.Td>{words(setting.right)}</Table.Td>
                  </Table.Tr>
                ));
                if (node.wires || rows.length === 0) {
                  rows.push(
                    <Table.Tr key={node.node}>
                      <Table.Td>{node.settings.length === 0 ? title : null}</Table.Td>
                      <Table.Td colSpan={3}>{node.wires ? text.fedOtherwise : ""}</Table.Td>
                    </Table.Tr>,
                  );
                }
                return rows;
              })}
            </Table.Tbody>
          </Table>
        )}
      </section>
    </Stack>
  );
}
