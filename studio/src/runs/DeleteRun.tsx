import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { api, ApiError, got, type Run, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";

/** Forgets a run that has ended, once it is said what comes from it. */
export function DeleteRun({ run }: { readonly run: Run }) {
  const text = useText();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: (force: boolean) =>
      got<Schemas["Done"]>(
        api.DELETE("/api/runs/{run_id}", {
          params: { path: { run_id: run.id }, query: { force } },
        }),
      ),
    onSuccess: async () => {
      notifications.show({ message: text.draftDeleted(run.name) });
      await navigate("/runs");
      cache.removeQueries({ queryKey: ["run", run.id] });
      for (const key of ["runs", "run-pages", "space", "clean-up"]) {
        void cache.invalidateQueries({ queryKey: [key] });
      }
    },
  });
  const used = remove.error instanceof ApiError && remove.error.code === "in-use";
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
        {text.remove}
      </Button>
      <Modal
        opened={asking}
        onClose={() => {
          setAsking(false);
          remove.reset();
        }}
        title={text.runDelete(run.name)}
        size="md"
      >
        <Stack gap="md">
          <Text size="sm">{text.runDeleteHint}</Text>
          {remove.error && (
            <Refusal title={text.dataInUse} error={remove.error} otherwise={text.offline} />
          )}
          <Group justify="flex-end">
            <Button
              size="xs"
              variant="default"
              onClick={() => {
                setAsking(false);
                remove.reset();
              }}
            >
              {text.cancel}
            </Button>
            <Button
              size="xs"
              color="red"
              loading={remove.isPending}
              onClick={() => {
                remove.mutate(used);
              }}
            >
              {used ? text.dataDeleteAnyway : text.remove}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
