import { Badge, Button, Table, Tabs, Text } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type PointerEvent, useRef } from "react";
import type { Component } from "../api/client";
import { stepLogQuery, sweepsQuery } from "../api/queries";
import { triesOf } from "../api/sweep";
import * as edits from "../draft/edits";
import { type Draft, findNode, type Json } from "../draft/graph";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import type { LookAt, ShowTries } from "./lookAt";
import { type Port, Results } from "./Results";
import type { Known } from "./useCheck";
import type { Runs } from "./useRun";
import classes from "./Workbench.module.css";

export type BottomTab = "results" | "problems" | "log" | "metrics" | "sweep";

interface Props {
  readonly tab: BottomTab;
  readonly node: string | null;
  readonly port: Port | null;
  readonly draft: Draft;
  readonly library: ReadonlyMap<string, Component>;
  readonly runs: Runs;
  readonly known: Known;
  readonly lookAt: LookAt;
  readonly showTries: ShowTries;
  onTab(tab: BottomTab): void;
  onPort(port: Port): void;
  onFocus(node: string): void;
}

const LEAST = 120;
const STEP = 30;

/** Problems, and what the selected node gave in the last run; its edge is moved by hand or by keys. */
export function BottomPanel(props: Props) {
  const { known, node, runs, onTab } = props;
  const ran = node === null ? null : runs.result(node);
  const live = node === null ? undefined : runs.sweeps[node];
  const kept = useQuery({
    ...sweepsQuery(ran?.run ?? "", false),
    enabled: ran !== null && live === undefined,
    retry: false,
  });
  const tries = live ?? triesOf(kept.data?.items, node);
  const tab = props.tab === "sweep" && !tries ? "results" : props.tab;
  const text = useText();
  const [height, setHeight] = useLocalStorage({ key: "modelwright-results", defaultValue: 290 });
  const panel = useRef<HTMLElement>(null);
  const most = () => Math.max(LEAST, window.innerHeight - 260);
  const sized = (wish: number) => {
    setHeight(Math.round(Math.min(most(), Math.max(LEAST, wish))));
  };
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons !== 1) return;
    const foot = panel.current?.getBoundingClientRect().bottom ?? window.innerHeight;
    sized(foot - event.clientY);
  };
  return (
    <section ref={panel} className={classes.bottom} aria-label={text.results} style={{ height }}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- a separator that moves is a control */}
      <div
        className={classes.edge}
        role="separator"
        aria-orientation="horizontal"
        aria-label={text.resultsHeight}
        aria-valuenow={height}
        aria-valuemin={LEAST}
        aria-valuemax={900}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- as above
        tabIndex={0}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={drag}
        onKeyDown={(event) => {
          const step = { ArrowUp: STEP, ArrowDown: -STEP }[event.key];
          if (step === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          sized(height + step);
        }}
      />
      <Tabs
        value={tab}
        onChange={(chosen) => {
          onTab((chosen ?? "results") as BottomTab);
        }}
        keepMounted={false}
        className={classes.tabs ?? ""}
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
          {tries && <Tabs.Tab value="sweep">{text.sweep}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="results" className={classes.panel} tabIndex={0}>
          <Results {...props} />
        </Tabs.Panel>
        <Tabs.Panel value="problems" className={classes.panel} tabIndex={0}>
          <Problems {...props} />
        </Tabs.Panel>
        <Tabs.Panel value="log" className={classes.panel} tabIndex={0}>
          <Log {...props} />
        </Tabs.Panel>
        <Tabs.Panel value="metrics" className={classes.panel} tabIndex={0}>
          <Metrics {...props} />
        </Tabs.Panel>
        {tries && (
          <Tabs.Panel value="sweep" className={classes.panel} tabIndex={0}>
            {props.showTries(tries)}
          </Tabs.Panel>
        )}
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

/** What the selected step wrote: live while it runs, else as it is kept. */
function Log({ node, runs }: Props) {
  const text = useText();
  const live = node ? runs.logs[node] : undefined;
  const found = node ? runs.result(node) : null;
  const kept = useQuery({
    ...stepLogQuery(found?.run ?? "", node ?? ""),
    enabled: found !== null && live === undefined,
    retry: false,
  });
  const lines = live?.join("\n") ?? kept.data?.text ?? "";
  return lines ? (
    <pre className={classes.log}>{lines}</pre>
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
