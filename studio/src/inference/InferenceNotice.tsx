import { ActionIcon, Alert, Anchor, Button, Group, Popover, Table, Text } from "@mantine/core";
import {
  IconCircleCheck,
  IconAlertTriangle,
  IconRefresh,
  IconRocket,
  IconX,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useParams } from "react-router";
import type { Schemas } from "../api/client";
import { draftQuery, runQuery, runsQuery } from "../api/queries";
import { sameWork } from "../draft/same";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import { useDeployed } from "./deployed";
import { parityQuery, trainingQuery } from "./queries";
import classes from "./inference.module.css";

type Parity = Schemas["Parity"];

/** What there is to know of the open inference draft, above its canvas. */
export function InferenceNotice() {
  const { draftId = "" } = useParams();
  const { data: draft } = useQuery(draftQuery(draftId));
  if (!draft || draft.kind === "training") return null;
  return (
    <div className={classes.notices}>
      <Deployed draftId={draftId} />
      <Moved draftId={draftId} />
      {draft.kind === "real-time-inference" && <Proof draftId={draftId} />}
    </div>
  );
}

interface LineProps {
  readonly colour: string;
  readonly icon: ReactNode;
  readonly children: ReactNode;
  readonly onDismiss?: () => void;
}

function Line({ colour, icon, children, onDismiss }: LineProps) {
  const text = useText();
  return (
    <Alert color={colour} variant="light" className={classes.notice ?? ""} role="status">
      <Group gap="xs" wrap="nowrap">
        {icon}
        {children}
        {onDismiss && (
          <ActionIcon
            size="sm"
            variant="subtle"
            color="gray"
            ml="auto"
            aria-label={text.deployDismiss}
            onClick={onDismiss}
          >
            <IconX size={14} />
          </ActionIcon>
        )}
      </Group>
    </Alert>
  );
}

function Deployed({ draftId }: { readonly draftId: string }) {
  const text = useText();
  const made = useDeployed((state) => state.byDraft[draftId]);
  const dismiss = useDeployed((state) => state.dismiss);
  if (!made) return null;
  return (
    <Line
      colour="teal"
      icon={<IconRocket size={16} aria-hidden />}
      onDismiss={() => {
        dismiss(draftId);
      }}
    >
      <Text size="sm">
        {made.isNew ? text.deploySucceeded(made.endpoint) : text.deploySame(made.endpoint)}
      </Text>
      <Anchor component={Link} to={`/endpoints/${made.endpoint}`} size="sm" fw={600}>
        {text.deployOpen}
      </Anchor>
    </Line>
  );
}

function Moved({ draftId }: { readonly draftId: string }) {
  const text = useText();
  const { data: training } = useQuery({ ...trainingQuery(draftId), retry: false });
  if (!training?.newer) return null;
  return (
    <Line colour="orange" icon={<IconRefresh size={16} aria-hidden />}>
      <Text size="sm">{text.inferenceNewer}</Text>
      <Anchor component={Link} to={`/drafts/${draftId}/update`} size="sm" fw={600}>
        {text.inferenceUpdate}
      </Anchor>
    </Line>
  );
}

/** The comparison with the training run, once the draft as it is now has run. */
function Proof({ draftId }: { readonly draftId: string }) {
  const text = useText();
  const graph = useDraft((state) => state.history?.present.draft.graph);
  const revision = useDraft((state) => state.revision);
  // A run that is over before its events are listened to tells nobody.
  const { data: runs } = useQuery({ ...runsQuery(draftId), refetchInterval: 3000 });
  const last = runs?.items[0];
  const { data: run } = useQuery({
    ...runQuery(last?.id ?? ""),
    enabled: last?.status === "completed",
  });
  const ran = run && graph ? sameWork(run.graph, graph) : false;
  const { data, error } = useQuery({ ...parityQuery(draftId, revision), enabled: ran });
  if (!ran) return null;
  if (error) {
    return (
      <Line colour="orange" icon={<IconAlertTriangle size={16} aria-hidden />}>
        <Text size="sm">
          {error.message || text.offline} {"remedy" in error ? String(error.remedy) : ""}
        </Text>
      </Line>
    );
  }
  if (!data) return null;
  if (!data.parity) {
    return (
      <Line colour="gray" icon={<IconAlertTriangle size={16} aria-hidden />}>
        <Text size="sm">{text.parityNone}</Text>
      </Line>
    );
  }
  return <ParityLine parity={data.parity} />;
}

export function ParityLine({ parity }: { readonly parity: Parity }) {
  const text = useText();
  const good = parity.verdict === "equal";
  const worst = [...parity.columns].sort((a, b) => b.largest - a.largest)[0];
  return (
    <Line
      colour={good ? "teal" : "orange"}
      icon={
        good ? (
          <IconCircleCheck size={16} aria-hidden />
        ) : (
          <IconAlertTriangle size={16} aria-hidden />
        )
      }
    >
      <Text size="sm" fw={600}>
        {text.parity[parity.verdict]}
      </Text>
      <Text size="sm">
        {[
          text.parityRows(parity.compared, parity.rows),
          worst ? text.parityLargest(difference(worst.largest), worst.column) : "",
        ]
          .filter(Boolean)
          .join(" · ")}
      </Text>
      <Popover width={420} position="bottom-start" withArrow shadow="md">
        <Popover.Target>
          <Button size="compact-xs" variant="subtle">
            {text.parityDetails}
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <ParityTable parity={parity} />
        </Popover.Dropdown>
      </Popover>
    </Line>
  );
}

export function ParityTable({ parity }: { readonly parity: Parity }) {
  const text = useText();
  return (
    <>
      <Text size="sm" mb="xs">
        {parity.reason}. {text.paritySingly(parity.singly, parity.unlike)}
      </Text>
      <Table fz="sm" verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{text.parityColumn}</Table.Th>
            <Table.Th ta="right">{text.parityDifference}</Table.Th>
            <Table.Th ta="right">{text.parityUnequal}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {parity.columns.map((column) => (
            <Table.Tr key={`${column.output} ${column.column}`}>
              <Table.Td>{column.column}</Table.Td>
              <Table.Td ta="right">{difference(column.largest)}</Table.Td>
              <Table.Td ta="right">{column.rows}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  );
}

function difference(value: number): string {
  return value === 0 ? "0" : value.toExponential(1);
}
