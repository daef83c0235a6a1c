import { ActionIcon, Group, Stack, Tooltip } from "@mantine/core";
import { IconRotate } from "@tabler/icons-react";
import type { Column, Parameter, Problem } from "../api/client";
import type { Json } from "../draft/graph";
import { useText } from "../text/useText";
import { Control } from "./controls/Control";
import { Asked, Promote } from "./Promote";
import { valueOf, visible } from "./visible";
import classes from "./forms.module.css";

interface Props {
  readonly parameters: readonly Parameter[];
  readonly values: Readonly<Record<string, Json>>;
  readonly problems: readonly Problem[];
  /** The columns that arrive at an input, null where they are not known. */
  columns(port: string): readonly Column[] | null;
  /** typing: one of a burst of changes. */
  onSet(name: string, value: Json, typing: boolean): void;
  onReset(name: string): void;
  /** The pipeline parameter that sets a parameter, where one does. */
  askedAs?(name: string): string | null;
  onPromote?(name: string, asked: string): void;
  onDetach?(name: string): void;
}

/** A form made from a component's description. */
export function ParameterForm(props: Props) {
  const { parameters, values, problems, columns, onSet, onReset } = props;
  const { askedAs, onPromote, onDetach } = props;
  const text = useText();
  return (
    <Stack gap="sm">
      {visible(parameters, values).map((parameter) => {
        const found = problems.find((p) => p.parameter === parameter.name);
        const asked = askedAs?.(parameter.name) ?? null;
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
              {asked !== null && onDetach && (
                <Asked
                  name={asked}
                  title={parameter.title}
                  onDetach={() => {
                    onDetach(parameter.name);
                  }}
                />
              )}
            </div>
            <div className={classes.tools}>
              {asked === null && onPromote && (
                <Promote
                  title={parameter.title}
                  wish={parameter.name}
                  onPromote={(name) => {
                    onPromote(parameter.name, name);
                  }}
                />
              )}
              {parameter.name in values && !parameter.required && (
                <Tooltip label={text.resetDefault}>
                  <ActionIcon
                    size="sm"
                    variant="subtle"
                    color="gray"
                    aria-label={`${text.resetDefault}: ${parameter.title}`}
                    onClick={() => {
                      onReset(parameter.name);
                    }}
                  >
                    <IconRotate size={14} />
                  </ActionIcon>
                </Tooltip>
              )}
            </div>
          </Group>
        );
      })}
    </Stack>
  );
}
