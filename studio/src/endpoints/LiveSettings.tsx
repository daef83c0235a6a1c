import { Button, Group, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, got, type Schemas } from "../api/client";
import { type Settings, SettingFields } from "../forms/SettingFields";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { explainedQuery } from "./queries";

/** Settings of a running endpoint; a change is taken up without losing a request. */
export function LiveSettings({ endpoint }: { readonly endpoint: Schemas["Endpoint"] }) {
  const text = useText();
  const cache = useQueryClient();
  const { name } = endpoint;
  const { data: explained } = useQuery(explainedQuery);
  const [settings, setSettings] = useState<Settings>({});
  const [access, setAccess] = useState<Settings>({});
  const touched = Object.keys(settings).length + Object.keys(access).length > 0;
  const drop = () => {
    setSettings({});
    setAccess({});
  };
  const save = useMutation({
    mutationFn: () =>
      got<Schemas["Endpoint"]>(
        api.PATCH("/api/endpoints/{name}", {
          params: { path: { name } },
          body: {
            ...(Object.keys(settings).length > 0 ? { settings: { ...settings } } : {}),
            ...(Object.keys(access).length > 0 ? { access: { ...access } } : {}),
          },
        }),
      ),
    onSuccess: (now) => {
      cache.setQueryData(["endpoint", name], now);
      void cache.invalidateQueries({ queryKey: ["snippets", name] });
      drop();
    },
  });
  if (!explained || Object.keys(endpoint.settings).length === 0) return null;
  return (
    <section aria-labelledby="settings-live">
      <Group justify="space-between" mb="xs" maw={820}>
        <Title order={2} size="h5" id="settings-live">
          {text.endpointSettings}
        </Title>
        {touched && (
          <Group gap="xs">
            <Button size="xs" variant="default" onClick={drop}>
              {text.cancel}
            </Button>
            <Button
              size="xs"
              loading={save.isPending}
              onClick={() => {
                save.mutate();
              }}
            >
              {text.endpointApply}
            </Button>
          </Group>
        )}
      </Group>
      {save.error && (
        <Refusal title={text.somethingWrong} error={save.error} otherwise={text.offline} />
      )}
      <div style={{ maxWidth: 820 }}>
        <SettingFields
          settings={explained.settings}
          values={{ ...endpoint.settings, ...settings }}
          onChange={(key, value) => {
            setSettings({ ...settings, [key]: value });
          }}
        />
        <Title order={3} size="h6" mt="md" mb="xs">
          {text.deployAccess}
        </Title>
        <SettingFields
          settings={explained.access}
          values={{ ...endpoint.access, ...access }}
          onChange={(key, value) => {
            setAccess({ ...access, [key]: value });
          }}
        />
      </div>
    </section>
  );
}
