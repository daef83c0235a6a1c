import {
  Autocomplete,
  Badge,
  Button,
  Checkbox,
  Group,
  Modal,
  ScrollArea,
  SegmentedControl,
  Select,
  Stack,
  Table,
  Text,
  TextInput,
} from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { Component, Plan } from "../api/client";
import { experimentsQuery } from "../api/queries";
import { Control } from "../forms/controls/Control";
import { type Graph, type Json, parsePin, reach } from "../draft/graph";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { planQuery, targetsQuery } from "./queries";
import { type Remembered, remembered, remember } from "./remembered";
import type { Known } from "./useCheck";
import type { Submission } from "./useRun";
import classes from "./Workbench.module.css";

interface Props {
  readonly opened: boolean;
  readonly draftId: string;
  readonly graph: Graph;
  readonly selected: string | null;
  readonly library: ReadonlyMap<string, Component>;
  readonly known: Known;
  onSubmit(submission: Submission): void;
  onClose(): void;
}

type Scope = "all" | "to" | "from";

/** How a run is to be done, and what it will do. */
export function RunDialog(props: Props) {
  const text = useText();
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={text.runTitle}
      size={760}
      closeButtonProps={{ "aria-label": text.close }}
    >
      <Form key={props.draftId} {...props} />
    </Modal>
  );
}

function Form({ draftId, graph, selected, library, known, onSubmit, onClose }: Props) {
  const text = useText();
  const [before] = useState<Remembered>(() => remembered(draftId));
  const [experiment, setExperiment] = useState(before.experiment ?? graph.name);
  const [name, setName] = useState("");
  const [target, setTarget] = useState(before.target ?? null);
  const [scope, setScope] = useState<Scope>("all");
  const [rerun, setRerun] = useState(false);
  const [parameters, setParameters] = useState<Readonly<Record<string, Json>>>({});
  const experiments = useQuery(experimentsQuery);
  const targets = useQuery(targetsQuery);
  const choice = useMemo(
    () => ({ ...scoped(graph, scope, selected), rerun, parameters }),
    [graph, scope, selected, rerun, parameters],
  );
  const plan = useQuery(planQuery(graph, choice));

  const submit = () => {
    const kept = { experiment: experiment.trim() || null, target };
    remember(draftId, kept);
    onSubmit({ ...choice, ...kept, name: name.trim() || null });
    onClose();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="sm">
        <Group grow align="flex-start">
          <Autocomplete
            size="xs"
            label={text.experiment}
            description={text.runExperimentHint}
            data={(experiments.data?.items ?? []).map((e) => e.name)}
            value={experiment}
            onChange={setExperiment}
          />
          <TextInput
            size="xs"
            label={text.runName}
            description={text.runNameHint}
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value);
            }}
          />
          <Select
            size="xs"
            label={text.runTarget}
            description={text.runTargetHint}
            data={(targets.data?.targets ?? []).map((t) => ({
              value: t.name,
              label: `${t.name} · ${t.kind}`,
            }))}
            value={target ?? targets.data?.targets[0]?.name ?? null}
            allowDeselect={false}
            onChange={setTarget}
          />
        </Group>
        <Parameters
          graph={graph}
          library={library}
          known={known}
          values={parameters}
          onChange={setParameters}
        />
        <Group justify="space-between">
          <SegmentedControl
            size="xs"
            aria-label={text.runScope}
            value={scope}
            onChange={(chosen) => {
              setScope(chosen as Scope);
            }}
            data={[
              { value: "all", label: text.runAll },
              { value: "to", label: text.actions.runToHere, disabled: selected === null },
              { value: "from", label: text.actions.runFromHere, disabled: selected === null },
            ]}
          />
          <Checkbox
            size="xs"
            label={text.runReuseNothing}
            checked={rerun}
            onChange={(event) => {
              setRerun(event.currentTarget.checked);
            }}
          />
        </Group>
        {plan.error && (
          <Refusal title={text.somethingWrong} error={plan.error} otherwise={text.offline} />
        )}
        {plan.data && <Steps plan={plan.data} />}
        <Group justify="flex-end">
          <Button variant="default" size="xs" onClick={onClose}>
            {text.cancel}
          </Button>
          <Button
            type="submit"
            size="xs"
            leftSection={<IconPlayerPlay size={15} />}
            data-autofocus
            disabled={plan.error !== null}
          >
            {text.runSubmit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What a choice of the user means for the server. */
export function scoped(
  graph: Graph,
  scope: Scope,
  selected: string | null,
): { until: string | null; regenerate: readonly string[] } {
  if (selected === null || scope === "all") return { until: null, regenerate: [] };
  if (scope === "to") return { until: selected, regenerate: [] };
  return { until: null, regenerate: [...reach(graph, [selected], "down")] };
}

function Parameters(props: {
  readonly graph: Graph;
  readonly library: ReadonlyMap<string, Component>;
  readonly known: Known;
  readonly values: Readonly<Record<string, Json>>;
  onChange(values: Readonly<Record<string, Json>>): void;
}) {
  const { graph, library, known, values, onChange } = props;
  const text = useText();
  if (graph.parameters.length === 0) return null;
  return (
    <fieldset className={classes.fields}>
      <legend>{text.pipelineParameters}</legend>
      {graph.parameters.map((asked) => {
        const { node, port: name } = parsePin(asked.sets[0] ?? "");
        const component = graph.nodes.find((n) => n.id === node)?.component ?? "";
        const parameter = library.get(component)?.parameters.find((p) => p.name === name);
        if (!parameter) return null;
        return (
          <Control
            key={asked.name}
            parameter={{
              ...parameter,
              title: asked.name,
              help: asked.description || parameter.title,
            }}
            value={asked.name in values ? (values[asked.name] ?? null) : asked.default}
            error={null}
            columns={parameter.port ? known.columns(`${node}.${parameter.port}`) : null}
            onSet={(value) => {
              onChange({ ...values, [asked.name]: value });
            }}
          />
        );
      })}
    </fieldset>
  );
}

const COLOURS = { source: "gray", run: "indigo", reuse: "teal" } as const;

function Steps({ plan }: { readonly plan: Plan }) {
  const text = useText();
  const actions = {
    source: text.planSource,
    run: text.planRun,
    reuse: text.planReuse,
  };
  const why = (reason: Plan["steps"][number]["reasons"][number]) => {
    const { finished_at: at, note } = reason.fields;
    if (reason.code !== "unchanged" || typeof at !== "string") return reason.text;
    const when = new Date(at).toLocaleString(undefined, {
      dateStyle: "medium",
      timeStyle: "short",
    });
    return `${text.planUnchanged(when)} ${typeof note === "string" ? note : ""}`;
  };
  return (
    <div>
      <Text size="sm" fw={600} mb={4} role="status">
        {text.runPlan(plan.counts.run ?? 0, plan.counts.reuse ?? 0)}
      </Text>
      <ScrollArea.Autosize mah={280} type="auto" viewportProps={{ tabIndex: 0 }}>
        <Table verticalSpacing={4} fz="sm">
          <Table.Tbody>
            {plan.steps.map((step) => (
              <Table.Tr key={step.node}>
                <Table.Td w={220}>{step.title}</Table.Td>
                <Table.Td w={110}>
                  <Badge size="sm" variant="light" tt="none" color={COLOURS[step.action]}>
                    {step.action === "run" && !step.certain
                      ? text.planPerhaps
                      : actions[step.action]}
                  </Badge>
                </Table.Td>
                <Table.Td c="dimmed">{step.reasons.map(why).join(" ")}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
    </div>
  );
}
