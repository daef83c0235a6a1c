import { Anchor, Button, Group, Select, Stack, Tabs, Text, Title } from "@mantine/core";
import { IconDownload, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api, got } from "../api/client";
import { datasetUsesQuery, datasetVersionsQuery } from "../api/queries";
import { InUse } from "../forms/InUse";
import { useLanguage, useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { undoNotice } from "../ui/undoNotice";
import { Users } from "../ui/Users";
import { Waiting } from "../ui/Waiting";

interface Props {
  /** How a stored table is looked at. */
  readonly profile: (digest: string) => ReactNode;
  readonly rows: (digest: string) => ReactNode;
}

/** A data set with its versions, what is in it, and who uses it. */
export function DatasetPage({ profile, rows }: Props) {
  const { name = "" } = useParams();
  const text = useText();
  const language = useLanguage((s) => s.language);
  const navigate = useNavigate();
  const cache = useQueryClient();
  const versions = useQuery(datasetVersionsQuery(name));
  const uses = useQuery(datasetUsesQuery(name));
  const [chosen, setChosen] = useState<string | null>(null);

  const refresh = () => cache.invalidateQueries({ queryKey: ["datasets"] });
  const remove = useMutation({
    mutationFn: (force: boolean) =>
      got(api.DELETE("/api/datasets/{name}", { params: { path: { name }, query: { force } } })),
    onSuccess: () => {
      void refresh();
      void navigate("/data");
      undoNotice(text.dataDeleted(name), {
        label: text.undo,
        act: () => {
          void api
            .POST("/api/datasets/{name}/restore", { params: { path: { name } } })
            .then(refresh);
        },
      });
    },
  });

  if (versions.error) {
    return (
      <Stack maw={720} mx="auto" p="xl">
        <Refusal title={text.somethingWrong} error={versions.error} otherwise={text.offline} />
      </Stack>
    );
  }
  if (!versions.data) return <Waiting />;
  const all = versions.data.items;
  const dataset = all.find((d) => String(d.version) === chosen) ?? all[0];
  if (!dataset) return <Waiting />;
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const address = `/api/artifacts/${dataset.digest}/download`;
  const file = encodeURIComponent(dataset.name);
  const users = uses.data?.items ?? [];
  return (
    <Stack maw={1240} mx="auto" p="xl" gap="md">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div>
          <Anchor component={Link} to="/data" size="xs" c="dimmed">
            {text.dataTitle}
          </Anchor>
          <Title order={1} size="h3">
            {dataset.name}
          </Title>
          <Text size="sm" c="dimmed">
            {text.rowsColumns(dataset.rows ?? 0, dataset.columns.length)}
            {" · "}
            {when.format(new Date(dataset.created_at))}
          </Text>
          {dataset.description && (
            <Text size="sm" maw={720} mt={4}>
              {dataset.description}
            </Text>
          )}
        </div>
        <Group gap="xs" wrap="nowrap">
          <Select
            size="xs"
            w={150}
            aria-label={text.versions}
            allowDeselect={false}
            data={all.map((d) => ({
              value: String(d.version),
              label: `${text.dataVersion} ${String(d.version)}`,
            }))}
            value={String(dataset.version)}
            onChange={setChosen}
          />
          <Button
            size="xs"
            variant="default"
            component="a"
            href={`${address}?format=csv&name=${file}`}
            leftSection={<IconDownload size={14} />}
          >
            CSV
          </Button>
          <Button
            size="xs"
            variant="default"
            component="a"
            href={`${address}?format=parquet&name=${file}`}
            leftSection={<IconDownload size={14} />}
          >
            Parquet
          </Button>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconTrash size={14} />}
            loading={remove.isPending}
            onClick={() => {
              remove.mutate(false);
            }}
          >
            {text.remove}
          </Button>
        </Group>
      </Group>
      {remove.error && (
        <InUse
          error={remove.error}
          onAnyway={() => {
            remove.mutate(true);
          }}
        />
      )}
      <Tabs defaultValue="profile" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="profile">{text.profile}</Tabs.Tab>
          <Tabs.Tab value="rows">{text.rowsTab}</Tabs.Tab>
          <Tabs.Tab value="uses">{`${text.usedIn} (${String(users.length)})`}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="profile">{profile(dataset.digest)}</Tabs.Panel>
        <Tabs.Panel value="rows">{rows(dataset.digest)}</Tabs.Panel>
        <Tabs.Panel value="uses">
          <Users uses={users} kinds={text.useKinds} none={text.notUsed} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}
