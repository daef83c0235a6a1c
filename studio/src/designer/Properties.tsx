import {
  Accordion,
  Badge,
  Divider,
  Group,
  Stack,
  Table,
  Text,
  Textarea,
  TextInput,
  Title,
} from "@mantine/core";
import type { Component } from "../api/client";
import * as edits from "../draft/edits";
import { type Draft, findNode, type Graph, type Json, type Node } from "../draft/graph";
import { useDraft } from "../draft/store";
import { ParameterForm } from "../forms/ParameterForm";
import { useText } from "../text/useText";
import { PipelineSettings } from "./PipelineSettings";
import { Upgrade } from "./Upgrade";
import type { Known } from "./useCheck";
import classes from "./Workbench.module.css";

interface Props {
  readonly draft: Draft;
  readonly selected: ReadonlySet<string>;
  readonly library: ReadonlyMap<string, Component>;
  readonly known: Known;
  onFocus(node: string): void;
}

export function Properties({ draft, selected, library, known, onFocus }: Props) {
  const text = useText();
  const edit = useDraft((state) => state.edit);
  const [only] = selected.size === 1 ? selected : [];
  const node = only ? findNode(draft.graph, only) : undefined;
  const component = node && library.get(node.component);

  return (
    <aside id="settings" className={classes.properties} aria-label={text.properties}>
      {!node && (
        <Text size="sm" c="dimmed">
          {selected.size > 1 ? text.manySelected(selected.size) : text.noSelection}
        </Text>
      )}
      {!node && (
        <PipelineSettings draft={draft} library={library} known={known} onFocus={onFocus} />
      )}
      {node && (
        <Stack gap="sm" key={node.id}>
          <div>
            <Title order={2} size="h5">
              {component?.title ?? node.component}
            </Title>
            <Group gap={6} mt={4}>
              {component && (
                <Badge variant="light" size="sm" tt="none" color="gray">
                  {component.category}
                </Badge>
              )}
              <Badge variant="light" size="sm" tt="none" color="gray">
                {text.version(node.version)}
              </Badge>
            </Group>
            <Text size="sm" c="dimmed" mt={6}>
              {component ? component.summary : text.unknownComponent(node.component)}
            </Text>
            {!component && <Kept node={node} />}
          </div>
          {component && <Upgrade key={node.version} node={node} component={component} />}
          <Divider />
          {component && component.parameters.length === 0 && (
            <Text size="sm" c="dimmed">
              {text.noParameters}
            </Text>
          )}
          {component && (
            <ParameterForm
              parameters={component.parameters}
              values={valuesOf(draft.graph, node)}
              problems={known.problems.filter((p) => p.node === node.id)}
              columns={(port) => columnsAt(draft.graph, known, node.id, inputOf(component, port))}
              askedAs={(name) => edits.askedBy(draft.graph, `${node.id}.${name}`)?.name ?? null}
              onPromote={(name, asked) => {
                const standard = component.parameters.find((p) => p.name === name)?.default;
                const value = node.parameters[name] ?? (standard as Json | undefined) ?? null;
                edit(edits.promoteParameter(asked, `${node.id}.${name}`, value), "promote");
              }}
              onDetach={(name) => {
                edit(edits.detachParameter(`${node.id}.${name}`), "detach");
              }}
              onSet={(name, value, typing) => {
                const asked = edits.askedBy(draft.graph, `${node.id}.${name}`);
                edit(
                  asked
                    ? edits.describePipelineParameter(asked.name, { default: value })
                    : edits.setParameter(node.id, name, value),
                  "set",
                  typing ? `${node.id}.${name}` : null,
                );
              }}
              onReset={(name) => {
                edit(edits.resetParameter(node.id, name), "reset");
              }}
            />
          )}
          <Divider />
          <TextInput
            id="node-title"
            size="xs"
            label={text.nodeTitle}
            placeholder={component?.title ?? node.component}
            value={node.title}
            onChange={(event) => {
              edit(
                edits.describeNode(node.id, { title: event.currentTarget.value }),
                "title",
                `${node.id} title`,
              );
            }}
          />
          <Textarea
            size="xs"
            label={text.nodeComment}
            autosize
            minRows={2}
            value={node.comment}
            onChange={(event) => {
              edit(
                edits.describeNode(node.id, { comment: event.currentTarget.value }),
                "comment",
                `${node.id} comment`,
              );
            }}
          />
          {component && (
            <Accordion variant="contained" chevronPosition="left">
              <Accordion.Item value="help">
                <Accordion.Control>
                  <Text size="sm">{text.documentation}</Text>
                </Accordion.Control>
                <Accordion.Panel>
                  <Text size="sm" style={{ whiteSpace: "pre-line" }}>
                    {component.documentation}
                  </Text>
                </Accordion.Panel>
              </Accordion.Item>
            </Accordion>
          )}
        </Stack>
      )}
    </aside>
  );
}

/** The input that a parameter speaks of; where there is none of that name, the first that takes rows. */
function inputOf(component: Component, port: string): string {
  const named = component.inputs.find((input) => input.name === port);
  return (named ?? component.inputs.find((input) => input.type === "table"))?.name ?? port;
}

/** The columns at a port; those of an output that brings requests are of the rows beside it. */
function columnsAt(graph: Graph, known: Known, node: string, port: string) {
  const pin = `${node}.${port}`;
  const fed = graph.wires.find((wire) => wire.source === pin);
  return known.columns(pin) ?? (fed ? known.columns(fed.target) : null);
}

/** The settings of a node, those that the pipeline's parameters set with their values. */
function valuesOf(graph: Graph, node: Node): Readonly<Record<string, Json>> {
  const asked = graph.parameters.flatMap((p) =>
    p.sets
      .filter((target) => target.startsWith(`${node.id}.`))
      .map((target) => [target.slice(node.id.length + 1), p.default] as const),
  );
  return asked.length === 0
    ? node.parameters
    : { ...node.parameters, ...Object.fromEntries(asked) };
}

/** What a node whose component is not installed holds: it can be read, and is kept. */
function Kept({ node }: { readonly node: Node }) {
  const text = useText();
  return (
    <Table fz="xs" mt="sm" aria-label={text.properties}>
      <Table.Tbody>
        {Object.entries(node.parameters).map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row">{name}</Table.Th>
            <Table.Td>{typeof value === "string" ? value : JSON.stringify(value)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
