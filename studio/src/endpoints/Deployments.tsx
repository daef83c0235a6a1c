import {
  ActionIcon,
  Anchor,
  Badge,
  Button,
  Group,
  Menu,
  NumberInput,
  Table,
  Text,
  Title,
} from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { EndpointState } from "./EndpointState";

type Endpoint = Schemas["Endpoint"];
type Deployment = Schemas["Deployment"];

/** What an endpoint serves and has served: shares of the requests, promotion, the way back. */
export function Deployments({ endpoint }: { readonly endpoint: Endpoint }) {
  const text = useText();
  const cache = useQueryClient();
  const { name, deployments } = endpoint;
  const [shares, setShares] = useState<Readonly<Record<number, number>> | null>(null);
  const change = useMutation({
    mutationFn: (work: () => Promise<Endpoint>) => work(),
    onSuccess: (now) => {
      cache.setQueryData(["endpoint", name], now);
      void cache.invalidateQueries({ queryKey: ["endpoints"] });
      void cache.invalidateQueries({ queryKey: ["freshness", name] });
      setShares(null);
    },
  });
  const at = (number: number) => ({ params: { path: { name, number } } });
  const present = (made: Deployment) => shares?.[made.number] ?? made.traffic;
  const sum = deployments.reduce((total, made) => total + present(made), 0);
  const earlier = deployments.some((made) => made.traffic === 0 && made.shadow === 0);
  return (
    <section aria-labelledby="deployments">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5" id="deployments">
          {text.endpointDeployments}
        </Title>
        <Group gap="xs">
          {shares && (
            <>
              <Text size="sm" c={sum === 100 ? "dimmed" : "red"}>
                {text.trafficSum(sum)}
              </Text>
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  setShares(null);
                }}
              >
                {text.cancel}
              </Button>
              <Button
                size="xs"
                disabled={sum !== 100}
                loading={change.isPending}
                onClick={() => {
                  const wanted = Object.fromEntries(
                    deployments
                      .filter((made) => present(made) > 0 || made.number in shares)
                      .map((made) => [String(made.number), present(made)]),
                  );
                  change.mutate(() =>
                    got<Endpoint>(
                      api.PUT("/api/endpoints/{name}/traffic", {
                        params: { path: { name } },
                        body: { shares: wanted },
                      }),
                    ),
                  );
                }}
              >
                {text.trafficApply}
              </Button>
            </>
          )}
          {earlier && !shares && (
            <Button
              size="xs"
              variant="default"
              loading={change.isPending}
              onClick={() => {
                change.mutate(() =>
                  got<Endpoint>(
                    api.POST("/api/endpoints/{name}/rollback", { params: { path: { name } } }),
                  ),
                );
              }}
            >
              {text.rollback}
            </Button>
          )}
        </Group>
      </Group>
      {change.error && (
        <Refusal title={text.somethingWrong} error={change.error} otherwise={text.offline} />
      )}
      <Table verticalSpacing={5} fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={70}>{text.endpointNumber}</Table.Th>
            <Table.Th w={140}>{text.runStatus}</Table.Th>
            <Table.Th w={150}>{text.endpointTraffic}</Table.Th>
            <Table.Th w={90}>{text.endpointShadow}</Table.Th>
            <Table.Th>{text.endpointMade}</Table.Th>
            <Table.Th>{text.endpointFrom}</Table.Th>
            <Table.Th w={40} />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {deployments.map((made) => (
            <Table.Tr key={made.number}>
              <Table.Td>#{made.number}</Table.Td>
              <Table.Td>
                <EndpointState state={made.state} />
              </Table.Td>
              <Table.Td>
                <NumberInput
                  size="xs"
                  w={96}
                  suffix=" %"
                  min={0}
                  max={100}
                  aria-label={text.trafficOf(made.number)}
                  value={present(made)}
                  onChange={(value) => {
                    if (typeof value !== "number") return;
                    if (value === present(made)) return;
                    setShares({ ...shares, [made.number]: value });
                  }}
                />
              </Table.Td>
              <Table.Td>{made.shadow > 0 ? `${String(made.shadow)} %` : "–"}</Table.Td>
              <Table.Td>
                {new Date(made.created_at).toLocaleString(undefined, {
                  dateStyle: "medium",
                  timeStyle: "short",
                })}
              </Table.Td>
              <Table.Td>
                <Group gap="sm">
                  {made.lineage.draft_id && (
                    <Anchor component={Link} to={`/drafts/${made.lineage.draft_id}`} size="sm">
                      {text.endpointDraft}
                    </Anchor>
                  )}
                  {made.lineage.training_run_id && (
                    <Anchor component={Link} to={`/runs/${made.lineage.training_run_id}`} size="sm">
                      {text.endpointTrainingRun}
                    </Anchor>
                  )}
                  {Object.entries(made.tags).map(([tag, value]) => (
                    <Badge key={tag} size="sm" variant="light" color="gray" tt="none">
                      {`${tag}=${value}`}
                    </Badge>
                  ))}
                </Group>
              </Table.Td>
              <Table.Td>
                <Menu position="bottom-end" width={260}>
                  <Menu.Target>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={text.deploymentActions(made.number)}
                    >
                      <IconDots size={16} />
                    </ActionIcon>
                  </Menu.Target>
                  <Menu.Dropdown>
                    <Menu.Item
                      disabled={made.traffic === 100}
                      onClick={() => {
                        change.mutate(() =>
                          got<Endpoint>(
                            api.POST(
                              "/api/endpoints/{name}/deployments/{number}/activate",
                              at(made.number),
                            ),
                          ),
                        );
                      }}
                    >
                      {text.deploymentPromote}
                    </Menu.Item>
                    <Menu.Item
                      disabled={made.traffic > 0}
                      onClick={() => {
                        change.mutate(() =>
                          got<Endpoint>(
                            api.PUT("/api/endpoints/{name}/deployments/{number}/shadow", {
                              ...at(made.number),
                              body: { percent: made.shadow > 0 ? 0 : 100 },
                            }),
                          ),
                        );
                      }}
                    >
                      {made.shadow > 0 ? text.shadowEnd : text.shadowBegin}
                    </Menu.Item>
                    <Menu.Item
                      color="red"
                      disabled={made.traffic > 0 || made.shadow > 0}
                      onClick={() => {
                        change.mutate(() =>
                          got<Endpoint>(
                            api.DELETE(
                              "/api/endpoints/{name}/deployments/{number}",
                              at(made.number),
                            ),
                          ),
                        );
                      }}
                    >
                      {text.remove}
                    </Menu.Item>
                  </Menu.Dropdown>
                </Menu>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
