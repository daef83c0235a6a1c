import { Anchor, Button, Group, Select, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { experimentsQuery, runPagesQuery } from "../api/queries";
import { useLanguage, useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { RunState } from "./RunState";
import { took } from "./times";
import classes from "./runs.module.css";

/** All runs, or those of an experiment, latest first. */
export function Runs() {
  const text = useText();
  const language = useLanguage((s) => s.language);
  const [place, setPlace] = useSearchParams();
  const experiment = place.get("experiment");
  const [search, setSearch] = useState("");
  const [settled] = useDebouncedValue(search, 150);
  const runs = useInfiniteQuery(runPagesQuery(experiment, settled));
  const experiments = useQuery(experimentsQuery);
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  const items = runs.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Stack maw={1080} mx="auto" p="xl" gap="lg">
      <Group justify="space-between">
        <Title order={1} size="h2">
          {text.runsTitle}
        </Title>
        <Group gap="xs">
          <Select
            size="xs"
            w={300}
            aria-label={text.experiment}
            placeholder={text.allExperiments}
            clearable
            searchable
            data={(experiments.data?.items ?? []).map((e) => e.name)}
            value={experiment}
            onChange={(chosen) => {
              setPlace(chosen ? { experiment: chosen } : {}, { replace: true });
            }}
          />
          <TextInput
            size="xs"
            w={200}
            placeholder={text.search}
            aria-label={text.search}
            leftSection={<IconSearch size={14} />}
            value={search}
            onChange={(event) => {
              setSearch(event.currentTarget.value);
            }}
          />
        </Group>
      </Group>
      {runs.error && (
        <Refusal title={text.somethingWrong} error={runs.error} otherwise={text.offline} />
      )}
      {runs.isPending ? (
        <Waiting />
      ) : items.length === 0 ? (
        <Text size="sm" c="dimmed">
          {search ? text.nothingFound : text.runsNone}
        </Text>
      ) : (
        <Table highlightOnHover verticalSpacing={6} className={classes.table}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.runColumn}</Table.Th>
              <Table.Th>{text.experiment}</Table.Th>
              <Table.Th w={130}>{text.runStatus}</Table.Th>
              <Table.Th w={215}>{text.runBegan}</Table.Th>
              <Table.Th w={90} ta="right">
                {text.runTook}
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map((run) => {
              const seconds = took(run, runs.dataUpdatedAt);
              return (
                <Table.Tr key={run.id}>
                  <Table.Td>
                    <Anchor component={Link} to={`/runs/${run.id}`} size="sm">
                      {run.name}
                    </Anchor>
                  </Table.Td>
                  <Table.Td>{run.experiment}</Table.Td>
                  <Table.Td>
                    <RunState status={run.status} />
                  </Table.Td>
                  <Table.Td style={{ whiteSpace: "nowrap" }}>
                    {when.format(new Date(run.created_at))}
                  </Table.Td>
                  <Table.Td ta="right">{seconds === null ? "–" : text.seconds(seconds)}</Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      )}
      {runs.hasNextPage && (
        <Button
          variant="default"
          size="xs"
          w="fit-content"
          loading={runs.isFetchingNextPage}
          onClick={() => void runs.fetchNextPage()}
        >
          {text.more}
        </Button>
      )}
    </Stack>
  );
}
