import {
  Accordion,
  Badge,
  Divider,
  Group,
  Stack,
  Text,
  Textarea,
  TextInput,
  Title,
} from "@mantine/core";
import type { Component } from "../api/client";
import * as edits from "../draft/edits";
import { type Draft, findNode } from "../draft/graph";
import { useDraft } from "../draft/store";
import { ParameterForm } from "../forms/ParameterForm";
import { useText } from "../text/useText";
import type { Known } from "./useCheck";
import classes from "./Workbench.module.css";

interface Props {
  readonly draft: Draft;
  readonly selected: ReadonlySet<string>;
  readonly library: ReadonlyMap<string, Component>;
  readonly known: Known;
  onFocus(node: string): void;
}

export function Properties({ draft, selected, library, known }: Props) {
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
            </Group>
            <Text size="sm" c="dimmed" mt={6}>
              {component ? component.summary : text.unknownComponent(node.component)}
            </Text>
          </div>
          <Divider />
          {component && component.parameters.length === 0 && (
            <Text size="sm" c="dimmed">
              {text.noParameters}
            </Text>
          )}
          {component && (
            <ParameterForm
              parameters={component.parameters}
              values={node.parameters}
              problems={known.problems.filter((p) => p.node === node.id)}
              columns={(port) => known.columns(`${node.id}.${port}`)}
              onSet={(name, value, typing) => {
                edit(
                  edits.setParameter(node.id, name, value),
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
