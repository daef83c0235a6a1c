import { Menu } from "@mantine/core";
import { Fragment } from "react";
import type { Point } from "../draft/graph";
import { useText } from "../text/useText";
import type { Here } from "./actions/action";
import { NODE_MENU } from "./actions/all";
import { spoken } from "./actions/keys";

interface Props {
  readonly at: Point | null;
  readonly title: string;
  readonly here: Here;
  onClose(): void;
}

/** What a right click on a node offers. */
export function NodeMenu({ at, title, here, onClose }: Props) {
  const text = useText();
  return (
    <Menu
      opened={at !== null}
      onChange={(opened) => {
        if (!opened) onClose();
      }}
      position="bottom-start"
      offset={2}
      shadow="md"
      width={270}
    >
      <Menu.Target>
        <button
          type="button"
          tabIndex={-1}
          aria-label={text.nodeMenu(title)}
          style={{
            background: "none",
            border: 0,
            left: at?.x ?? 0,
            padding: 0,
            pointerEvents: "none",
            position: "fixed",
            top: at?.y ?? 0,
          }}
        />
      </Menu.Target>
      <Menu.Dropdown aria-label={text.nodeMenu(title)}>
        {NODE_MENU.map((actions, place) => (
          <Fragment key={actions[0]?.id}>
            {place > 0 && <Menu.Divider />}
            {actions.map((action) => (
              <Menu.Item
                key={action.id}
                disabled={action.enabled?.(here) === false}
                {...(action.id === "remove" ? { color: "red" } : {})}
                rightSection={
                  <span style={{ fontSize: 11, opacity: 0.7 }}>
                    {spoken(action.keys[0] ?? "", text.keyNames).join("+")}
                  </span>
                }
                onClick={() => action.does?.(here)}
              >
                {text.actions[action.id]}
              </Menu.Item>
            ))}
          </Fragment>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
