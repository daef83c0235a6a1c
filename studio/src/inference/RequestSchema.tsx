import { Modal, SegmentedControl, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api, type Column, got, type Schemas } from "../api/client";
import * as edits from "../draft/edits";
import { type Graph, type Json, type Node, parsePin } from "../draft/graph";
import { useDraft } from "../draft/store";
import { RequestColumnsControl } from "../forms/controls/RequestColumnsControl";
import { useText } from "../text/useText";

const ONLY_SCORES: Json = { begin: "none", rules: [{ rule: "include", roles: ["Scores"] }] };

/** What requests must bring and what replies carry, for each Web Service Input and Output. */
export function RequestSchema({ onClose }: { onClose(): void }) {
  const text = useText();
  const graph = useDraft((state) => state.history?.present.draft.graph);
  if (!graph) return null;
  const inputs = graph.nodes.filter((node) => node.component === "web-service-input");
  const outputs = graph.nodes.filter((node) => node.component === "web-service-output");
  return (
    <Modal opened onClose={onClose} title={text.schemaTitle} size={860}>
      <Stack gap="lg">
        {inputs.length === 0 && <Text size="sm">{text.schemaNone}</Text>}
        {inputs.map((node) => (
          <Request key={node.id} graph={graph} node={node} />
        ))}
        {outputs.map((node) => (
          <Reply key={node.id} node={node} />
        ))}
      </Stack>
    </Modal>
  );
}

function nameOf(node: Node): string {
  return typeof node.parameters.name === "string" ? node.parameters.name : node.id;
}

function Request({ graph, node }: { readonly graph: Graph; readonly node: Node }) {
  const text = useText();
  const edit = useDraft((state) => state.edit);
  const digest = beside(graph, node.id);
  const { data: table } = useQuery({
    queryKey: ["sample-rows", digest],
    queryFn: () =>
      got<Schemas["Rows"]>(
        api.POST("/api/artifacts/{digest}/rows", {
          params: { path: { digest: digest ?? "" } },
          body: { offset: 0, limit: 1, columns: null, sort: [], filters: [] },
        }),
      ),
    enabled: digest !== null,
    staleTime: Infinity,
  });
  const columns = (table?.columns ?? null) as readonly Column[] | null;
  const first = table?.rows[0] as readonly unknown[] | undefined;
  const samples = Object.fromEntries(
    (columns ?? []).map((column, place) => [column.name, first?.[place]]),
  );
  return (
    <section>
      <Title order={2} size="h6">
        {text.schemaRequest(nameOf(node))}
      </Title>
      <RequestColumnsControl
        label={text.columns}
        error={null}
        value={node.parameters.columns ?? []}
        columns={columns}
        samples={samples}
        onSet={(value, typing) => {
          edit(
            edits.setParameter(node.id, "columns", value),
            "set",
            typing ? `${node.id}.columns` : null,
          );
        }}
      />
    </section>
  );
}

function Reply({ node }: { readonly node: Node }) {
  const text = useText();
  const edit = useDraft((state) => state.edit);
  const value = node.parameters.columns;
  const kind =
    value === undefined
      ? "all"
      : JSON.stringify(value) === JSON.stringify(ONLY_SCORES)
        ? "scores"
        : "own";
  return (
    <section>
      <Title order={2} size="h6" mb={6}>
        {text.schemaReply(nameOf(node))}
      </Title>
      <SegmentedControl
        size="xs"
        aria-label={text.schemaReply(nameOf(node))}
        value={kind}
        data={[
          { value: "all", label: text.schemaReplyAll },
          { value: "scores", label: text.schemaReplyScores },
          ...(kind === "own" ? [{ value: "own", label: text.schemaReplyOwn }] : []),
        ]}
        onChange={(chosen) => {
          if (chosen === "all") edit(edits.resetParameter(node.id, "columns"), "reset");
          else if (chosen === "scores") {
            edit(edits.setParameter(node.id, "columns", ONLY_SCORES), "set");
          }
        }}
      />
    </section>
  );
}

/** The digest of the stored rows that share an input with a Web Service Input. */
function beside(graph: Graph, node: string): string | null {
  for (const wire of graph.wires.filter((w) => parsePin(w.source).node === node)) {
    for (const other of graph.wires.filter((w) => w.target === wire.target && w !== wire)) {
      const source = graph.nodes.find((n) => n.id === parsePin(other.source).node);
      const digest = source?.parameters.digest;
      if (typeof digest === "string") return digest;
    }
  }
  return null;
}
