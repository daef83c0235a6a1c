import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";

/** Deletes an endpoint once that is confirmed: what it answers is told first. */
export function DeleteEndpoint({ endpoint }: { readonly endpoint: Schemas["Endpoint"] }) {
  const text = useText();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const { name } = endpoint;
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () =>
      got<Schemas["Done"]>(api.DELETE("/api/endpoints/{name}", { params: { path: { name } } })),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["endpoints"] });
      void navigate("/endpoints");
    },
  });
  return (
    <>
      <Button
        size="xs"
        variant="default"
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
        }}
        title={text.endpointDelete(name)}
        size="sm"
      >
        <Stack gap="md">
          <Text size="sm">
            {text.endpointDeleteHint(endpoint.deployments.length, endpoint.answered)}
          </Text>
          {remove.error && (
            <Refusal title={text.somethingWrong} error={remove.error} otherwise={text.offline} />
          )}
          <Group justify="flex-end">
            <Button
              size="xs"
              variant="default"
              onClick={() => {
                setAsking(false);
              }}
            >
              {text.cancel}
            </Button>
            <Button
              size="xs"
              color="red"
              loading={remove.isPending}
              onClick={() => {
                remove.mutate();
              }}
            >
              {text.remove}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
