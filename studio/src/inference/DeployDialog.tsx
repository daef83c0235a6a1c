import {
  Accordion,
  Alert,
  Button,
  Group,
  Modal,
  NumberInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ApiError, got, type Schemas } from "../api/client";
import { endpointsQuery } from "../api/queries";
import { ClusterForm } from "../forms/ClusterForm";
import { type Settings, SettingFields } from "../forms/SettingFields";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { DeploySteps } from "./DeploySteps";
import { clusterKindsQuery, clustersQuery, planQuery, settingsQuery } from "./queries";
import { useDeploying } from "./useDeploying";
import classes from "./inference.module.css";

interface Props {
  readonly draftId: string;
  readonly name: string;
  onClose(): void;
}

const NAME = /^[A-Za-z][A-Za-z0-9-]{2,31}$/;

/** Where and how to serve the open inference draft, and what becomes of it. */
export function DeployDialog({ draftId, name, onClose }: Props) {
  const text = useText();
  const { data: endpoints } = useQuery(endpointsQuery);
  const { data: explained } = useQuery(settingsQuery);
  const known = endpoints?.items ?? [];
  const mine = known.find((e) => e.deployments.some((d) => d.lineage.draft_id === draftId));
  const [chosenWhere, setWhere] = useState<"new" | "existing" | null>(null);
  const where = chosenWhere ?? (mine ? "existing" : "new");
  const [typed, setTyped] = useState<string | null>(null);
  const fresh = typed ?? wished(name);
  const [which, setWhich] = useState<string | null>(null);
  const old = which ?? mine?.name ?? null;
  const [description, setDescription] = useState("");
  const [tags, setTags] = useState<string[]>([]);
  const [cluster, setCluster] = useState<string | null>(null);
  const [settings, setSettings] = useState<Settings>({});
  const [access, setAccess] = useState<Settings>({});
  const [part, setPart] = useState<"all" | "share" | "shadow">("all");
  const [percent, setPercent] = useState(10);
  const deploying = useDeploying(draftId, onClose);

  const target = where === "new" ? fresh : (old ?? "");
  const taken = where === "new" && known.some((e) => e.name.toLowerCase() === fresh.toLowerCase());
  const present = known.find((e) => e.name === old);
  const right = where === "new" ? NAME.test(fresh) && !taken : old !== null;
  const [settled] = useDebouncedValue(settings, 250);
  const place = where === "new" ? cluster : null;
  const plan = useQuery({
    ...planQuery({
      name: where === "new" ? null : old,
      cluster: place,
      settings: Object.keys(settled).length > 0 ? { ...settled } : null,
      beside: part !== "all" && where === "existing",
    }),
    enabled: where === "new" || old !== null,
    placeholderData: keepPreviousData,
  });
  const current: Settings =
    where === "existing" && present ? { ...present.settings, ...settings } : settings;
  const currentAccess: Settings =
    where === "existing" && present ? { ...present.access, ...access } : access;

  const deploy = () => {
    const asked: Schemas["DeployAsked"] = {
      name: target,
      draft_id: draftId,
      description,
      tags: Object.fromEntries(tags.map((tag) => tag.split(/=(.*)/s, 2) as [string, string])),
      settings: Object.keys(settings).length > 0 ? { ...settings } : null,
      access: Object.keys(access).length > 0 ? { ...access } : null,
      cluster: place,
      ...(where === "existing" && part === "share" ? { share: percent } : {}),
      ...(where === "existing" && part === "shadow" ? { shadow: percent } : {}),
    };
    deploying.begin(asked);
  };

  return (
    <Modal opened onClose={onClose} title={text.deployTitle} size={760}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (right && !deploying.busy) deploy();
        }}
      >
        <Stack gap="md">
          <SegmentedControl
            size="xs"
            fullWidth
            aria-label={text.deployTitle}
            value={where}
            data={[
              { value: "new", label: text.deployNew },
              { value: "existing", label: text.deployExisting, disabled: known.length === 0 },
            ]}
            onChange={(value) => {
              setWhere(value as "new" | "existing");
            }}
          />
          {where === "new" ? (
            <>
              <TextInput
                size="xs"
                label={text.deployName}
                description={text.deployNameHint}
                required
                data-autofocus
                value={fresh}
                error={taken ? text.deployNameTaken : !right ? text.deployNameHint : null}
                onChange={(event) => {
                  setTyped(event.currentTarget.value);
                }}
              />
              <Textarea
                size="xs"
                label={text.deployDescription}
                autosize
                minRows={1}
                value={description}
                onChange={(event) => {
                  setDescription(event.currentTarget.value);
                }}
              />
              <TagsInput
                size="xs"
                label={text.deployTags}
                description={text.deployTagsHint}
                value={tags}
                onChange={(given) => {
                  setTags(given.filter((tag) => /^[^=]+=/.test(tag)));
                }}
              />
              <ClusterChoice cluster={cluster} onChoose={setCluster} />
            </>
          ) : (
            <>
              <Select
                size="xs"
                label={text.deployWhich}
                required
                data={known.map((e) => e.name)}
                value={old}
                onChange={setWhich}
              />
              <SimpleGrid cols={2} spacing="sm">
                <Select
                  size="xs"
                  label={text.deployPart}
                  allowDeselect={false}
                  value={part}
                  data={(["all", "share", "shadow"] as const).map((value) => ({
                    value,
                    label: text.deployParts[value],
                  }))}
                  onChange={(value) => {
                    setPart((value ?? "all") as "all" | "share" | "shadow");
                  }}
                />
                {part !== "all" && (
                  <NumberInput
                    size="xs"
                    label={text.deployPercent}
                    min={part === "shadow" ? 1 : 0}
                    max={100}
                    value={percent}
                    onChange={(value) => {
                      if (typeof value === "number") setPercent(value);
                    }}
                  />
                )}
              </SimpleGrid>
            </>
          )}
          <Accordion variant="contained" chevronPosition="left">
            <Accordion.Item value="advanced">
              <Accordion.Control>
                <Text size="sm">{text.deployAdvanced}</Text>
              </Accordion.Control>
              <Accordion.Panel>
                <SettingFields
                  settings={explained?.settings ?? []}
                  values={current}
                  onChange={(key, value) => {
                    setSettings({ ...settings, [key]: value });
                  }}
                />
              </Accordion.Panel>
            </Accordion.Item>
            <Accordion.Item value="access">
              <Accordion.Control>
                <Text size="sm">{text.deployAccess}</Text>
              </Accordion.Control>
              <Accordion.Panel>
                <SettingFields
                  settings={explained?.access ?? []}
                  values={currentAccess}
                  onChange={(key, value) => {
                    setAccess({ ...access, [key]: value });
                  }}
                />
              </Accordion.Panel>
            </Accordion.Item>
          </Accordion>
          {plan.data && (
            <Alert
              color={plan.data.fits ? "teal" : "orange"}
              variant="light"
              py={8}
              role="status"
              title={text.planTitle}
            >
              <Text size="sm">
                {plan.data.fits
                  ? text.planFits(plan.data.cluster, plan.data.replicas_min, plan.data.fit)
                  : plan.data.message}
              </Text>
              <Text size="xs" c="dimmed">
                {text.planTakes(
                  plan.data.each.cpu_cores,
                  plan.data.each.memory_gb,
                  plan.data.free.cpu_cores,
                  plan.data.free.memory_gb,
                )}
              </Text>
              {plan.data.short.map((short) => (
                <Text key={short.resource} size="xs" fw={600}>
                  {text.planShort(
                    text.resources[short.resource] ?? short.resource,
                    short.needed,
                    short.free,
                  )}
                </Text>
              ))}
            </Alert>
          )}
          {plan.error && (
            <Refusal title={text.somethingWrong} error={plan.error} otherwise={text.offline} />
          )}
          <DeploySteps deploying={deploying} />
          <Group justify="flex-end" className={classes.foot ?? ""}>
            <Button size="xs" variant="default" onClick={onClose}>
              {text.cancel}
            </Button>
            <Button size="xs" type="submit" disabled={!right} loading={deploying.busy}>
              {text.deploy}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface ChoiceProps {
  readonly cluster: string | null;
  onChoose(cluster: string | null): void;
}

function ClusterChoice({ cluster, onChoose }: ChoiceProps) {
  const text = useText();
  const cache = useQueryClient();
  const { data: clusters } = useQuery(clustersQuery);
  const { data: kinds } = useQuery(clusterKindsQuery);
  const [kind, setKind] = useState<string | null>(null);
  const [creating, setCreating] = useState(false);
  const known = clusters?.items ?? [];
  const chosen = known.find((c) => c.name === (cluster ?? "default"));
  const type = kind ?? chosen?.kind ?? "local";
  const fitting = known.filter((c) => c.kind === type);
  const create = useMutation({
    mutationFn: (asked: Schemas["ClusterAsked"]) =>
      got<Schemas["Cluster"]>(api.POST("/api/clusters", { body: asked })),
    onSuccess: async (made) => {
      await cache.invalidateQueries({ queryKey: ["clusters"] });
      setKind(made.kind);
      onChoose(made.name);
      setCreating(false);
    },
  });
  return (
    <>
      <SimpleGrid cols={2} spacing="sm">
        <Select
          size="xs"
          label={text.clusterKind}
          allowDeselect={false}
          value={type}
          data={(kinds?.items ?? []).map((k) => ({
            value: k.name,
            label: text.clusterKinds[k.name] ?? k.title,
          }))}
          onChange={(value) => {
            setKind(value);
            const first = known.find((c) => c.kind === value);
            onChoose(first?.name ?? null);
            setCreating(first === undefined);
          }}
        />
        <Group align="flex-end" gap="xs" wrap="nowrap">
          <Select
            size="xs"
            flex={1}
            label={text.cluster}
            allowDeselect={false}
            value={fitting.some((c) => c.name === chosen?.name) ? (chosen?.name ?? null) : null}
            data={fitting.map((c) => ({
              value: c.name,
              label: text.clusterFree(c.name, c.free.cpu_cores, c.free.memory_gb),
            }))}
            onChange={onChoose}
          />
          <Button
            size="xs"
            variant="default"
            onClick={() => {
              setCreating(!creating);
            }}
          >
            {text.clusterNew}
          </Button>
        </Group>
      </SimpleGrid>
      {creating && kinds && (
        <Alert color="gray" variant="outline" title={text.clusterNew}>
          <ClusterForm
            key={type}
            kinds={kinds.items}
            kind={type}
            busy={create.isPending}
            onSubmit={(asked) => {
              create.mutate(asked);
            }}
            onCancel={() => {
              setCreating(false);
            }}
          />
          {create.error instanceof ApiError && (
            <Refusal title={text.somethingWrong} error={create.error} otherwise={text.offline} />
          )}
        </Alert>
      )}
    </>
  );
}

/** A name for an endpoint made of the draft's. */
function wished(name: string): string {
  const stem = name
    .replace(/ - real-time inference$/, "")
    .normalize("NFD")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^[^A-Za-z]+|-+$/g, "")
    .toLowerCase()
    .slice(0, 32)
    .replace(/-+$/, "");
  return stem.length >= 3 ? stem : "my-endpoint";
}
