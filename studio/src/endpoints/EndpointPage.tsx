import { Alert, Anchor, Button, Group, Stack, Tabs, Text, Title } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams, useSearchParams } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { endpointQuery } from "../api/queries";
import { ExportMenu } from "../forms/ExportMenu";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { Consume } from "./Consume";
import { DeleteEndpoint } from "./DeleteEndpoint";
import { Details } from "./Details";
import { EndpointState } from "./EndpointState";
import { Log } from "./Log";
import { Monitoring } from "./Monitoring";
import { freshnessQuery } from "./queries";
import { TryIt } from "./TryIt";

type Endpoint = Schemas["Endpoint"];

/** An endpoint: how it does, a place to try it, how to use it, what it wrote and what it does now. */
export function EndpointPage() {
  const { name = "" } = useParams();
  const text = useText();
  const cache = useQueryClient();
  const [place, setPlace] = useSearchParams();
  const { data: endpoint, error } = useQuery(endpointQuery(name));
  const path = { params: { path: { name } } };
  const change = useMutation({
    mutationFn: (start: boolean) =>
      got<Endpoint>(
        start
          ? api.POST("/api/endpoints/{name}/start", path)
          : api.POST("/api/endpoints/{name}/stop", path),
      ),
    onSuccess: (now) => {
      cache.setQueryData(["endpoint", name], now);
      void cache.invalidateQueries({ queryKey: ["endpoints"] });
    },
  });
  if (error && !endpoint) {
    return (
      <Stack maw={720} mx="auto" p="xl">
        <Refusal title={text.somethingWrong} error={error} otherwise={text.offline} />
      </Stack>
    );
  }
  if (!endpoint) return <Waiting />;
  const stopped = endpoint.desired === "stopped";
  return (
    <Stack maw={1120} mx="auto" p="xl" gap="md">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div>
          <Anchor component={Link} to="/endpoints" size="xs" c="dimmed">
            {text.endpoints}
          </Anchor>
          <Group gap="sm">
            <Title order={1} size="h3">
              {endpoint.name}
            </Title>
            <EndpointState state={endpoint.state} />
          </Group>
          <Text size="sm" c="dimmed">
            {endpoint.description}
          </Text>
        </div>
        <Group gap="xs" wrap="nowrap">
          <ExportMenu address={`/api/endpoints/${encodeURIComponent(name)}/export`} />
          <Button
            size="xs"
            variant="default"
            loading={change.isPending}
            onClick={() => {
              change.mutate(stopped);
            }}
          >
            {stopped ? text.endpointStart : text.endpointStop}
          </Button>
          <DeleteEndpoint endpoint={endpoint} />
        </Group>
      </Group>
      {change.error && (
        <Refusal title={text.somethingWrong} error={change.error} otherwise={text.offline} />
      )}
      {endpoint.message && (
        <Alert color="orange" role="status">
          {endpoint.message}
        </Alert>
      )}
      <Fresh name={name} />
      <Tabs
        value={place.get("tab") ?? "details"}
        onChange={(tab) => {
          setPlace(tab && tab !== "details" ? { tab } : {}, { replace: true });
        }}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="details">{text.endpointDetails}</Tabs.Tab>
          <Tabs.Tab value="test">{text.endpointTest}</Tabs.Tab>
          <Tabs.Tab value="consume">{text.endpointConsume}</Tabs.Tab>
          <Tabs.Tab value="log">{text.endpointLogs}</Tabs.Tab>
          <Tabs.Tab value="monitoring">{text.endpointMonitoring}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="details">
          <Details endpoint={endpoint} />
        </Tabs.Panel>
        <Tabs.Panel value="test">
          <TryIt endpoint={endpoint} />
        </Tabs.Panel>
        <Tabs.Panel value="consume">
          <Consume endpoint={endpoint} />
        </Tabs.Panel>
        <Tabs.Panel value="log">
          <Log name={name} />
        </Tabs.Panel>
        <Tabs.Panel value="monitoring">
          <Monitoring name={name} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

/** Says when what is served is not the latest that was learnt. */
function Fresh({ name }: { readonly name: string }) {
  const text = useText();
  const { data } = useQuery(freshnessQuery(name));
  if (!data || (!data.newer && !data.draft_is_ahead)) return null;
  const draft = data.draft?.id;
  return (
    <Alert
      color="orange"
      variant="light"
      role="status"
      icon={<IconRefresh size={16} />}
      title={data.draft_is_ahead ? text.endpointDraftAhead : text.endpointMovedOn}
    >
      <Group gap="md">
        <Text size="sm">
          {data.draft_is_ahead ? text.endpointDraftAheadHint : text.endpointMovedOnHint}
        </Text>
        {draft && (
          <Anchor
            component={Link}
            size="sm"
            fw={600}
            to={data.draft_is_ahead ? `/drafts/${draft}?deploy` : `/drafts/${draft}/update`}
          >
            {data.draft_is_ahead ? text.deploy : text.inferenceUpdate}
          </Anchor>
        )}
      </Group>
    </Alert>
  );
}
