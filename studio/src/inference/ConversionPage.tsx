import { Anchor, Badge, Group, Table, Text, Title, useComputedColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useParams } from "react-router";
import type { Schemas } from "../api/client";
import { draftQuery, runQuery, useLibrary } from "../api/queries";
import { Snapshot } from "../canvas/Snapshot";
import type { Drawn, Shown, Tint } from "../canvas/toFlow";
import type { Draft } from "../draft/graph";
import { readPipeline } from "../draft/read";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { bySide, COLOURS } from "./changes";
import { ParityTable } from "./InferenceNotice";
import { conversionQuery } from "./queries";
import classes from "./inference.module.css";

type Change = Schemas["Change"];

/** The training and the inference pipeline side by side, with what became of every node and why. */
export function ConversionPage() {
  const { draftId = "" } = useParams();
  const text = useText();
  const { data: draft } = useQuery(draftQuery(draftId));
  const { data, error } = useQuery(conversionQuery(draftId));
  const { data: run } = useQuery({ ...runQuery(data?.run_id ?? ""), enabled: data !== undefined });
  const [chosen, setChosen] = useState<string | null>(null);
  const training = useMemo(() => run && readPipeline(run.graph, run.layout), [run]);
  const inference = useMemo(() => data && readPipeline(data.graph, data.layout), [data]);
  const sides = useMemo(() => bySide(data?.changes ?? []), [data]);
  if (error) {
    return (
      <div className={classes.page}>
        <Refusal title={text.somethingWrong} error={error} otherwise={text.offline} />
      </div>
    );
  }
  if (!data || !training || !inference) return <Waiting />;
  const about = data.changes.find((c) => c.node === chosen);
  const left = chosen === null ? [] : [chosen];
  const right = about ? about.by : left;
  return (
    <div className={classes.page}>
      <Group justify="space-between">
        <div>
          <Text size="xs" c="dimmed">
            {draft?.name}
          </Text>
          <Title order={1} size="h3">
            {text.changesTitle}
          </Title>
        </div>
        <Anchor component={Link} to={`/drafts/${draftId}`} size="sm" fw={600}>
          {text.changesOpen}
        </Anchor>
      </Group>
      <Group gap="xs">
        {(Object.keys(COLOURS) as Change["action"][]).map((action) => (
          <Badge key={action} color={COLOURS[action].badge} variant="light" tt="none" fw={500}>
            {text.changeActions[action]}{" "}
            {data.changes.filter((change) => change.action === action).length}
          </Badge>
        ))}
        {data.absent.length > 0 && (
          <Text size="sm" c="dimmed">
            {text.changesAbsent(data.absent.map((name) => `“${name}”`).join(", "))}
          </Text>
        )}
      </Group>
      <div className={classes.side}>
        <Side
          title={text.changesTraining}
          draft={training}
          changes={sides.training}
          chosen={left}
          onChoose={setChosen}
        />
        <Side
          title={text.changesInference}
          draft={inference}
          changes={sides.inference}
          chosen={right}
          onChoose={setChosen}
        />
      </div>
      {data.parity && (
        <section aria-label={text.parity[data.parity.verdict]}>
          <Title order={2} size="h5" mb={4}>
            {text.parity[data.parity.verdict]}
          </Title>
          <ParityTable parity={data.parity} />
        </section>
      )}
      <Table fz="sm" verticalSpacing={5} aria-label={text.changesTitle}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={260}>{text.changesNode}</Table.Th>
            <Table.Th w={120}>{text.changesWhat}</Table.Th>
            <Table.Th>{text.changesWhy}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {data.changes.map((change) => (
            <Table.Tr
              key={`${change.action} ${change.node}`}
              className={classes.row ?? ""}
              data-chosen={change.node === chosen || undefined}
              onClick={() => {
                setChosen(change.node);
              }}
            >
              <Table.Td>{change.title}</Table.Td>
              <Table.Td>
                <Badge color={COLOURS[change.action].badge} variant="light" tt="none" fw={500}>
                  {text.changeActions[change.action]}
                </Badge>
              </Table.Td>
              <Table.Td>{change.reason}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

interface SideProps {
  readonly title: string;
  readonly draft: Draft;
  readonly changes: ReadonlyMap<string, Change>;
  readonly chosen: readonly string[];
  onChoose(node: string | null): void;
}

function Side({ title, draft, changes, chosen, onChoose }: SideProps) {
  const text = useText();
  const dark = useComputedColorScheme("light") === "dark";
  const library = useLibrary();
  const shown = useMemo<Shown>(() => {
    const tints = new Map<string, Tint>();
    for (const [node, change] of changes) {
      if (change.action === "kept") continue;
      tints.set(node, {
        colour: COLOURS[change.action].frame,
        label: text.changeActions[change.action],
      });
    }
    return {
      draft,
      components: library as ReadonlyMap<string, Drawn>,
      runs: new Map(),
      problems: new Map(),
      selected: new Set(chosen),
      tints,
    };
  }, [draft, changes, chosen, library, text]);
  return (
    <section aria-label={title}>
      <Title order={2} size="h5" mb={6}>
        {title}
      </Title>
      <div className={classes.graph}>
        <Snapshot shown={shown} dark={dark} onChoose={onChoose} />
      </div>
    </section>
  );
}
