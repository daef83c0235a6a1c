import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";

interface Props {
  /** What the button that opens the dialog says. */
  readonly label: string;
  readonly question: string;
  readonly hint: string;
  /** What the button that does it says, such as “Delete anyway”. */
  readonly confirm: string;
  readonly cancel: string;
  readonly busy: boolean;
  /** Why it was refused, when it was. */
  readonly refusal: ReactNode;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** A button that deletes something once that is confirmed. */
export function Delete({
  label,
  question,
  hint,
  confirm,
  cancel,
  busy,
  refusal,
  onConfirm,
  onClose,
}: Props) {
  const [asking, setAsking] = useState(false);
  const close = () => {
    setAsking(false);
    onClose();
  };
  return (
    <>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconTrash size={14} />}
        onClick={() => {
          setAsking(true);
        }}
      >
        {label}
      </Button>
      <Modal opened={asking} onClose={close} title={question} size="md">
        <Stack gap="md">
          <Text size="sm">{hint}</Text>
          {refusal}
          <Group justify="flex-end">
            <Button size="xs" variant="default" onClick={close}>
              {cancel}
            </Button>
            <Button size="xs" color="red" loading={busy} onClick={onConfirm}>
              {confirm}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
