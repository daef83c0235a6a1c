import { ActionIcon, Button, Menu, Modal, Stack, Text, Tooltip, Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import {
  IconArrowsDiff,
  IconChevronDown,
  IconCloudUpload,
  IconForms,
  IconRefresh,
  IconRestore,
  IconRoute,
  IconWand,
} from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { draftQuery, runQuery, runsQuery } from "../api/queries";
import { sameWork } from "../draft/same";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { DeployDialog } from "./DeployDialog";
import { childrenQuery, trainingQuery } from "./queries";
import { RequestSchema } from "./RequestSchema";
import { settled } from "./settled";

/** What can be made of the open draft: an inference pipeline of a training one, an endpoint of that. */
export function InferenceTools() {
  const { draftId = "" } = useParams();
  const { data: draft } = useQuery(draftQuery(draftId));
  if (!draft) return null;
  return draft.kind === "training" ? (
    <Converting draftId={draftId} />
  ) : (
    <Serving draftId={draftId} realTime={draft.kind === "real-time-inference"} name={draft.name} />
  );
}

function Converting({ draftId }: { readonly draftId: string }) {
  const text = useText();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const graph = useDraft((state) => state.history?.present.draft.graph);
  const { data: runs } = useQuery(runsQuery(draftId));
  const { data: children } = useQuery(childrenQuery(draftId));
  const last = runs?.items.find((run) => run.status === "completed");
  const { data: run } = useQuery({ ...runQuery(last?.id ?? ""), enabled: last !== undefined });
  const convert = useMutation({
    mutationFn: (kind: "real-time" | "batch") =>
      got<Schemas["InferenceDraft"]>(
        api.POST("/api/runs/{run_id}/inference", {
          params: { path: { run_id: last?.id ?? "" } },
          body: { kind, requests: [], replies: [] },
        }),
      ),
    onSuccess: (made) => {
      cache.setQueryData(["draft", made.draft.id], made.draft);
      cache.setQueryData(["conversion", made.draft.id], made.conversion);
      void cache.invalidateQueries({ queryKey: ["drafts"] });
      void cache.invalidateQueries({ queryKey: ["models"] });
      void navigate(`/drafts/${made.draft.id}`);
    },
    onError: (error) => {
      notifications.show({
        color: "red",
        autoClose: false,
        title: text.somethingWrong,
        message: `${error.message || text.offline} ${"remedy" in error ? String(error.remedy) : ""}`,
      });
    },
  });
  const known = children?.items.filter((child) => child.kind !== "training") ?? [];
  const old = run && graph ? !sameWork(run.graph, graph) : false;
  const kinds = [
    ["real-time", text.inferenceRealTime, text.inferenceRealTimeHint],
    ["batch", text.inferenceBatch, text.inferenceBatchHint],
  ] as const;
  return (
    <Menu position="bottom-end" width={330} disabled={!last}>
      <Menu.Target>
        <Tooltip label={text.inferenceNeedsRun} disabled={last !== undefined}>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconWand size={15} />}
            rightSection={<IconChevronDown size={13} />}
            loading={convert.isPending}
            {...(last ? {} : { "data-disabled": true, "aria-disabled": true })}
          >
            {known.length > 0 ? text.inferenceUpdateMenu : text.inferenceCreate}
          </Button>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {known.map((child) => (
          <Menu.Item
            key={child.id}
            leftSection={<IconRefresh size={15} />}
            onClick={() => {
              void navigate(`/drafts/${child.id}/update`);
            }}
          >
            {child.name}
          </Menu.Item>
        ))}
        {known.length > 0 && <Menu.Label>{text.inferenceAnother}</Menu.Label>}
        {kinds.map(([kind, title, hint]) => (
          <Menu.Item
            key={kind}
            onClick={() => {
              convert.mutate(kind);
            }}
          >
            {title}
            <Text size="xs" c="dimmed">
              {hint}
            </Text>
          </Menu.Item>
        ))}
        {old && (
          <Text size="xs" c="dimmed" px="sm" py={6}>
            {text.inferenceRunOld}
          </Text>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

interface ServingProps {
  readonly draftId: string;
  readonly realTime: boolean;
  readonly name: string;
}

function Serving({ draftId, realTime, name }: ServingProps) {
  const text = useText();
  const navigate = useNavigate();
  const [place, setPlace] = useSearchParams();
  const { data: training } = useQuery({ ...trainingQuery(draftId), retry: false });
  const [asking, setAsking] = useState<"schema" | "reset" | null>(null);
  const deploying = place.has("deploy");
  const deploy = (open: boolean) => {
    setPlace(open ? { deploy: "" } : {}, { replace: true });
  };
  return (
    <>
      <Menu position="bottom-end" width={300}>
        <Menu.Target>
          <Tooltip label={text.inferenceMenu}>
            <ActionIcon variant="default" size={30} aria-label={text.inferenceMenu}>
              <IconWand size={16} />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown>
          {training && (
            <Menu.Item
              leftSection={<IconArrowsDiff size={15} />}
              onClick={() => {
                void navigate(`/drafts/${draftId}/conversion`);
              }}
            >
              {text.inferenceChanges}
            </Menu.Item>
          )}
          {realTime && (
            <Menu.Item
              leftSection={<IconForms size={15} />}
              onClick={() => {
                setAsking("schema");
              }}
            >
              {text.inferenceSchema}
            </Menu.Item>
          )}
          {training && (
            <>
              <Menu.Item
                leftSection={<IconRefresh size={15} />}
                disabled={!training.newer}
                onClick={() => {
                  void navigate(`/drafts/${draftId}/update`);
                }}
              >
                {text.inferenceUpdateMenu}
                <Text size="xs" c="dimmed">
                  {training.newer ? text.inferenceNewer : text.inferenceUpToDate}
                </Text>
              </Menu.Item>
              <Menu.Item
                leftSection={<IconRestore size={15} />}
                onClick={() => {
                  setAsking("reset");
                }}
              >
                {text.inferenceReset}
              </Menu.Item>
            </>
          )}
          {training?.draft && (
            <Menu.Item
              leftSection={<IconRoute size={15} />}
              onClick={() => {
                void navigate(`/drafts/${training.draft?.id ?? ""}`);
              }}
            >
              {text.inferenceTraining}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {realTime && (
        <Button
          size="xs"
          variant="light"
          leftSection={<IconCloudUpload size={15} />}
          onClick={() => {
            deploy(true);
          }}
        >
          {text.deploy}
        </Button>
      )}
      {deploying && realTime && (
        <DeployDialog
          draftId={draftId}
          name={name}
          onClose={() => {
            deploy(false);
          }}
        />
      )}
      {asking === "schema" && (
        <RequestSchema
          onClose={() => {
            setAsking(null);
          }}
        />
      )}
      {asking === "reset" && (
        <Reset
          draftId={draftId}
          onClose={() => {
            setAsking(null);
          }}
        />
      )}
    </>
  );
}

function Reset({ draftId, onClose }: { readonly draftId: string; onClose(): void }) {
  const text = useText();
  const cache = useQueryClient();
  const reset = useMutation({
    mutationFn: async () => {
      const revision = await settled();
      return got<Schemas["Draft"]>(
        api.POST("/api/drafts/{draft_id}/reset", {
          params: { path: { draft_id: draftId } },
          body: { revision },
        }),
      );
    },
    onSuccess: (draft) => {
      cache.setQueryData(["draft", draftId], draft);
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={text.inferenceReset} size="sm">
      <Stack gap="md">
        <Text size="sm">{text.inferenceResetAsk}</Text>
        {reset.error && (
          <Refusal title={text.somethingWrong} error={reset.error} otherwise={text.offline} />
        )}
        <Group justify="flex-end">
          <Button size="xs" variant="default" onClick={onClose}>
            {text.cancel}
          </Button>
          <Button
            size="xs"
            loading={reset.isPending}
            onClick={() => {
              reset.mutate();
            }}
          >
            {text.inferenceReset}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
