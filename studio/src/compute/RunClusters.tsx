import {
  ActionIcon,
  Anchor,
  Badge,
  Button,
  Group,
  Modal,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Table,
  Text,
  TextInput,
  Tooltip,
} from "@mantine/core";
import { IconPencil, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Clusters } from "./Clusters";
import { computeQuery } from "./queries";

type Target = Schemas["Target"];

const COLOURS = { off: "gray", idle: "teal", busy: "blue" } as const;

/** The clusters that steps of runs are worked on: their bounds, their workers, what runs there. */
export function RunClusters() {
  const text = useText();
  const cache = useQueryClient();
  const { data, error } = useQuery(computeQuery);
  const [changing, setChanging] = useState<Target | "new" | null>(null);
  const remove = useMutation({
    mutationFn: (name: string) =>
      got<Schemas["Done"]>(api.DELETE("/api/compute/{name}", { params: { path: { name } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["compute"] }),
  });
  return (
    <Clusters
      hint={text.computeRunsHint}
      errors={[error, remove.error]}
      onNew={() => {
        setChanging("new");
      }}
      list={
        data && (
          <Table fz="sm" verticalSpacing={7}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{text.clusterName}</Table.Th>
                <Table.Th>{text.computeKind}</Table.Th>
                <Table.Th w={100}>{text.computeState}</Table.Th>
                <Table.Th>{text.computeWorkers}</Table.Th>
                <Table.Th ta="right">{text.computeIdle}</Table.Th>
                <Table.Th>{text.computeRunning}</Table.Th>
                <Table.Th w={80} />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.targets.map((target) => (
                <Table.Tr key={target.name}>
                  <Table.Td fw={500}>{target.name}</Table.Td>
                  <Table.Td>{text.computeKinds[target.kind] ?? target.kind}</Table.Td>
                  <Table.Td>
                    <Badge variant="dot" color={COLOURS[target.state]} tt="none" fw={500}>
                      {text.computeStates[target.state]}
                    </Badge>
                  </Table.Td>
                  <Table.Td>
                    {text.computeRange(
                      target.workers.length,
                      target.min_workers,
                      String(target.most ?? target.max_workers ?? "?"),
                    )}
                  </Table.Td>
                  <Table.Td ta="right">{target.idle_s}</Table.Td>
                  <Table.Td>
                    {target.running.length === 0 && text.computeNothing}
                    {target.running.map((step) => (
                      <Anchor
                        key={`${step.run} ${step.node}`}
                        component={Link}
                        to={`/runs/${step.run}`}
                        size="sm"
                        mr="xs"
                        title={step.reason}
                      >
                        {step.node}
                      </Anchor>
                    ))}
                    {target.waiting.length > 0 && (
                      <Text size="xs" c="dimmed">
                        {text.computeWaiting(target.waiting.length)}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td>
                    <Group gap={2} wrap="nowrap">
                      <Tooltip label={text.computeEdit(target.name)}>
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          aria-label={text.computeEdit(target.name)}
                          onClick={() => {
                            setChanging(target);
                          }}
                        >
                          <IconPencil size={15} />
                        </ActionIcon>
                      </Tooltip>
                      <Tooltip label={text.computeDelete(target.name)}>
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          aria-label={text.computeDelete(target.name)}
                          disabled={target.name === "local"}
                          onClick={() => {
                            remove.mutate(target.name);
                          }}
                        >
                          <IconTrash size={15} />
                        </ActionIcon>
                      </Tooltip>
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )
      }
    >
      {changing && (
        <Changing
          target={changing === "new" ? null : changing}
          onClose={() => {
            setChanging(null);
          }}
        />
      )}
    </Clusters>
  );
}

function Changing({ target, onClose }: { readonly target: Target | null; onClose(): void }) {
  const text = useText();
  const cache = useQueryClient();
  const [name, setName] = useState(target?.name ?? "");
  const [kind, setKind] = useState(target?.kind ?? "local");
  const [least, setLeast] = useState(target?.min_workers ?? 0);
  const [most, setMost] = useState<number | null>(target?.max_workers ?? null);
  const [idle, setIdle] = useState(target?.idle_s ?? 120);
  const [address, setAddress] = useState(target?.address ?? "");
  const save = useMutation({
    mutationFn: () => {
      const values = { min_workers: least, max_workers: most, idle_s: idle, address };
      return target
        ? got<Target>(
            api.PATCH("/api/compute/{name}", {
              params: { path: { name: target.name } },
              body: values as Schemas["ComputeChange"],
            }),
          )
        : got<Target>(
            api.POST("/api/compute", {
              body: { ...values, name, kind } as Schemas["ComputeAsked"],
            }),
          );
    },
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["compute"] });
      onClose();
    },
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={target ? text.computeEdit(target.name) : text.computeNew}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack gap="sm">
          <SimpleGrid cols={2} spacing="sm">
            <TextInput
              size="xs"
              label={text.clusterName}
              required
              disabled={target !== null}
              value={name}
              onChange={(event) => {
                setName(event.currentTarget.value);
              }}
            />
            <Select
              size="xs"
              label={text.computeKind}
              allowDeselect={false}
              disabled={target !== null}
              value={kind}
              data={Object.entries(text.computeKinds).map(([value, label]) => ({ value, label }))}
              onChange={(chosen) => {
                setKind(chosen ?? "local");
              }}
            />
            <NumberInput
              size="xs"
              label={text.computeMin}
              min={0}
              value={least}
              onChange={(value) => {
                if (typeof value === "number") setLeast(value);
              }}
            />
            <NumberInput
              size="xs"
              label={text.computeMax}
              description={text.computeMaxHint}
              min={1}
              value={most ?? ""}
              onChange={(value) => {
                setMost(typeof value === "number" ? value : null);
              }}
            />
            <NumberInput
              size="xs"
              label={text.computeIdle}
              min={1}
              value={idle}
              onChange={(value) => {
                if (typeof value === "number") setIdle(value);
              }}
            />
            {kind === "ray" && (
              <TextInput
                size="xs"
                label={text.computeAddress}
                description={text.computeAddressHint}
                value={address}
                onChange={(event) => {
                  setAddress(event.currentTarget.value);
                }}
              />
            )}
          </SimpleGrid>
          {save.error && (
            <Refusal title={text.somethingWrong} error={save.error} otherwise={text.offline} />
          )}
          <Group justify="flex-end">
            <Button size="xs" variant="default" onClick={onClose}>
              {text.cancel}
            </Button>
            <Button size="xs" type="submit" disabled={!name} loading={save.isPending}>
              {target ? text.clusterApply : text.clusterCreate}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
