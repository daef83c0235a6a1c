import { Alert, Badge, Button, Group, Table, Tabs, Text } from "@mantine/core";
import { IconAlertCircle, IconAlertTriangle } from "@tabler/icons-react";
import { useState } from "react";
import { ApiError, type Component, type Outline } from "../api/client";
import * as edits from "../draft/edits";
import { type Draft, findNode, type Json } from "../draft/graph";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import type { LookAt } from "./lookAt";
import type { Known } from "./useCheck";
import type { Runs } from "./useRun";
import classes from "./Workbench.module.css";

interface Props {
  readonly node: string | null;
  readonly draft: Draft;
  readonly library: ReadonlyMap<string, Component>;
  readonly runs: Runs;
  readonly known: Known;
  readonly lookAt: LookAt;
  onFocus(node: string): void;
}

/** Problems, and what the selected node gave in the last run. */
export function BottomPanel(props: Props) {
  const { known, runs } = props;
  const text = useText();
  const [tab, setTab] = useState<string | null>("results");
  return (
    <section className={classes.bottom} aria-label={text.results}>
      <Tabs
        value={tab}
        onChange={setTab}
        style={{ display: "flex", flexDirection: "column", minHeight: 0, flex: 1 }}
      >
        <Tabs.List px="sm">
          <Tabs.Tab value="results">{text.results}</Tabs.Tab>
          <Tabs.Tab
            value="problems"
            rightSection={
              known.problems.length > 0 ? (
                <Badge size="sm" color="orange" variant="light" circle>
                  {known.problems.length}
                </Badge>
              ) : null
            }
          >
            {text.problems}
          </Tabs.Tab>
          <Tabs.Tab value="log">{text.logs}</Tabs.Tab>
          {runs.run && runs.run.metrics.length > 0 && (
            <Tabs.Tab value="metrics">{text.metrics}</Tabs.Tab>
          )}
        </Tabs.List>
        <Tabs.Panel value="results" className={classes.panel} tabIndex={0}>
          <Results {...props} />
        </Tabs.Panel>
        <Tabs.Panel value="problems" className={classes.panel}>
          <Problems {...props} />
        </Tabs.Panel>
        <Tabs.Panel value="log" className={classes.panel}>
          <Log {...props} />
        </Tabs.Panel>
        <Tabs.Panel value="metrics" className={classes.panel}>
          <Metrics {...props} />
        </Tabs.Panel>
      </Tabs>
    </section>
  );
}

function titleIn({ draft, library }: Props, id: string): string {
  const node = findNode(draft.graph, id);
  return node ? node.title || (library.get(node.component)?.title ?? node.component) : id;
}

function Problems(props: Props) {
  const text = useText();
  const edit = useDraft((state) => state.edit);
  const { problems } = props.known;
  if (problems.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {text.noProblems}
      </Text>
    );
  }
  return problems.map((problem, place) => {
    const { node, fix } = problem;
    return (
      <div key={`${String(place)} ${problem.code}`} className={classes.problem}>
        <IconAlertTriangle
          size={16}
          aria-hidden
          color={problem.severity === "error" ? "#d9480f" : "#e8a200"}
        />
        <div style={{ flex: 1 }}>
          {node && (
            <button
              type="button"
              className={classes.where}
              onClick={() => {
                props.onFocus(node);
              }}
            >
              {titleIn(props, node)}
            </button>
          )}
          <Text size="sm">
            {problem.happened} {problem.remedy}
          </Text>
        </div>
        {fix && (
          <Button
            size="compact-xs"
            variant="light"
            onClick={() => {
              edit(edits.fromFix(fix.edits as Record<string, Json>[]), "fix");
            }}
          >
            {fix.title}
          </Button>
        )}
      </div>
    );
  });
}

function Results(props: Props) {
  const { node, runs, library, draft, known } = props;
  const text = useText();
  const [port, setPort] = useState<string | null>(null);
  if (runs.error) {
    const remedy = runs.error instanceof ApiError ? runs.error.remedy : "";
    return (
      <Alert color="red" icon={<IconAlertCircle />} title={text.somethingWrong}>
        {runs.error.message || text.offline} {remedy}
      </Alert>
    );
  }
  if (!node) {
    return (
      <Text size="sm" c="dimmed">
        {text.noResults}
      </Text>
    );
  }
  const step = runs.step(node);
  const found = findNode(draft.graph, node);
  const ports = library.get(found?.component ?? "")?.outputs ?? [];
  const chosen = ports.find((p) => p.name === port) ?? ports[0];
  if (step?.error) {
    return (
      <Alert color="red" icon={<IconAlertCircle />} title={step.error.happened}>
        {step.error.remedy}
      </Alert>
    );
  }
  const value = chosen ? step?.outputs[chosen.name] : undefined;
  const looked =
    value && step && chosen && runs.run
      ? props.lookAt({
          runId: runs.run.id,
          node,
          port: chosen.name,
          component: step.component,
          value,
        })
      : null;
  return (
    <>
      <Group gap="xs" mb={8}>
        {ports.length > 1 &&
          ports.map((p) => (
            <Button
              key={p.name}
              size="compact-xs"
              variant={p === chosen ? "filled" : "default"}
              onClick={() => {
                setPort(p.name);
              }}
            >
              {p.title}
            </Button>
          ))}
        {value?.rows != null && value.columns != null && (
          <Text size="xs" c="dimmed">
            {text.rowsColumns(value.rows, value.columns)}
          </Text>
        )}
        {step?.reason && (
          <Text size="xs" c="dimmed" lineClamp={1} title={step.reason}>
            {step.reason}
          </Text>
        )}
      </Group>
      {looked ?? (chosen && <Known outline={known.outline(`${node}.${chosen.name}`)} />)}
    </>
  );
}

function Known({ outline }: { readonly outline: Outline | null }) {
  const text = useText();
  if (outline?.kind !== "table") {
    return (
      <Text size="sm" c="dimmed">
        {text.noResults}
      </Text>
    );
  }
  return (
    <>
      <Text size="xs" c="dimmed" mb={6}>
        {text.schemaOnly}
      </Text>
      <Group gap={6}>
        {outline.columns.map((column) => (
          <Badge key={column.name} variant="light" color="gray" tt="none" fw={500}>
            {column.name} · {column.type}
          </Badge>
        ))}
      </Group>
    </>
  );
}

function Log({ node, runs }: Props) {
  const text = useText();
  const lines = node ? (runs.logs[node] ?? []) : [];
  return lines.length > 0 ? (
    <pre className={classes.log}>{lines.join("\n")}</pre>
  ) : (
    <Text size="sm" c="dimmed">
      {node ? text.noLog : text.noSelection}
    </Text>
  );
}

function Metrics(props: Props) {
  return (props.runs.run?.metrics ?? []).map((table) => (
    <Table key={table.node} maw={640} mb="md" verticalSpacing={4}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{titleIn(props, table.node)}</Table.Th>
          {table.columns.map((column) => (
            <Table.Th key={column} ta="right">
              {column}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {table.rows.map((row) => (
          <Table.Tr key={row.name}>
            <Table.Td>{row.name.replaceAll("_", " ")}</Table.Td>
            {row.values.map((value, place) => (
              <Table.Td key={table.columns[place] ?? place} ta="right" ff="monospace">
                {value === null
                  ? "–"
                  : Number(value.toPrecision(6)).toLocaleString(undefined, {
                      maximumFractionDigits: 6,
                    })}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  ));
}
