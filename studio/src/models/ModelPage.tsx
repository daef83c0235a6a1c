import { Anchor, Button, Group, Select, Stack, Table, Tabs, Text, Title } from "@mantine/core";
import { IconCloudUpload, IconDownload, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { ExportMenu } from "../forms/ExportMenu";
import { InUse } from "../forms/InUse";
import { useLanguage, useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { undoNotice } from "../ui/undoNotice";
import { Users } from "../ui/Users";
import { Waiting } from "../ui/Waiting";
import { figure } from "./figures";
import { type Kind, modelUsesQuery, modelVersionsQuery, type Registered } from "./queries";

interface Props {
  readonly kind: Kind;
  /** What a stored value has learnt, shown. */
  readonly learnt: (digest: string) => ReactNode;
}

/** A registered model or transformation: versions, figures, where it came from, who uses it. */
export function ModelPage({ kind, learnt }: Props) {
  const { name = "" } = useParams();
  const text = useText();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const language = useLanguage((chosen) => chosen.language);
  const versions = useQuery(modelVersionsQuery(name));
  const uses = useQuery(modelUsesQuery(name));
  const [chosen, setChosen] = useState<string | null>(null);
  const home = kind === "model" ? "/models" : "/transformations";
  const refresh = () => void cache.invalidateQueries({ queryKey: ["models"] });
  const restore = () =>
    api.POST("/api/models/{name}/restore", { params: { path: { name } } }).then(refresh);
  const remove = useMutation({
    mutationFn: ({ version, force }: { version: number; force: boolean }) =>
      got<Schemas["Done"]>(
        api.DELETE("/api/models/{name}", {
          params: { path: { name }, query: { version, force } },
        }),
      ),
    onSuccess: () => {
      refresh();
      undoNotice(text.draftDeleted(name), { label: text.undo, act: () => void restore() });
      if ((versions.data?.items.length ?? 0) < 2) void navigate(home);
      else setChosen(null);
    },
  });
  const deploy = useMutation({
    mutationFn: (run: string) =>
      got<Schemas["InferenceDraft"]>(
        api.POST("/api/runs/{run_id}/inference", {
          params: { path: { run_id: run } },
          body: { kind: "real-time", requests: [], replies: [] },
        }),
      ),
    onSuccess: (made) => {
      void cache.invalidateQueries({ queryKey: ["drafts"] });
      void navigate(`/drafts/${made.draft.id}?deploy`);
    },
  });
  if (versions.error) {
    return (
      <Stack maw={720} mx="auto" p="xl">
        <Refusal title={text.somethingWrong} error={versions.error} otherwise={text.offline} />
      </Stack>
    );
  }
  const all = versions.data?.items ?? [];
  const model = all.find((one) => String(one.version) === chosen) ?? all[0];
  if (!model) return <Waiting />;
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const users = uses.data?.items ?? [];
  const run = model.lineage.run_id;
  return (
    <Stack maw={1120} mx="auto" p="xl" gap="md">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div>
          <Anchor component={Link} to={home} size="xs" c="dimmed">
            {kind === "model" ? text.models : text.transformations}
          </Anchor>
          <Title order={1} size="h3">
            {model.name}
          </Title>
          <Text size="sm" c="dimmed">
            {when.format(new Date(model.created_at))}
          </Text>
          {model.description && <Text size="sm">{model.description}</Text>}
        </div>
        <Group gap="xs" wrap="nowrap">
          <Select
            size="xs"
            w={130}
            aria-label={text.versions}
            allowDeselect={false}
            data={all.map((one) => ({
              value: String(one.version),
              label: `${text.dataVersion} ${String(one.version)}`,
            }))}
            value={String(model.version)}
            onChange={setChosen}
          />
          <Button
            size="xs"
            variant="default"
            component="a"
            href={`/api/artifacts/${model.digest}/download?format=files&name=${encodeURIComponent(model.name)}`}
            leftSection={<IconDownload size={14} />}
          >
            {text.download}
          </Button>
          {kind === "model" && (
            <ExportMenu
              address={`/api/models/${encodeURIComponent(model.name)}/export?version=${String(model.version)}`}
            />
          )}
          {kind === "model" && run && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconCloudUpload size={14} />}
              loading={deploy.isPending}
              onClick={() => {
                deploy.mutate(run);
              }}
            >
              {text.deploy}
            </Button>
          )}
          <Button
            size="xs"
            variant="default"
            leftSection={<IconTrash size={14} />}
            loading={remove.isPending}
            onClick={() => {
              remove.mutate({ version: model.version, force: false });
            }}
          >
            {text.remove}
          </Button>
        </Group>
      </Group>
      <Text size="sm" c="dimmed">
        {text.modelUse}
      </Text>
      {deploy.error && (
        <Refusal title={text.somethingWrong} error={deploy.error} otherwise={text.offline} />
      )}
      {remove.error && (
        <InUse
          error={remove.error}
          onAnyway={() => {
            remove.mutate({ version: model.version, force: true });
          }}
        />
      )}
      <Tabs defaultValue="learnt" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="learnt">{text.learnt}</Tabs.Tab>
          <Tabs.Tab value="versions">{`${text.versions} (${String(all.length)})`}</Tabs.Tab>
          <Tabs.Tab value="lineage">{text.modelLineage}</Tabs.Tab>
          <Tabs.Tab value="uses">{`${text.usedIn} (${String(users.length)})`}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="learnt">{learnt(model.digest)}</Tabs.Panel>
        <Tabs.Panel value="versions">
          <Versions all={all} when={when} />
        </Tabs.Panel>
        <Tabs.Panel value="lineage">
          <Lineage model={model} />
        </Tabs.Panel>
        <Tabs.Panel value="uses">
          <Users uses={users} kinds={text.useKinds} none={text.notUsed} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

interface VersionsProps {
  readonly all: readonly Registered[];
  readonly when: Intl.DateTimeFormat;
}

function Versions({ all, when }: VersionsProps) {
  const text = useText();
  const names = [...new Set(all.flatMap((one) => Object.keys(one.metrics)))];
  return (
    <Table fz="sm" verticalSpacing={5}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{text.dataVersion}</Table.Th>
          <Table.Th>{text.modelMade}</Table.Th>
          {names.map((name) => (
            <Table.Th key={name} ta="right">
              {name.replaceAll("_", " ")}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {all.map((one) => (
          <Table.Tr key={one.version}>
            <Table.Td>{one.version}</Table.Td>
            <Table.Td>{when.format(new Date(one.created_at))}</Table.Td>
            {names.map((name) => {
              const value = one.metrics[name];
              return (
                <Table.Td key={name} ta="right">
                  {value == null ? "–" : figure(value)}
                </Table.Td>
              );
            })}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Lineage({ model }: { readonly model: Registered }) {
  const text = useText();
  const { run_id: run, draft_id: draft, node, port } = model.lineage;
  const facts: readonly (readonly [string, ReactNode])[] = [
    [
      text.endpointTrainingRun,
      run ? (
        <Anchor key="run" component={Link} to={`/runs/${run}`} size="sm">
          {run}
        </Anchor>
      ) : (
        "–"
      ),
    ],
    [
      text.useKinds.draft,
      draft ? (
        <Anchor key="draft" component={Link} to={`/drafts/${draft}`} size="sm">
          {text.openDraft}
        </Anchor>
      ) : (
        "–"
      ),
    ],
    [text.modelPort, node && port ? `${node}.${port}` : "–"],
    [text.modelDigest, model.digest],
  ];
  return (
    <Table fz="sm" verticalSpacing={5} maw={820}>
      <Table.Tbody>
        {facts.map(([label, value]) => (
          <Table.Tr key={label}>
            <Table.Th scope="row" w={180} fw={500}>
              {label}
            </Table.Th>
            <Table.Td style={{ overflowWrap: "anywhere" }}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
