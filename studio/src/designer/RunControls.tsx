import { ActionIcon, Button, Menu, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconChevronDown, IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useText } from "../text/useText";
import type { Action, Here } from "./actions/action";
import * as going from "./actions/going";
import { spoken } from "./actions/keys";
import { planQuery } from "./queries";
import type { Known } from "./useCheck";
import classes from "./Workbench.module.css";

const PAUSE_MS = 300;
const MENU: readonly Action[] = [going.run, going.runToHere, going.runFromHere, going.runOptions];

/** Run and stop, and what a run would do now. */
export function RunControls({ here, known }: { readonly here: Here; readonly known: Known }) {
  const text = useText();
  const { graph } = here.draft;
  const [settled] = useDebouncedValue(graph, PAUSE_MS);
  const sound = !known.problems.some((p) => p.severity === "error") && graph.nodes.length > 0;
  const plan = useQuery({ ...planQuery(settled), enabled: sound && !here.running, retry: false });
  if (here.running) {
    return (
      <Button
        size="xs"
        color="red"
        variant="light"
        leftSection={<IconPlayerStop size={15} />}
        onClick={() => {
          here.stop();
        }}
      >
        {text.runStop}
      </Button>
    );
  }
  return (
    <>
      {plan.data && sound && (
        <Tooltip label={text.runPlanHint}>
          <UnstyledButton
            className={classes.planned}
            onClick={() => {
              here.open("run");
            }}
          >
            <Text size="xs" component="span">
              {text.runPlan(plan.data.counts.run ?? 0, plan.data.counts.reuse ?? 0)}
            </Text>
          </UnstyledButton>
        </Tooltip>
      )}
      <Button.Group>
        <Button
          size="xs"
          leftSection={<IconPlayerPlay size={15} />}
          disabled={!here.mayRun}
          onClick={() => {
            here.submit({});
          }}
        >
          {text.run}
        </Button>
        <Menu position="bottom-end" width={290}>
          <Menu.Target>
            <ActionIcon
              size={30}
              variant="filled"
              className={classes.more}
              aria-label={text.runMore}
              disabled={!here.mayRun}
            >
              <IconChevronDown size={15} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {MENU.map((action) => (
              <Menu.Item
                key={action.id}
                disabled={action.enabled?.(here) === false}
                rightSection={
                  <span className={classes.keys}>
                    {spoken(action.keys[0] ?? "", text.keyNames).join("+")}
                  </span>
                }
                onClick={() => action.does?.(here)}
              >
                {text.actions[action.id]}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </Button.Group>
    </>
  );
}
