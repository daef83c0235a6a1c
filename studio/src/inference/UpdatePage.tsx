import {
  Alert,
  Anchor,
  Badge,
  Button,
  Group,
  SegmentedControl,
  Table,
  Text,
  Title,
} from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { useLibrary } from "../api/queries";
import { useText } from "../text/useText";
import { Failure } from "../ui/Failure";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { ParityTable } from "./InferenceNotice";
import { type Choices, headQuery, updateQuery } from "./queries";
import classes from "./inference.module.css";

type Update = Schemas["InferenceUpdate"];

/** What a later run of the training pipeline changes, seen before it is taken. */
export function UpdatePage() {
  const { draftId = "" } = useParams();
  const text = useText();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const [choices, setChoices] = useState<Choices>({});
  const { data: draft } = useQuery(headQuery(draftId));
  const { data, error } = useQuery(updateQuery(draftId, choices));
  const take = useMutation({
    mutationFn: () =>
      got<Schemas["Draft"]>(
        api.POST("/api/drafts/{draft_id}/update", {
          params: { path: { draft_id: draftId } },
          body: { revision: draft?.revision ?? 0, choices: { ...choices } },
        }),
      ),
    onSuccess: (now) => {
      cache.setQueryData(["draft", draftId], now);
      for (const key of ["training", "conversion", "models"]) {
        void cache.invalidateQueries({ queryKey: [key] });
      }
      notifications.show({ color: "teal", message: text.updateTaken });
      void navigate(`/drafts/${draftId}`);
    },
  });
  return (
    <div className={classes.page} style={{ maxWidth: 1080 }}>
      <Group justify="space-between">
        <div>
          <Anchor component={Link} to={`/drafts/${draftId}`} size="xs" c="dimmed">
            {draft?.name}
          </Anchor>
          <Title order={1} size="h3">
            {text.updateTitle}
          </Title>
        </div>
        {data && (
          <Group gap="xs">
            <Button size="xs" variant="default" component={Link} to={`/drafts/${draftId}`}>
              {text.cancel}
            </Button>
            <Button
              size="xs"
              disabled={!draft}
              loading={take.isPending}
              onClick={() => {
                take.mutate();
              }}
            >
              {text.updateTake}
            </Button>
          </Group>
        )}
      </Group>
      {take.error && (
        <Refusal title={text.somethingWrong} error={take.error} otherwise={text.offline} />
      )}
      {error ? (
        <Alert color="gray" role="status">
          {error.message || text.offline} {"remedy" in error ? String(error.remedy) : ""}
        </Alert>
      ) : !data ? (
        <Waiting />
      ) : (
        <Seen
          update={data}
          choices={choices}
          onChoose={(key, side) => {
            setChoices({ ...choices, [key]: side });
          }}
        />
      )}
    </div>
  );
}

interface SeenProps {
  readonly update: Update;
  readonly choices: Choices;
  onChoose(key: string, side: "mine" | "theirs"): void;
}

function Seen({ update, choices, onChoose }: SeenProps) {
  const text = useText();
  const title = (node: string) => update.graph.nodes?.find((n) => n.id === node)?.title || node;
  const library = useLibrary();
  const named = (component: string, parameter: string) =>
    library.get(component)?.parameters.find((one) => one.name === parameter)?.title ??
    parameter.replaceAll("_", " ");
  return (
    <>
      <Section title={text.updateValues}>
        <Table fz="sm" verticalSpacing={5}>
          <Table.Tbody>
            {update.frozen.map((value) => (
              <Table.Tr key={value.node}>
                <Table.Td>{value.title}</Table.Td>
                <Table.Td w={150}>{text.frozenKinds[value.kind] ?? value.kind}</Table.Td>
                <Table.Td w={150}>
                  <Badge
                    color={value.change === "same" ? "gray" : "indigo"}
                    variant="light"
                    tt="none"
                    fw={500}
                  >
                    {text.frozenChanges[value.change]}
                  </Badge>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Section>
      <Section title={text.updateParameters}>
        {update.runs.nodes.length === 0 ? (
          <Text size="sm" c="dimmed">
            {text.updateNoParameters}
          </Text>
        ) : (
          <Table fz="sm" verticalSpacing={5}>
            <Heads first={text.changesNode} second={text.updateParameter} />
            <Table.Tbody>
              {update.runs.nodes.flatMap((node) =>
                node.settings.length > 0
                  ? node.settings.map((setting) => (
                      <Table.Tr key={`${node.node} ${setting.parameter}`}>
                        <Table.Td>{node.title}</Table.Td>
                        <Table.Td>{named(node.component, setting.parameter)}</Table.Td>
                        <Table.Td>{words(setting.left)}</Table.Td>
                        <Table.Td>{words(setting.right)}</Table.Td>
                      </Table.Tr>
                    ))
                  : [
                      <Table.Tr key={node.node}>
                        <Table.Td>{node.title}</Table.Td>
                        <Table.Td>{text.updateNodeChanges[node.change]}</Table.Td>
                        <Table.Td />
                        <Table.Td />
                      </Table.Tr>,
                    ],
              )}
            </Table.Tbody>
          </Table>
        )}
      </Section>
      <Section title={text.updateMetrics}>
        <Table fz="sm" verticalSpacing={5} maw={720}>
          <Heads first={text.metrics} />
          <Table.Tbody>
            {update.runs.metrics.map((metric) => (
              <Table.Tr key={`${metric.node} ${metric.port} ${metric.name}`}>
                <Table.Td>{metric.name.replaceAll("_", " ")}</Table.Td>
                <Table.Td>{figure(metric.left)}</Table.Td>
                <Table.Td fw={metric.left === metric.right ? 400 : 600}>
                  {figure(metric.right)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Section>
      {Object.keys(update.kept).length > 0 && (
        <Section title={text.updateKept}>
          <Table fz="sm" verticalSpacing={5}>
            <Table.Tbody>
              {Object.entries(update.kept).map(([node, fields]) => (
                <Table.Tr key={node}>
                  <Table.Td w={360}>{title(node)}</Table.Td>
                  <Table.Td>{fields.map((f) => f.replaceAll("_", " ")).join(", ")}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Section>
      )}
      {update.clashes.length > 0 && (
        <Section title={text.updateClashes}>
          <Text size="sm" c="dimmed" mb="xs">
            {text.updateClashHint}
          </Text>
          <Table fz="sm" verticalSpacing={5}>
            <Table.Tbody>
              {update.clashes.map((clash) => (
                <Table.Tr key={clash.key}>
                  <Table.Td>
                    {title(clash.node)} · {clash.port ?? clash.field.replaceAll("_", " ")}
                  </Table.Td>
                  <Table.Td>{words(clash.mine ?? text.updateGone)}</Table.Td>
                  <Table.Td>{words(clash.theirs ?? text.updateGone)}</Table.Td>
                  <Table.Td>
                    <SegmentedControl
                      size="xs"
                      aria-label={clash.key}
                      value={choices[clash.key] ?? "mine"}
                      data={[
                        { value: "mine", label: text.updateMine },
                        { value: "theirs", label: text.updateTheirs },
                      ]}
                      onChange={(side) => {
                        onChoose(clash.key, side as "mine" | "theirs");
                      }}
                    />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Section>
      )}
      {update.fault && (
        <Failure
          title={text.somethingWrong}
          message={update.fault.happened}
          remedy={update.fault.remedy}
        />
      )}
      {update.parity && (
        <Section title={text.parity[update.parity.verdict]}>
          <ParityTable parity={update.parity} />
        </Section>
      )}
    </>
  );
}

function Heads({ first, second }: { readonly first: string; readonly second?: string }) {
  const text = useText();
  return (
    <Table.Thead>
      <Table.Tr>
        <Table.Th>{first}</Table.Th>
        {second && <Table.Th>{second}</Table.Th>}
        <Table.Th>{text.updateFrom}</Table.Th>
        <Table.Th>{text.updateTo}</Table.Th>
      </Table.Tr>
    </Table.Thead>
  );
}

function Section({
  title,
  children,
}: {
  readonly title: string;
  readonly children: React.ReactNode;
}) {
  return (
    <section aria-label={title}>
      <Title order={2} size="h5" mb="xs">
        {title}
      </Title>
      {children}
    </section>
  );
}

function words(value: unknown): string {
  if (value === null || value === undefined) return "–";
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  return shown.startsWith("sha256:") ? shown.slice(7, 15) : shown;
}

function figure(value: number | null): string {
  return value === null
    ? "–"
    : Number(value.toPrecision(6)).toLocaleString(undefined, { maximumFractionDigits: 6 });
}
