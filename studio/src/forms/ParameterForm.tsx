import { ActionIcon, Group, Stack, Tooltip } from "@mantine/core";
import { IconRotate } from "@tabler/icons-react";
import { memo } from "react";
import type { Column, Parameter, Problem } from "../api/client";
import type { Json } from "../draft/graph";
import { useText } from "../text/useText";
import { useStable } from "../ui/useStable";
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

/** A form made from a component's description; of all its lines only those that changed are drawn. */
export function ParameterForm(props: Props) {
  const { parameters, values, problems, columns, askedAs } = props;
  const set = useStable(props.onSet);
  const reset = useStable(props.onReset);
  const promote = useStable((name: string, asked: string) => props.onPromote?.(name, asked));
  const detach = useStable((name: string) => props.onDetach?.(name));
  return (
    <Stack gap="sm">
      {visible(parameters, values).map((parameter) => {
        const found = problems.find((p) => p.parameter === parameter.name);
        return (
          <Line
            key={parameter.name}
            parameter={parameter}
            value={valueOf(parameter, values)}
            given={parameter.name in values}
            error={found ? `${found.happened} ${found.remedy}` : null}
            columns={parameter.port ? columns(parameter.port) : null}
            asked={askedAs?.(parameter.name) ?? null}
            onSet={set}
            onReset={reset}
            onPromote={props.onPromote ? promote : null}
            onDetach={props.onDetach ? detach : null}
          />
        );
      })}
    </Stack>
  );
}

interface LineProps {
  readonly parameter: Parameter;
  readonly value: Json;
  /** Whether it is set, and not by default. */
  readonly given: boolean;
  readonly error: string | null;
  readonly columns: readonly Column[] | null;
  readonly asked: string | null;
  onSet(name: string, value: Json, typing: boolean): void;
  onReset(name: string): void;
  readonly onPromote: ((name: string, asked: string) => void) | null;
  readonly onDetach: ((name: string) => void) | null;
}

const Line = memo(function Line(props: LineProps) {
  const { parameter, value, given, error, columns, asked } = props;
  const { onSet, onReset, onPromote, onDetach } = props;
  const text = useText();
  return (
    <Group gap={2} align="flex-start" wrap="nowrap">
      <div style={{ flex: 1, minWidth: 0 }}>
        <Control
          parameter={parameter}
          value={value}
          error={error}
          columns={columns}
          onSet={(wish, typing = false) => {
            onSet(parameter.name, wish, typing);
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
        {given && !parameter.required && (
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
});
