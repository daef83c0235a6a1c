import { Button, Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";

/** Tells that something was deleted, with a button that brings it back. */
export function undoNotice(message: string, undo: { label: string; act: () => void }) {
  const id = notifications.show({
    // Time to see what is gone, and to think better of it.
    autoClose: 15_000,
    message: (
      <Group justify="space-between" wrap="nowrap">
        {message}
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => {
            undo.act();
            notifications.hide(id);
          }}
        >
          {undo.label}
        </Button>
      </Group>
    ),
  });
}
