import {
  ActionIcon,
  Anchor,
  Button,
  Group,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
  Tooltip,
  UnstyledButton,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import {
  IconCopy,
  IconDownload,
  IconFileImport,
  IconPlus,
  IconSearch,
  IconTrash,
} from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { exportDraft } from "../api/exportDraft";
import { draftsQuery, samplesQuery } from "../api/queries";
import { useLanguage, useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Thumbnail } from "./Thumbnail";
import classes from "./Home.module.css";

type Draft = Schemas["Draft"];

export function Home() {
  const text = useText();
  const language = useLanguage((s) => s.language);
  const navigate = useNavigate();
  const cache = useQueryClient();
  const [search, setSearch] = useState("");
  const [settled] = useDebouncedValue(search, 150);
  const drafts = useQuery(draftsQuery(settled));
  const samples = useQuery(samplesQuery);
  const file = useRef<HTMLInputElement>(null);

  const create = useMutation({
    mutationFn: (body: { sample?: string; text?: string }) =>
      got<Draft>(
        api.POST("/api/drafts", {
          body: { kind: "training", layout: { positions: {}, notes: [], groups: [] }, ...body },
        }),
      ),
    onSuccess: (draft) => navigate(`/drafts/${draft.id}`),
  });
  const [over, setOver] = useState(false);
  /** Opens a pipeline file as a new draft. */
  const take = (chosen: File | undefined) => {
    if (!chosen) return;
    void chosen.text().then((content) => {
      create.mutate({ text: content });
    });
  };
  const refresh = () => cache.invalidateQueries({ queryKey: ["drafts"] });
  const copy = useMutation({
    mutationFn: (id: string) =>
      got<Draft>(
        api.POST("/api/drafts/{draft_id}/duplicate", { params: { path: { draft_id: id } } }),
      ),
    onSuccess: refresh,
  });
  const restore = (id: string) =>
    api
      .POST("/api/drafts/{draft_id}/restore", { params: { path: { draft_id: id } } })
      .then(refresh);
  const remove = useMutation({
    mutationFn: (draft: { id: string; name: string }) =>
      got(api.DELETE("/api/drafts/{draft_id}", { params: { path: { draft_id: draft.id } } })),
    onSuccess: (_, draft) => {
      void refresh();
      notifications.show({
        id: draft.id,
        message: (
          <Group justify="space-between">
            {text.draftDeleted(draft.name)}
            <Button
              size="compact-xs"
              variant="default"
              onClick={() => {
                void restore(draft.id);
                notifications.hide(draft.id);
              }}
            >
              {text.undo}
            </Button>
          </Group>
        ),
      });
    },
  });

  const kinds: Readonly<Record<string, string>> = {
    training: text.kindTraining,
    "real-time-inference": text.kindRealTime,
    "batch-inference": text.kindBatch,
  };
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const items = drafts.data?.items ?? [];

  const gallery = (
    <section key="samples" aria-labelledby="samples">
      <Title order={2} size="h4" id="samples">
        {text.samples}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {text.samplesHint}
      </Text>
      <div className={classes.gallery}>
        {(samples.data?.items ?? []).map((sample) => (
          <UnstyledButton
            key={sample.id}
            className={classes.card}
            onClick={() => {
              create.mutate({ sample: sample.id });
            }}
          >
            <Thumbnail graph={sample.graph} layout={sample.layout} />
            <div className={classes.words}>
              <Text size="sm" fw={600} lineClamp={2}>
                {sample.title}
              </Text>
              <Text size="xs" c="dimmed" lineClamp={3}>
                {sample.description}
              </Text>
            </div>
          </UnstyledButton>
        ))}
      </div>
    </section>
  );
  const mine = (
    <section key="drafts" aria-labelledby="drafts">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4" id="drafts">
          {text.drafts}
        </Title>
        <TextInput
          size="xs"
          w={240}
          placeholder={text.search}
          aria-label={text.search}
          leftSection={<IconSearch size={14} />}
          value={search}
          onChange={(event) => {
            setSearch(event.currentTarget.value);
          }}
        />
      </Group>
      {drafts.isSuccess && items.length === 0 ? (
        <Text size="sm" c="dimmed">
          {search ? text.nothingFound : text.noDrafts}
        </Text>
      ) : (
        <Table highlightOnHover verticalSpacing={6} className={classes.table}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.draftName}</Table.Th>
              <Table.Th w={200}>{text.draftKind}</Table.Th>
              <Table.Th w={200}>{text.draftChanged}</Table.Th>
              <Table.Td w={110} />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map((draft) => (
              <Table.Tr key={draft.id}>
                <Table.Td>
                  <Anchor component={Link} to={`/drafts/${draft.id}`} size="sm">
                    {draft.name}
                  </Anchor>
                </Table.Td>
                <Table.Td>{kinds[draft.kind] ?? draft.kind}</Table.Td>
                <Table.Td>{when.format(new Date(draft.changed_at))}</Table.Td>
                <Table.Td>
                  <Group gap={2} wrap="nowrap" justify="flex-end">
                    <Tooltip label={text.exportFile}>
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        aria-label={`${text.exportFile}: ${draft.name}`}
                        onClick={() => {
                          void exportDraft(draft.id);
                        }}
                      >
                        <IconDownload size={16} />
                      </ActionIcon>
                    </Tooltip>
                    <Tooltip label={text.duplicate}>
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        aria-label={`${text.duplicate}: ${draft.name}`}
                        onClick={() => {
                          copy.mutate(draft.id);
                        }}
                      >
                        <IconCopy size={16} />
                      </ActionIcon>
                    </Tooltip>
                    <Tooltip label={text.remove}>
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        aria-label={`${text.remove}: ${draft.name}`}
                        onClick={() => {
                          remove.mutate(draft);
                        }}
                      >
                        <IconTrash size={16} />
                      </ActionIcon>
                    </Tooltip>
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </section>
  );

  return (
    <Stack
      maw={1080}
      mih="100%"
      mx="auto"
      p="xl"
      gap="xl"
      className={classes.page ?? ""}
      data-over={over || undefined}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer.files[0]);
      }}
    >
      <Group justify="space-between">
        <Title order={1} size="h2">
          {text.homeTitle}
        </Title>
        <Group gap="xs">
          <input
            ref={file}
            type="file"
            accept=".yaml,.yml"
            hidden
            aria-label={text.importFile}
            onChange={(event) => {
              take(event.currentTarget.files?.[0]);
              event.currentTarget.value = "";
            }}
          />
          <Button
            variant="default"
            leftSection={<IconFileImport size={16} />}
            onClick={() => file.current?.click()}
          >
            {text.importFile}
          </Button>
          <Button
            leftSection={<IconPlus size={16} />}
            onClick={() => {
              create.mutate({});
            }}
            loading={create.isPending}
          >
            {text.newPipeline}
          </Button>
        </Group>
      </Group>
      {create.error && (
        <Refusal title={text.somethingWrong} error={create.error} otherwise={text.offline} />
      )}
      {drafts.error && (
        <Refusal title={text.somethingWrong} error={drafts.error} otherwise={text.offline} />
      )}

      {/* Whoever has pipelines looks for them first. */}
      {items.length > 0 || search ? [mine, gallery] : [gallery, mine]}
    </Stack>
  );
}
