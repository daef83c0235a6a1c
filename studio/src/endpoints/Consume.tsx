import { Button, CopyButton, Group, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, got, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import classes from "./endpoints.module.css";

type Keys = Schemas["EndpointKeys"];

const HIDDEN = "•".repeat(24);

/** The keys of an endpoint, which are asked for only when they are to be seen. */
export function Consume({ endpoint }: { readonly endpoint: Schemas["Endpoint"] }) {
  const text = useText();
  const { name } = endpoint;
  const [shown, setShown] = useState<Keys | null>(null);
  const show = useMutation({
    mutationFn: () =>
      got<Keys>(api.GET("/api/endpoints/{name}/keys", { params: { path: { name } } })),
    onSuccess: setShown,
  });
  const replace = useMutation({
    mutationFn: (which: "primary" | "secondary") =>
      got<Keys>(
        api.POST("/api/endpoints/{name}/keys/{which}/regenerate", {
          params: { path: { name, which } },
        }),
      ),
    onSuccess: setShown,
  });
  const failed = show.error ?? replace.error;
  return (
    <Stack gap="sm" maw={820}>
      <Group justify="space-between">
        <Title order={2} size="h5">
          {text.keys}
        </Title>
        <Button
          size="compact-xs"
          variant="default"
          loading={show.isPending}
          onClick={() => {
            if (shown) setShown(null);
            else show.mutate();
          }}
        >
          {shown ? text.keysHide : text.keysShow}
        </Button>
      </Group>
      <Text size="sm" c="dimmed">
        {text.keysHint}
      </Text>
      {failed && <Refusal title={text.somethingWrong} error={failed} otherwise={text.offline} />}
      {(["primary", "secondary"] as const).map((which) => (
        <Group key={which} wrap="nowrap">
          <Text size="sm" w={100}>
            {text.endpointKeyNames[which]}
          </Text>
          <Text className={classes.mono ?? ""} flex={1} truncate>
            {shown ? shown[which] : HIDDEN}
          </Text>
          {shown && (
            <>
              <CopyButton value={shown[which]}>
                {({ copied, copy }) => (
                  <Button size="compact-xs" variant="default" onClick={copy}>
                    {copied ? text.copied : text.copy}
                  </Button>
                )}
              </CopyButton>
              <Button
                size="compact-xs"
                variant="default"
                loading={replace.isPending && replace.variables === which}
                onClick={() => {
                  replace.mutate(which);
                }}
              >
                {text.keyReplace(text.endpointKeyNames[which])}
              </Button>
            </>
          )}
        </Group>
      ))}
    </Stack>
  );
}
