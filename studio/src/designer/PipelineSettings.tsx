import { ActionIcon, Group, Stack, Text, TextInput, Title, Tooltip } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import type { Component } from "../api/client";
import * as edits from "../draft/edits";
import { type Draft, findNode, parsePin } from "../draft/graph";
import { useDraft } from "../draft/store";
import { Control } from "../forms/controls/Control";
import { useText } from "../text/useText";
import type { Known } from "./useCheck";

interface Props {
  readonly draft: Draft;
  readonly library: ReadonlyMap<string, Component>;
  readonly known: Known;
  onFocus(node: string): void;
}

/** What belongs to the whole pipeline: the parameters that are asked for at each run. */
export function PipelineSettings({ draft, library, known, onFocus }: Props) {
  const text = useText();
  const edit = useDraft((state) => state.edit);
  const { parameters } = draft.graph;
  if (parameters.length === 0) return null;
  return (
    <Stack gap="md" mt="lg">
      <Title order={2} size="h5">
        {text.pipelineParameters}
      </Title>
      {parameters.map((asked) => {
        const { node, port: name } = parsePin(asked.sets[0] ?? "");
        const parameter = library
          .get(findNode(draft.graph, node)?.component ?? "")
          ?.parameters.find((p) => p.name === name);
        return (
          <div key={asked.name}>
            <Group justify="space-between" gap={4}>
              <Text size="sm" fw={600}>
                {asked.name}
              </Text>
              <Tooltip label={text.remove}>
                <ActionIcon
                  size="sm"
                  variant="subtle"
                  color="gray"
                  aria-label={`${text.remove}: ${asked.name}`}
                  onClick={() => {
                    edit(edits.inTurn(...asked.sets.map(edits.detachParameter)), "detach");
                  }}
                >
                  <IconX size={14} />
                </ActionIcon>
              </Tooltip>
            </Group>
            <Group gap={6} mb={4}>
              {asked.sets.map((target) => {
                const pin = parsePin(target);
                const component = findNode(draft.graph, pin.node)?.component ?? "";
                const title = library.get(component)?.title ?? pin.node;
                return (
                  <Text
                    key={target}
                    component="button"
                    type="button"
                    size="xs"
                    c="dimmed"
                    td="underline"
                    style={{ background: "none", border: 0, cursor: "pointer", padding: 0 }}
                    onClick={() => {
                      onFocus(pin.node);
                    }}
                  >
                    {`${findNode(draft.graph, pin.node)?.title || title} · ${pin.port}`}
                  </Text>
                );
              })}
            </Group>
            {parameter && (
              <Control
                parameter={{ ...parameter, title: text.parameterDefault, help: "" }}
                value={asked.default}
                error={null}
                columns={parameter.port ? known.columns(`${node}.${parameter.port}`) : null}
                onSet={(value, typing = false) => {
                  edit(
                    edits.describePipelineParameter(asked.name, { default: value }),
                    "set",
                    typing ? `default ${asked.name}` : null,
                  );
                }}
              />
            )}
            <TextInput
              size="xs"
              mt={6}
              label={text.parameterDescription}
              value={asked.description}
              onChange={(event) => {
                edit(
                  edits.describePipelineParameter(asked.name, {
                    description: event.currentTarget.value,
                  }),
                  "describe",
                  `about ${asked.name}`,
                );
              }}
            />
          </div>
        );
      })}
    </Stack>
  );
}
