import { Alert, Badge, Button, Group, Text } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { ApiError, type Component, type Outline, type Step } from "../api/client";
import { type Draft, findNode, parsePin } from "../draft/graph";
import { useText } from "../text/useText";
import type { LookAt, ShowTries } from "./lookAt";
import type { Known } from "./useCheck";
import type { Runs } from "./useRun";
import classes from "./Workbench.module.css";

/** Which port of the selected node is looked at. */
export interface Port {
  readonly side: "inputs" | "outputs";
  readonly name: string;
}

interface Props {
  readonly node: string | null;
  readonly port: Port | null;
  readonly draft: Draft;
  readonly library: ReadonlyMap<string, Component>;
  readonly runs: Runs;
  readonly known: Known;
  readonly lookAt: LookAt;
  readonly showTries: ShowTries;
  onPort(port: Port): void;
}

/** What came to the selected node and what it gave, in the latest run that it was part of. */
export function Results(props: Props) {
  const { node, port, runs, library, draft, known, lookAt, onPort } = props;
  const text = useText();
  if (runs.error) {
    const remedy = runs.error instanceof ApiError ? runs.error.remedy : "";
    return (
      <Alert color="red" icon={<IconAlertCircle />} title={text.somethingWrong}>
        {runs.error.message || text.offline} {remedy}
      </Alert>
    );
  }
  if (!node) return <Hint words={text.noResults} />;
  const component = library.get(findNode(draft.graph, node)?.component ?? "");
  const ports: readonly (Port & { title: string })[] = [
    ...(component?.inputs ?? []).map((p) => ({ side: "inputs" as const, ...p })),
    ...(component?.outputs ?? []).map((p) => ({ side: "outputs" as const, ...p })),
  ];
  const outputs = ports.filter((p) => p.side === "outputs");
  const chosen =
    ports.find((p) => p.side === port?.side && p.name === port.name) ?? outputs[0] ?? ports[0];
  const own = runs.result(node);
  const from = chosen && given(props, node, chosen);
  const value = from?.step.outputs[from.port];
  const failed = chosen?.side === "outputs" ? own?.step.error : null;
  const outline =
    chosen?.side === "inputs"
      ? known.input(`${node}.${chosen.name}`)
      : chosen
        ? known.outline(`${node}.${chosen.name}`)
        : null;
  const group = (side: Port["side"], label: string) => {
    const some = ports.filter((p) => p.side === side);
    if (some.length === 0) return null;
    return (
      <Group gap={4} wrap="nowrap" role="group" aria-label={label}>
        <Text size="xs" c="dimmed">
          {label}
        </Text>
        {some.map((p) => (
          <Button
            key={p.name}
            size="compact-xs"
            variant={p === chosen ? "filled" : "default"}
            aria-pressed={p === chosen}
            onClick={() => {
              onPort(p);
            }}
          >
            {p.title}
          </Button>
        ))}
      </Group>
    );
  };
  return (
    <div className={classes.results}>
      <Group gap="md" mb={8}>
        {group("inputs", text.portsBefore)}
        {group("outputs", text.portsAfter)}
        {value?.rows != null && value.columns != null && (
          <Text size="xs" c="dimmed">
            {text.rowsColumns(value.rows, value.columns)}
          </Text>
        )}
        {own?.step.reason && (
          <Text size="xs" c="dimmed" lineClamp={1} flex={1} title={own.step.reason}>
            {text.why(own.step.reason)}
          </Text>
        )}
      </Group>
      {failed ? (
        <Alert color="red" icon={<IconAlertCircle />} title={failed.happened}>
          {failed.remedy}
        </Alert>
      ) : value && from ? (
        <div className={classes.looked}>
          {lookAt({
            runId: from.run,
            node: from.node,
            port: from.port,
            component: from.step.component,
            value,
          })}
        </div>
      ) : runs.sweeps[node] ? (
        props.showTries(runs.sweeps[node])
      ) : (
        chosen && <FromSchema outline={outline} />
      )}
    </div>
  );
}

interface Given {
  readonly run: string;
  readonly step: Step;
  readonly node: string;
  readonly port: string;
}

/** Which step's output stands at a port: an input shows what feeds it. */
function given({ draft, runs }: Props, node: string, port: Port): Given | null {
  if (port.side === "outputs") {
    const found = runs.result(node);
    return found && { ...found, node, port: port.name };
  }
  const wire = draft.graph.wires.find((w) => w.target === `${node}.${port.name}`);
  if (!wire) return null;
  const source = parsePin(wire.source);
  const found = runs.result(source.node);
  return found && { ...found, ...source };
}

function Hint({ words }: { readonly words: string }) {
  return (
    <Text size="sm" c="dimmed">
      {words}
    </Text>
  );
}

function FromSchema({ outline }: { readonly outline: Outline | null }) {
  const text = useText();
  if (outline?.kind !== "table") return <Hint words={text.noResults} />;
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
