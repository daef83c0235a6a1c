import { Alert, Anchor, Button, Group, Stack, Table, Tabs, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { endpointLogQuery, endpointQuery } from "../api/queries";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { Consume } from "./Consume";
import { EndpointState } from "./EndpointState";
import { TryIt } from "./TryIt";
import classes from "./endpoints.module.css";

type Endpoint = Schemas["Endpoint"];

/** An endpoint: how it does, a place to try it, how to use it, and what it wrote. */
export function EndpointPage() {
  const { name = "" } = useParams();
  const text = useText();
  const cache = useQueryClient();
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
    <Stack maw={1080} mx="auto" p="xl" gap="md">
      <Group justify="space-between" align="flex-start">
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
      </Group>
      {change.error && (
        <Refusal title={text.somethingWrong} error={change.error} otherwise={text.offline} />
      )}
      {endpoint.message && (
        <Alert color="orange" role="status">
          {endpoint.message}
        </Alert>
      )}
      <Tabs defaultValue="details" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="details">{text.endpointDetails}</Tabs.Tab>
          <Tabs.Tab value="test">{text.endpointTest}</Tabs.Tab>
          <Tabs.Tab value="consume">{text.endpointConsume}</Tabs.Tab>
          <Tabs.Tab value="log">{text.logs}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="details">
          <Details endpoint={endpoint} />
        </Tabs.Panel>
        <Tabs.Panel value="test">
          <TryIt name={name} />
        </Tabs.Panel>
        <Tabs.Panel value="consume">
          <Consume endpoint={endpoint} />
        </Tabs.Panel>
        <Tabs.Panel value="log">
          <Log name={name} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function Details({ endpoint }: { readonly endpoint: Endpoint }) {
  const text = useText();
  const facts = [
    [text.endpointAddress, endpoint.scoring_url || "–"],
    [text.endpointDocument, endpoint.openapi_url || "–"],
    [text.endpointAnswered, endpoint.answered.toLocaleString()],
    [text.endpointWaiting, endpoint.queued.toLocaleString()],
  ] as const;
  return (
    <Stack gap="lg">
      <Table verticalSpacing={5} fz="sm" maw={820}>
        <Table.Tbody>
          {facts.map(([label, value]) => (
            <Table.Tr key={label}>
              <Table.Th scope="row" w={180} fw={500}>
                {label}
              </Table.Th>
              <Table.Td className={classes.mono}>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <section aria-labelledby="deployments">
        <Title order={2} size="h5" id="deployments" mb="xs">
          {text.endpointDeployments}
        </Title>
        <Table verticalSpacing={5} fz="sm" maw={820}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.endpointNumber}</Table.Th>
              <Table.Th>{text.runStatus}</Table.Th>
              <Table.Th ta="right">{text.endpointTraffic}</Table.Th>
              <Table.Th>{text.useKinds.draft}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {endpoint.deployments.map((made) => (
              <Table.Tr key={made.number}>
                <Table.Td>{made.number}</Table.Td>
                <Table.Td>{made.state}</Table.Td>
                <Table.Td ta="right">{made.traffic} %</Table.Td>
                <Table.Td>
                  {made.lineage.draft_id ? (
                    <Anchor component={Link} to={`/drafts/${made.lineage.draft_id}`} size="sm">
                      {text.openDraft}
                    </Anchor>
                  ) : (
                    "–"
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
    </Stack>
  );
}

function Log({ name }: { readonly name: string }) {
  const text = useText();
  const { data, error } = useQuery(endpointLogQuery(name));
  if (error) return <Refusal title={text.somethingWrong} error={error} otherwise={text.offline} />;
  if (!data) return <Waiting />;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolled region must be reachable by keyboard
    <pre className={classes.log} role="region" aria-label={text.logs} tabIndex={0}>
      {data.lines.join("\n")}
    </pre>
  );
}
