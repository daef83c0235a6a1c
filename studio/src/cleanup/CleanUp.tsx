import {
  Anchor,
  Button,
  Group,
  List,
  NumberInput,
  Progress,
  SimpleGrid,
  Stack,
  Table,
  Text,
  Title,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";

/** What takes space, and what may go by age or by size, seen before it goes. */
export function CleanUp() {
  const text = useText();
  const cache = useQueryClient();
  const [days, setDays] = useState<number | null>(30);
  const [most, setMost] = useState<number | null>(null);
  const rule = { older_than_days: days, most_gb: most };
  const [settled] = useDebouncedValue(rule, 300);
  const given = settled.older_than_days !== null || settled.most_gb !== null;
  const space = useQuery({
    queryKey: ["space"],
    queryFn: () => got<Schemas["DiskSpace"]>(api.GET("/api/clean-up/space")),
  });
  const plan = useQuery({
    queryKey: ["clean-up", settled],
    queryFn: () => got<Schemas["CleanUp"]>(api.POST("/api/clean-up/plan", { body: settled })),
    enabled: given,
    placeholderData: keepPreviousData,
  });
  const clean = useMutation({
    mutationFn: () => got<Schemas["CleanUp"]>(api.POST("/api/clean-up", { body: rule })),
    onSuccess: (done) => {
      notifications.show({ color: "teal", message: text.cleanupDone(text.bytes(done.size)) });
      for (const key of ["space", "clean-up", "run-pages", "runs", "drafts"]) {
        void cache.invalidateQueries({ queryKey: [key] });
      }
    },
  });
  const found = given ? plan.data : undefined;
  const nothing = found && found.runs.length + found.drafts.length + found.values === 0;
  const largest = Math.max(1, ...(space.data?.items ?? []).map((one) => one.size));
  return (
    <Stack maw={1120} mx="auto" p="xl" gap="xl">
      <Title order={1} size="h2">
        {text.cleanup}
      </Title>
      <section aria-labelledby="space">
        <Title order={2} size="h5" id="space" mb="xs">
          {text.cleanupSpace}
        </Title>
        {space.error && (
          <Refusal title={text.somethingWrong} error={space.error} otherwise={text.offline} />
        )}
        {!space.data && !space.error && <Waiting />}
        {space.data && (
          <>
            <Table fz="sm" verticalSpacing={5} maw={820}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{text.cleanupKind}</Table.Th>
                  <Table.Th w={90} ta="right">
                    {text.cleanupCount}
                  </Table.Th>
                  <Table.Th w={110} ta="right">
                    {text.cleanupSize}
                  </Table.Th>
                  <Table.Th w={260} />
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {space.data.items.map((one) => (
                  <Table.Tr key={one.kind}>
                    <Table.Td>{text.cleanupKinds[one.kind] ?? one.kind}</Table.Td>
                    <Table.Td ta="right">{one.count ?? "–"}</Table.Td>
                    <Table.Td ta="right">{text.bytes(one.size)}</Table.Td>
                    <Table.Td>
                      <Progress value={(100 * one.size) / largest} size="sm" aria-hidden />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
            <Text size="sm" c="dimmed" mt="xs">
              {text.cleanupFree(text.bytes(space.data.free))}
            </Text>
          </>
        )}
      </section>
      <section aria-labelledby="retention">
        <Title order={2} size="h5" id="retention" mb={4}>
          {text.cleanupRetention}
        </Title>
        <Text size="sm" c="dimmed" mb="sm">
          {text.cleanupHint}
        </Text>
        <SimpleGrid cols={2} maw={720} spacing="sm" mb="sm">
          <NumberInput
            size="xs"
            label={text.cleanupDays}
            min={0}
            value={days ?? ""}
            onChange={(value) => {
              setDays(typeof value === "number" ? value : null);
            }}
          />
          <NumberInput
            size="xs"
            label={text.cleanupSizeLimit}
            min={0}
            value={most ?? ""}
            onChange={(value) => {
              setMost(typeof value === "number" ? value : null);
            }}
          />
        </SimpleGrid>
        {(plan.error ?? clean.error) && (
          <Refusal
            title={text.somethingWrong}
            error={plan.error ?? clean.error ?? new Error()}
            otherwise={text.offline}
          />
        )}
        {found && (
          <Stack gap="xs" role="status">
            <Group>
              <Text size="sm">
                {nothing
                  ? text.cleanupNothing
                  : text.cleanupWould(
                      found.runs.length,
                      found.drafts.length,
                      found.values,
                      text.bytes(found.size),
                    )}
              </Text>
              <Button
                size="xs"
                color="red"
                disabled={nothing ?? true}
                loading={clean.isPending}
                onClick={() => {
                  clean.mutate();
                }}
              >
                {text.cleanupDo}
              </Button>
            </Group>
            {found.runs.length > 0 && (
              <List size="sm" spacing={2}>
                {found.runs.slice(0, 20).map((run) => (
                  <List.Item key={run.id}>
                    <Anchor component={Link} to={`/runs/${run.id}`} size="sm">
                      {run.name}
                    </Anchor>
                  </List.Item>
                ))}
                {found.runs.length > 20 && <List.Item>…</List.Item>}
              </List>
            )}
            {found.kept.length > 0 && (
              <>
                <Text size="sm">{text.cleanupKept(found.kept.length)}</Text>
                <List size="sm" spacing={2}>
                  {found.kept.slice(0, 20).map((kept) => (
                    <List.Item key={kept.run}>
                      <Anchor component={Link} to={`/runs/${kept.run}`} size="sm">
                        {kept.name}
                      </Anchor>
                      {` – ${text.cleanupNeeded}: ${kept.needed_by.join(", ")}`}
                    </List.Item>
                  ))}
                </List>
              </>
            )}
          </Stack>
        )}
      </section>
      <section aria-labelledby="by-hand">
        <Title order={2} size="h5" id="by-hand" mb={4}>
          {text.cleanupByHand}
        </Title>
        <Text size="sm" c="dimmed" mb="xs">
          {text.cleanupByHandHint}
        </Text>
        <Group gap="lg">
          {(
            [
              ["/", text.drafts],
              ["/runs", text.runs],
              ["/endpoints", text.endpoints],
              ["/data", text.data],
              ["/models", text.models],
              ["/transformations", text.transformations],
              ["/compute", text.compute],
            ] as const
          ).map(([to, label]) => (
            <Anchor key={to} component={Link} to={to} size="sm">
              {label}
            </Anchor>
          ))}
        </Group>
      </section>
    </Stack>
  );
}
