import { Kbd, Modal, SimpleGrid, Text } from "@mantine/core";
import { Fragment } from "react";
import { useText } from "../text/useText";
import type { Action } from "./actions/action";
import { ACTIONS } from "./actions/all";
import { spoken } from "./actions/keys";
import classes from "./Workbench.module.css";

interface Props {
  readonly opened: boolean;
  onClose(): void;
}

/** Every key of the designer, read from the actions themselves. */
export function Shortcuts({ opened, onClose }: Props) {
  const text = useText();
  const groups = Object.keys(text.actionGroups) as Action["group"][];
  return (
    <Modal opened={opened} onClose={onClose} title={text.shortcuts} size="xl" centered>
      <SimpleGrid cols={2} spacing="xl">
        {groups.map((group) => (
          <section key={group}>
            <Text size="xs" fw={650} c="dimmed" tt="uppercase" mb={4}>
              {text.actionGroups[group]}
            </Text>
            <table className={classes.sheet}>
              <tbody>
                {rows(group).map(([id, keys]) => (
                  <tr key={id}>
                    <td>{text.actions[id]}</td>
                    <td>
                      {keys.slice(0, 2).map((one, place) => (
                        <Fragment key={one}>
                          {place > 0 && " · "}
                          {spoken(one, text.keyNames).map((part) => (
                            <Kbd key={part} size="xs" ml={2}>
                              {part}
                            </Kbd>
                          ))}
                        </Fragment>
                      ))}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        ))}
      </SimpleGrid>
    </Modal>
  );
}

/** One row for each thing done, however many actions do it. */
function rows(group: Action["group"]): [Action["id"], readonly string[]][] {
  const found = new Map<Action["id"], readonly string[]>();
  for (const action of ACTIONS) {
    if (action.group !== group) continue;
    found.set(action.id, action.id === "nudge" ? ["Mod+arrows"] : action.keys);
  }
  return [...found];
}
