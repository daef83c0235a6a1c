import {
  ActionIcon,
  Anchor,
  CopyButton,
  Group,
  Stack,
  Table,
  Text,
  Title,
  Tooltip,
} from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { useText } from "../text/useText";
import { About } from "./About";
import { Deployments } from "./Deployments";
import { LiveSettings } from "./LiveSettings";
import { freshnessQuery } from "./queries";
import classes from "./endpoints.module.css";

/** Addresses, lineage, deployments with their shares, and settings of an endpoint. */
export function Details({ endpoint }: { readonly endpoint: Schemas["Endpoint"] }) {
  const text = useText();
  const { data: fresh } = useQuery(freshnessQuery(endpoint.name));
  const facts: readonly (readonly [string, ReactNode])[] = [
    [text.endpointAddress, <Address key="a" url={endpoint.scoring_url} copy />],
    ["Swagger", <Address key="s" url={endpoint.swagger_url} />],
    ["OpenAPI", <Address key="o" url={endpoint.openapi_url} />],
    [
      text.cluster,
      <Anchor key="c" component={Link} to="/compute?tab=inference" size="sm">
        {endpoint.cluster}
      </Anchor>,
    ],
    [text.endpointOwner, endpoint.owner ?? "–"],
    [
      text.endpointTrainingRun,
      fresh?.training_run ? (
        <Anchor key="r" component={Link} to={`/runs/${fresh.training_run.id}`} size="sm">
          {fresh.training_run.name}
        </Anchor>
      ) : (
        "–"
      ),
    ],
    [
      text.endpointDrafts,
      fresh?.draft ? (
        <Group key="d" gap="sm">
          <Anchor component={Link} to={`/drafts/${fresh.draft.id}`} size="sm">
            {fresh.draft.name}
          </Anchor>
          {fresh.draft.parent_draft_id && (
            <Anchor component={Link} to={`/drafts/${fresh.draft.parent_draft_id}`} size="sm">
              {text.inferenceTraining}
            </Anchor>
          )}
        </Group>
      ) : (
        "–"
      ),
    ],
  ];
  return (
    <Stack gap="xl">
      <Table verticalSpacing={5} fz="sm" maw={820}>
        <Table.Tbody>
          {facts.map(([label, value]) => (
            <Table.Tr key={label}>
              <Table.Th scope="row" w={180} fw={500}>
                {label}
              </Table.Th>
              <Table.Td>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <About key={endpoint.name} endpoint={endpoint} />
      <Deployments endpoint={endpoint} />
      <LiveSettings endpoint={endpoint} />
      {endpoint.steps.length > 0 && (
        <section aria-labelledby="steps">
          <Title order={2} size="h5" id="steps" mb="xs">
            {text.endpointSteps}
          </Title>
          <Table verticalSpacing={4} fz="sm" maw={820}>
            <Table.Tbody>
              {(endpoint.steps as readonly Readonly<Record<string, unknown>>[]).map((step) => (
                <Table.Tr key={String(step.node)}>
                  <Table.Td>{String(step.title ?? step.node)}</Table.Td>
                  <Table.Td>{step.compiled ? text.endpointCompiled : text.endpointTable}</Table.Td>
                  <Table.Td ta="right">
                    {typeof step.row_us === "number"
                      ? text.endpointCost(Number(step.row_us.toPrecision(3)))
                      : ""}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </section>
      )}
    </Stack>
  );
}

function Address({ url, copy = false }: { readonly url: string; readonly copy?: boolean }) {
  const text = useText();
  if (!url) return "–";
  return (
    <Group gap={4} wrap="nowrap">
      {copy ? (
        <Text className={classes.mono ?? ""}>{url}</Text>
      ) : (
        <Anchor href={url} target="_blank" rel="noreferrer" className={classes.mono ?? ""}>
          {url}
        </Anchor>
      )}
      {copy && (
        <CopyButton value={url}>
          {({ copied, copy: act }) => (
            <Tooltip label={copied ? text.copied : text.copy}>
              <ActionIcon
                size="sm"
                variant="subtle"
                color={copied ? "teal" : "gray"}
                aria-label={text.copy}
                onClick={act}
              >
                {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
              </ActionIcon>
            </Tooltip>
          )}
        </CopyButton>
      )}
    </Group>
  );
}
