import { ActionIcon, Group, Stack, Tooltip } from "@mantine/core";
import { IconRotate } from "@tabler/icons-react";
import type { Column, Parameter, Problem } from "../api/client";
import type { Json } from "../draft/graph";
import { useText } from "../text/useText";
import { Control } from "./controls/Control";
import { valueOf, visible } from "./visible";

interface Props {
  readonly parameters: readonly Parameter[];
  readonly values: Readonly<Record<string, Json>>;
  readonly problems: readonly Problem[];
  /** The columns that arrive at an input, null where they are not known. */
  columns(port: string): readonly Column[] | null;
  /** typing: one of a burst of changes. */
  onSet(name: string, value: Json, typing: boolean): void;
  onReset(name: string): void;
}

/** A form made from a component's description. */
export function ParameterForm({ parameters, values, problems, columns, onSet, onReset }: Props) {
  const text = useText();
  return (
    <Stack gap="sm">
      {visible(parameters, values).map((parameter) => {
        const found = problems.find((p) => p.parameter === parameter.name);
        return (
          <Group key={parameter.name} gap={2} align="flex-start" wrap="nowrap">
            <div style={{ flex: 1, minWidth: 0 }}>
              <Control
                parameter={parameter}
                value={valueOf(parameter, values)}
                error={found ? `${found.happened} ${found.remedy}` : null}
                columns={parameter.port ? columns(parameter.port) : null}
                onSet={(value, typing = false) => {
                  onSet(parameter.name, value, typing);
                }}
              />
            </div>
            {parameter.name in values && !parameter.required && (
              <Tooltip label={text.resetDefault}>
                <ActionIcon
                  size="sm"
                  variant="subtle"
                  color="gray"
                  mt={24}
                  aria-label={`${text.resetDefault}: ${parameter.title}`}
                  onClick={() => {
                    onReset(parameter.name);
                  }}
                >
                  <IconRotate size={14} />
                </ActionIcon>
              </Tooltip>
            )}
          </Group>
        );
      })}
    </Stack>
  );
}
