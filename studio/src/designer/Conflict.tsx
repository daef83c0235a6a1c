import { Button, Group, Modal, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { api, got, type Schemas } from "../api/client";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import { readDraft } from "./queries";

/** Two people saved one draft: the user chooses, and nothing is lost either way. */
export function Conflict({ draftId }: { readonly draftId: string }) {
  const text = useText();
  const cache = useQueryClient();
  const { save, open, rebase } = useDraft();
  const latest = () =>
    got<Schemas["Draft"]>(
      api.GET("/api/drafts/{draft_id}", { params: { path: { draft_id: draftId } } }),
    );
  return (
    <Modal
      opened={save === "conflict"}
      onClose={() => undefined}
      withCloseButton={false}
      title={text.conflictTitle}
      centered
    >
      <Text size="sm" mb="md">
        {text.conflictText}
      </Text>
      <Group justify="flex-end">
        <Button
          variant="default"
          onClick={() => {
            void latest().then((body) => {
              const { revision, draft } = readDraft(body);
              cache.setQueryData(["draft", draftId], body);
              open(draftId, revision, draft);
            });
          }}
        >
          {text.conflictTheirs}
        </Button>
        <Button
          onClick={() => {
            void latest().then((body) => {
              rebase(body.revision);
            });
          }}
        >
          {text.conflictMine}
        </Button>
      </Group>
    </Modal>
  );
}
