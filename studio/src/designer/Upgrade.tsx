import { Alert, Button, Text } from "@mantine/core";
import { IconArrowUpCircle } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { api, type Component, got, type Schemas } from "../api/client";
import * as edits from "../draft/edits";
import type { Json, Node } from "../draft/graph";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";

/** Offers the newer version of a component to a node that was made with an older one. */
export function Upgrade({
  node,
  component,
}: {
  readonly node: Node;
  readonly component: Component;
}) {
  const text = useText();
  const edit = useDraft((state) => state.edit);
  const upgrade = useMutation({
    mutationFn: () =>
      got<Schemas["NodeSettings"]>(
        api.POST("/api/library/{component_id}/upgrade", {
          params: { path: { component_id: component.id } },
          body: { version: node.version, parameters: { ...node.parameters } },
        }),
      ),
    onSuccess: ({ version, parameters }) => {
      edit(
        edits.upgradeNode(node.id, version, parameters as Readonly<Record<string, Json>>),
        "upgrade",
      );
    },
  });
  if (node.version >= component.version) return null;
  return (
    <Alert color="blue" icon={<IconArrowUpCircle />} p="xs">
      <Text size="sm">{text.upgradeOffer(node.version, component.version)}</Text>
      <Button
        size="compact-xs"
        mt={6}
        loading={upgrade.isPending}
        onClick={() => {
          upgrade.mutate();
        }}
      >
        {text.upgrade(component.version)}
      </Button>
      {upgrade.error && (
        <Refusal title={text.somethingWrong} error={upgrade.error} otherwise={text.offline} />
      )}
    </Alert>
  );
}
