import {
  ActionIcon,
  Anchor,
  Badge,
  Button,
  Group,
  Menu,
  Modal,
  Stack,
  Table,
  Text,
} from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { type Amount, Amounts } from "../forms/Amounts";
import { ClusterForm } from "../forms/ClusterForm";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Clusters } from "./Clusters";
import { kindsQuery, liveClustersQuery } from "./queries";

type Cluster = Schemas["Cluster"];

/** The clusters that endpoints run on: how big, how full, what is deployed there. */
export function InferenceClusters() {
  const text = useText();
  const cache = useQueryClient();
  const { data, error } = useQuery(liveClustersQuery);
  const { data: kinds } = useQuery(kindsQuery);
  const [making, setMaking] = useState(false);
  const [sizing, setSizing] = useState<Cluster | null>(null);
  const refresh = () => cache.invalidateQueries({ queryKey: ["clusters"] });
  const make = useMutation({
    mutationFn: (asked: Schemas["ClusterAsked"]) =>
      got<Cluster>(api.POST("/api/clusters", { body: asked })),
    onSuccess: () => {
      setMaking(false);
      return refresh();
    },
  });
  const change = useMutation({
    mutationFn: (work: () => Promise<unknown>) => work(),
    onSuccess: refresh,
  });
  return (
    <Clusters
      hint={text.computeInferenceHint}
      errors={[error, change.error]}
      onNew={() => {
        make.reset();
        setMaking(true);
      }}
      list={
        data && (
          <Table fz="sm" verticalSpacing={7}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{text.clusterName}</Table.Th>
                <Table.Th>{text.computeKind}</Table.Th>
                <Table.Th w={130}>{text.computeState}</Table.Th>
                <Table.Th>{text.clusterCapacity}</Table.Th>
                <Table.Th>{text.clusterReserved}</Table.Th>
                <Table.Th>{text.clusterEndpoints}</Table.Th>
                <Table.Th w={40} />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.items.map((cluster) => (
                <Table.Tr key={cluster.name}>
                  <Table.Td fw={500}>{cluster.name}</Table.Td>
                  <Table.Td>{text.clusterKinds[cluster.kind] ?? cluster.kind}</Table.Td>
                  <Table.Td>
                    <Badge
                      variant="dot"
                      color={cluster.state === "ready" ? "teal" : "orange"}
                      tt="none"
                      fw={500}
                      title={cluster.message}
                    >
                      {text.clusterStates[cluster.state] ?? cluster.state}
                    </Badge>
                  </Table.Td>
                  <Table.Td>
                    {text.clusterAmount(cluster.capacity.cpu_cores, cluster.capacity.memory_gb)}
                  </Table.Td>
                  <Table.Td>
                    {text.clusterAmount(cluster.reserved.cpu_cores, cluster.reserved.memory_gb)}
                  </Table.Td>
                  <Table.Td>
                    <Group gap="xs">
                      {cluster.endpoints.map((name) => (
                        <Anchor key={name} component={Link} to={`/endpoints/${name}`} size="sm">
                          {name}
                        </Anchor>
                      ))}
                      {cluster.endpoints.length === 0 && text.computeNothing}
                    </Group>
                  </Table.Td>
                  <Table.Td>
                    <Menu position="bottom-end" width={220}>
                      <Menu.Target>
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          aria-label={text.clusterResize(cluster.name)}
                        >
                          <IconDots size={16} />
                        </ActionIcon>
                      </Menu.Target>
                      <Menu.Dropdown>
                        <Menu.Item
                          onClick={() => {
                            setSizing(cluster);
                          }}
                        >
                          {text.clusterResize(cluster.name)}
                        </Menu.Item>
                        <Menu.Item
                          disabled={cluster.name === "default"}
                          onClick={() => {
                            change.mutate(() =>
                              got(
                                api.POST("/api/clusters/{cluster}/detach", {
                                  params: { path: { cluster: cluster.name } },
                                }),
                              ),
                            );
                          }}
                        >
                          {text.clusterDetach(cluster.name)}
                        </Menu.Item>
                        <Menu.Item
                          color="red"
                          disabled={cluster.name === "default"}
                          onClick={() => {
                            change.mutate(() =>
                              got(
                                api.DELETE("/api/clusters/{cluster}", {
                                  params: { path: { cluster: cluster.name } },
                                }),
                              ),
                            );
                          }}
                        >
                          {text.computeDelete(cluster.name)}
                        </Menu.Item>
                        {cluster.name === "default" && (
                          <Text size="xs" c="dimmed" px="sm" py={4}>
                            {text.clusterDefault}
                          </Text>
                        )}
                      </Menu.Dropdown>
                    </Menu>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )
      }
    >
      <Modal
        opened={making && kinds !== undefined}
        onClose={() => {
          setMaking(false);
        }}
        title={text.clusterNew}
        size="lg"
      >
        <ClusterForm
          kinds={kinds?.items ?? []}
          busy={make.isPending}
          onSubmit={(asked) => {
            make.mutate(asked);
          }}
          onCancel={() => {
            setMaking(false);
          }}
        />
        {make.error && (
          <Refusal title={text.somethingWrong} error={make.error} otherwise={text.offline} />
        )}
      </Modal>
      {sizing && (
        <Sizing
          cluster={sizing}
          onClose={() => {
            setSizing(null);
          }}
        />
      )}
    </Clusters>
  );
}

function Sizing({ cluster, onClose }: { readonly cluster: Cluster; onClose(): void }) {
  const text = useText();
  const cache = useQueryClient();
  const [amount, setAmount] = useState<Amount>({
    cpu_cores: cluster.cpu_cores,
    memory_gb: cluster.memory_gb,
  });
  const save = useMutation({
    mutationFn: () =>
      got<Cluster>(
        api.PATCH("/api/clusters/{cluster}", {
          params: { path: { cluster: cluster.name } },
          body: amount,
        }),
      ),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["clusters"] });
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={text.clusterResize(cluster.name)} size="sm">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack gap="sm">
          <Amounts value={amount} onChange={setAmount} />
          {save.error && (
            <Refusal title={text.somethingWrong} error={save.error} otherwise={text.offline} />
          )}
          <Group justify="flex-end">
            <Button size="xs" variant="default" onClick={onClose}>
              {text.cancel}
            </Button>
            <Button size="xs" type="submit" loading={save.isPending}>
              {text.clusterApply}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
