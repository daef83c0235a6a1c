import { Anchor, Button, Group, SegmentedControl, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Copy } from "./Copy";
import { snippetsQuery } from "./queries";
import { TokenCard } from "./TokenCard";
import classes from "./endpoints.module.css";

type Keys = Schemas["EndpointKeys"];

const HIDDEN = "•".repeat(24);
const LANGUAGES = ["curl", "python", "javascript", "r", "csharp"] as const;

/** How to call an endpoint: programs with its address, and its keys once they are asked for. */
export function Consume({ endpoint }: { readonly endpoint: Schemas["Endpoint"] }) {
  const text = useText();
  const { name } = endpoint;
  const [language, setLanguage] = useState<string>("curl");
  const [shown, setShown] = useState<Keys | null>(null);
  const snippets = useQuery(snippetsQuery(name));
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
  const [token, setToken] = useState<Schemas["EndpointToken"] | null>(null);
  const auth = authOf(endpoint);
  const open = auth === "none";
  const secret = token?.token ?? (auth === "tokens" ? undefined : shown?.primary);
  const template = snippets.data?.snippets[language] ?? "";
  const code =
    secret && snippets.data ? template.replaceAll(snippets.data.placeholder, secret) : template;
  return (
    <Stack gap="xl" maw={900}>
      <section aria-labelledby="auth">
        <Title order={2} size="h5" id="auth" mb={4}>
          {text.consumeAuth}
        </Title>
        <Text size="sm">
          {text.consumeAuths[auth]}{" "}
          <Anchor component={Link} to={`/endpoints/${name}`} size="sm">
            {text.consumeAuthChange}
          </Anchor>
        </Text>
      </section>
      {(auth === "both" || auth === "tokens") && (
        <TokenCard name={name} token={token} onToken={setToken} />
      )}
      {(auth === "both" || auth === "keys") && (
        <section aria-labelledby="keys">
          <Group justify="space-between" mb="xs">
            <Title order={2} size="h5" id="keys">
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
          <Text size="sm" c="dimmed" mb="xs">
            {text.keysHint}
          </Text>
          {failed && (
            <Refusal title={text.somethingWrong} error={failed} otherwise={text.offline} />
          )}
          {(["primary", "secondary"] as const).map((which) => (
            <Group key={which} wrap="nowrap" mb={6}>
              <Text size="sm" w={100}>
                {text.endpointKeyNames[which]}
              </Text>
              <Text className={classes.mono ?? ""} flex={1} truncate data-key={which}>
                {shown ? shown[which] : HIDDEN}
              </Text>
              {shown && (
                <>
                  <Copy value={shown[which]} />
                  <Button
                    size="compact-xs"
                    variant="default"
                    miw={190}
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
        </section>
      )}
      <section aria-labelledby="programs">
        <Group justify="space-between" mb="xs">
          <Title order={2} size="h5" id="programs">
            {text.consumePrograms}
          </Title>
          <Group gap="xs">
            <SegmentedControl
              size="xs"
              aria-label={text.consumePrograms}
              value={language}
              data={LANGUAGES.map((one) => ({ value: one, label: text.languages[one] }))}
              onChange={setLanguage}
            />
            <Copy value={code} />
          </Group>
        </Group>
        {!secret && !open && (
          <Text size="sm" c="dimmed" mb="xs">
            {auth === "tokens" ? text.consumeTokenHint : text.consumeKeyHint}
          </Text>
        )}
        {snippets.error ? (
          <Refusal title={text.somethingWrong} error={snippets.error} otherwise={text.offline} />
        ) : (
          <pre
            className={classes.snippet}
            role="region"
            aria-label={text.languages[language as (typeof LANGUAGES)[number]]}
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolled region must be reachable by keyboard
            tabIndex={0}
          >
            {code}
          </pre>
        )}
      </section>
    </Stack>
  );
}

/** What opens an endpoint. */
function authOf(endpoint: Schemas["Endpoint"]): "both" | "keys" | "tokens" | "none" {
  const { auth } = endpoint.access;
  return auth === "keys" || auth === "tokens" || auth === "none" ? auth : "both";
}
