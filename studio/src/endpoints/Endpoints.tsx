import { Anchor, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { endpointsQuery } from "../api/queries";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { EndpointState } from "./EndpointState";

/** Every endpoint with its state and its load as they are now. */
export function Endpoints() {
  const text = useText();
  const { data, error } = useQuery(endpointsQuery);
  return (
    <Stack maw={1120} mx="auto" p="xl" gap="lg">
      <Title order={1} size="h2">
        {text.endpoints}
      </Title>
      {error && <Refusal title={text.somethingWrong} error={error} otherwise={text.offline} />}
      {!data ? (
        !error && <Waiting />
      ) : data.items.length === 0 ? (
        <Text size="sm" c="dimmed">
          {text.endpointsNone}
        </Text>
      ) : (
        <Table verticalSpacing={6} highlightOnHover fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.endpointName}</Table.Th>
              <Table.Th w={130}>{text.runStatus}</Table.Th>
              <Table.Th w={90} ta="right">
                {text.monitoringReplicas}
              </Table.Th>
              <Table.Th w={130} ta="right">
                {text.endpointRate}
              </Table.Th>
              <Table.Th w={150} ta="right">
                {text.monitoringLatency}
              </Table.Th>
              <Table.Th w={110} ta="right">
                {text.endpointAnswered}
              </Table.Th>
              <Table.Th>{text.cluster}</Table.Th>
              <Table.Th>{text.endpointOwner}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.items.map((endpoint) => (
              <Table.Tr key={endpoint.name}>
                <Table.Td>
                  <Anchor component={Link} to={`/endpoints/${endpoint.name}`} size="sm" fw={500}>
                    {endpoint.name}
                  </Anchor>
                </Table.Td>
                <Table.Td>
                  <EndpointState state={endpoint.state} />
                </Table.Td>
                <Table.Td ta="right">{endpoint.replicas}</Table.Td>
                <Table.Td ta="right">
                  {endpoint.recent ? text.rate(endpoint.recent.requests_per_s) : "–"}
                </Table.Td>
                <Table.Td ta="right">
                  {endpoint.recent?.p50_ms == null
                    ? "–"
                    : text.latency(endpoint.recent.p50_ms, endpoint.recent.p99_ms ?? 0)}
                </Table.Td>
                <Table.Td ta="right">{endpoint.answered.toLocaleString()}</Table.Td>
                <Table.Td>{endpoint.cluster}</Table.Td>
                <Table.Td>{endpoint.owner ?? "–"}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  );
}
