import {
  Anchor,
  Button,
  Group,
  Select,
  Tabs,
  Text,
  Title,
  useComputedColorScheme,
} from "@mantine/core";
import { IconCopy, IconPlayerStop } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api, got, type Run, type Schemas, type StoredValue } from "../api/client";
import {
  liveRunQuery,
  OVER,
  runPagesQuery,
  stepLogQuery,
  sweepsQuery,
  useLibrary,
} from "../api/queries";
import { type Tried, triesOf } from "../api/sweep";
import { Snapshot } from "../canvas/Snapshot";
import type { Drawn, NodeRun, Shown } from "../canvas/toFlow";
import { readPipeline } from "../draft/read";
import { useText } from "../text/useText";
import { Failure } from "../ui/Failure";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { DeleteRun } from "./DeleteRun";
import { MetricTables } from "./MetricTables";
import { RunState } from "./RunState";
import { StepTable } from "./StepTable";
import { took } from "./times";
import classes from "./runs.module.css";

interface Looked {
  readonly runId: string;
  readonly node: string;
  readonly port: string;
  readonly component: string;
  readonly value: StoredValue;
}

interface Props {
  /** How a stored value is looked at. */
  readonly lookAt: (looked: Looked) => ReactNode;
  /** How the settings that a step tried are shown. */
  readonly showTries: (tries: readonly Tried[]) => ReactNode;
}

const NONE = new Map<string, { errors: number; warnings: number }>();

/** A run: its pipeline as it was, and what became of every step. */
export function RunPage({ lookAt, showTries }: Props) {
  const { runId = "" } = useParams();
  const text = useText();
  const { data: run, error, dataUpdatedAt } = useQuery(liveRunQuery(runId));
  const [chosen, setChosen] = useState<string | null>(null);
  const [tab, setTab] = useState<string | null>("steps");
  const sweeps = useSweeps(runId, run);
  if (error) {
    return <Refusal title={text.somethingWrong} error={error} otherwise={text.offline} />;
  }
  if (!run) return <Waiting />;
  const step = run.steps.find((s) => s.node === chosen);
  return (
    <div className={classes.page}>
      <Heading run={run} now={dataUpdatedAt} />
      <div className={classes.snapshot}>
        <Pipeline run={run} chosen={chosen} onChoose={setChosen} />
      </div>
      <Tabs value={tab} onChange={setTab} keepMounted={false} className={classes.details ?? ""}>
        <Tabs.List>
          <Tabs.Tab value="steps">{text.steps}</Tabs.Tab>
          <Tabs.Tab value="output">{text.output}</Tabs.Tab>
          <Tabs.Tab value="log">{text.logs}</Tabs.Tab>
          <Tabs.Tab value="metrics">{text.metrics}</Tabs.Tab>
          {sweeps.length > 0 && <Tabs.Tab value="sweep">{text.sweep}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="steps" className={classes.panel ?? ""} tabIndex={0}>
          <StepTable
            run={run}
            now={dataUpdatedAt}
            chosen={chosen}
            onChoose={(node) => {
              setChosen(node);
              setTab("output");
            }}
          />
        </Tabs.Panel>
        <Tabs.Panel value="output" className={classes.panel ?? ""} tabIndex={0}>
          {step ? (
            <Output key={step.node} runId={run.id} step={step} lookAt={lookAt} />
          ) : (
            <Hint words={text.chooseStep} />
          )}
        </Tabs.Panel>
        <Tabs.Panel value="log" className={classes.panel ?? ""} tabIndex={0}>
          {step ? <Log runId={run.id} node={step.node} /> : <Hint words={text.chooseStep} />}
        </Tabs.Panel>
        <Tabs.Panel value="metrics" className={classes.panel ?? ""} tabIndex={0}>
          <MetricTables run={run} />
        </Tabs.Panel>
        <Tabs.Panel value="sweep" className={classes.panel ?? ""} tabIndex={0}>
          {sweeps.map(({ node, tries }) => (
            <section key={node} className={classes.sweep} aria-label={titleOf(run, node)}>
              {sweeps.length > 1 && (
                <Text size="sm" fw={600}>
                  {titleOf(run, node)}
                </Text>
              )}
              {showTries(tries)}
            </section>
          ))}
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

interface Swept {
  readonly node: string;
  readonly tries: readonly Tried[];
}

/** What the steps of a run tried, so far or in all. */
function useSweeps(runId: string, run: Run | undefined): readonly Swept[] {
  const over = run !== undefined && OVER.has(run.status);
  const { data } = useQuery({
    ...sweepsQuery(runId, !over),
    enabled: run !== undefined,
    placeholderData: (known) => known,
  });
  return (data?.items ?? []).flatMap(({ node }) => {
    const tries = triesOf(data?.items, node) ?? [];
    return tries.length > 0 ? [{ node, tries }] : [];
  });
}

function titleOf(run: Run, node: string): string {
  return run.steps.find((step) => step.node === node)?.title ?? node;
}

function Hint({ words }: { readonly words: string }) {
  return (
    <Text size="sm" c="dimmed">
      {words}
    </Text>
  );
}

function Heading({ run, now }: { readonly run: Run; readonly now: number }) {
  const text = useText();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const others = useInfiniteQuery(runPagesQuery(run.experiment, ""));
  const path = { params: { path: { run_id: run.id } } };
  const stop = useMutation({
    mutationFn: () => got<Schemas["RunSummary"]>(api.POST("/api/runs/{run_id}/cancel", path)),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["run", run.id] }),
  });
  const clone = useMutation({
    mutationFn: () =>
      got<Schemas["Draft"]>(
        api.POST("/api/drafts", {
          body: {
            kind: "training",
            layout: { positions: {}, notes: [], groups: [] },
            run: run.id,
          },
        }),
      ),
    onSuccess: (draft) => {
      void cache.invalidateQueries({ queryKey: ["drafts"] });
      void navigate(`/drafts/${draft.id}`);
    },
  });
  const seconds = took(run, now);
  const failed = stop.error ?? clone.error;
  return (
    <div>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <Anchor
            component={Link}
            to={`/runs?experiment=${encodeURIComponent(run.experiment)}`}
            size="xs"
            c="dimmed"
          >
            {run.experiment}
          </Anchor>
          <Group gap="sm">
            <Title order={1} size="h4">
              {run.name}
            </Title>
            <RunState status={run.status} />
            <Text size="sm" c="dimmed">
              {seconds === null ? "" : text.seconds(seconds)}
              {run.person ? ` · ${run.person}` : ""}
            </Text>
          </Group>
        </div>
        <Group gap="xs" wrap="nowrap">
          {!OVER.has(run.status) && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconPlayerStop size={14} />}
              loading={stop.isPending}
              onClick={() => {
                stop.mutate();
              }}
            >
              {text.stopRun}
            </Button>
          )}
          <Select
            size="xs"
            w={240}
            aria-label={text.compareWith}
            placeholder={text.compareWith}
            searchable
            data={(others.data?.pages.flatMap((p) => p.items) ?? [])
              .filter((other) => other.id !== run.id)
              .map((other) => ({ value: other.id, label: other.name }))}
            value={null}
            onChange={(other) => {
              if (other) void navigate(`/runs/compare?left=${other}&right=${run.id}`);
            }}
          />
          {run.draft_id && (
            <Button size="xs" variant="default" component={Link} to={`/drafts/${run.draft_id}`}>
              {text.openDraft}
            </Button>
          )}
          <Button
            size="xs"
            variant="default"
            leftSection={<IconCopy size={14} />}
            loading={clone.isPending}
            onClick={() => {
              clone.mutate();
            }}
          >
            {text.cloneRun}
          </Button>
          {OVER.has(run.status) && <DeleteRun run={run} />}
        </Group>
      </Group>
      {run.error && (
        <Failure title={run.error.happened} message={run.error.remedy || run.error.message} />
      )}
      {failed && <Refusal title={text.somethingWrong} error={failed} otherwise={text.offline} />}
    </div>
  );
}

function Pipeline(props: {
  readonly run: Run;
  readonly chosen: string | null;
  onChoose(node: string | null): void;
}) {
  const { run, chosen, onChoose } = props;
  const dark = useComputedColorScheme("light") === "dark";
  const library = useLibrary();
  const shown = useMemo<Shown>(() => {
    const runs = new Map<string, NodeRun>(
      run.steps.map((step) => [
        step.node,
        {
          status: step.status,
          seconds: step.duration_s,
          rows: Object.fromEntries(
            Object.entries(step.outputs).flatMap(([port, value]) =>
              value.rows == null ? [] : [[port, value.rows] as const],
            ),
          ),
        },
      ]),
    );
    return {
      draft: readPipeline(run.graph, run.layout),
      components: library as ReadonlyMap<string, Drawn>,
      runs,
      problems: NONE,
      selected: new Set(chosen ? [chosen] : []),
    };
  }, [run, library, chosen]);
  return <Snapshot shown={shown} dark={dark} onChoose={onChoose} />;
}

function Output(props: {
  readonly runId: string;
  readonly step: Schemas["Step"];
  readonly lookAt: (looked: Looked) => ReactNode;
}) {
  const { runId, step, lookAt } = props;
  const text = useText();
  const library = useLibrary();
  const [port, setPort] = useState<string | null>(null);
  if (step.error) return <Failure title={step.error.happened} message={step.error.remedy} />;
  const ports = Object.keys(step.outputs);
  const chosen = port ?? ports[0];
  const value = chosen === undefined ? undefined : step.outputs[chosen];
  if (chosen === undefined || !value) return <Hint words={text.noOutput} />;
  const titles = new Map(
    library.get(step.component)?.outputs.map((p) => [p.name, p.title] as const) ?? [],
  );
  return (
    <div className={classes.output}>
      <Group gap="xs" mb={8}>
        <Text size="sm" fw={600}>
          {step.title}
        </Text>
        {ports.length > 1 &&
          ports.map((name) => (
            <Button
              key={name}
              size="compact-xs"
              variant={name === chosen ? "filled" : "default"}
              aria-pressed={name === chosen}
              onClick={() => {
                setPort(name);
              }}
            >
              {titles.get(name) ?? name}
            </Button>
          ))}
        {value.rows != null && value.columns != null && (
          <Text size="xs" c="dimmed">
            {text.rowsColumns(value.rows, value.columns)}
          </Text>
        )}
      </Group>
      <div className={classes.looked}>
        {lookAt({ runId, node: step.node, port: chosen, component: step.component, value })}
      </div>
    </div>
  );
}

function Log({ runId, node }: { readonly runId: string; readonly node: string }) {
  const text = useText();
  const { data, error } = useQuery(stepLogQuery(runId, node));
  if (error) return <Refusal title={text.somethingWrong} error={error} otherwise={text.offline} />;
  if (!data) return <Waiting />;
  return data.text ? <pre className={classes.log}>{data.text}</pre> : <Hint words={text.noLog} />;
}
