import { Button, Group, Select, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, got, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Copy } from "./Copy";
import classes from "./endpoints.module.css";

type Token = Schemas["EndpointToken"];

const LIVES = [300, 3600, 28_800, 86_400] as const;

interface Props {
  readonly name: string;
  readonly token: Token | null;
  onToken(token: Token | null): void;
}

/** Short-lived tokens that open an endpoint, for callers who should not have its keys. */
export function TokenCard({ name, token, onToken }: Props) {
  const text = useText();
  const [seconds, setSeconds] = useState<number>(3600);
  const path = { params: { path: { name } } };
  const issue = useMutation({
    mutationFn: () =>
      got<Token>(api.POST("/api/endpoints/{name}/tokens", { ...path, body: { seconds } })),
    onSuccess: onToken,
  });
  const revoke = useMutation({
    mutationFn: () => got<Schemas["Done"]>(api.DELETE("/api/endpoints/{name}/tokens", path)),
    onSuccess: () => {
      onToken(null);
    },
  });
  const failed = issue.error ?? revoke.error;
  const when = (moment: string) =>
    new Date(moment).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return (
    <section aria-labelledby="tokens">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5" id="tokens">
          {text.tokenTitle}
        </Title>
        <Group gap="xs">
          <Select
            size="xs"
            w={130}
            aria-label={text.tokenLife}
            allowDeselect={false}
            value={String(seconds)}
            data={LIVES.map((life) => ({ value: String(life), label: text.tokenLives[life] }))}
            onChange={(value) => {
              setSeconds(Number(value));
            }}
          />
          <Button
            size="xs"
            variant="default"
            loading={issue.isPending}
            onClick={() => {
              issue.mutate();
            }}
          >
            {text.tokenIssue}
          </Button>
          <Button
            size="xs"
            variant="default"
            color="red"
            loading={revoke.isPending}
            onClick={() => {
              revoke.mutate();
            }}
          >
            {text.tokenRevokeAll}
          </Button>
        </Group>
      </Group>
      <Text size="sm" c="dimmed" mb="xs">
        {text.tokenHint}
      </Text>
      {failed && <Refusal title={text.somethingWrong} error={failed} otherwise={text.offline} />}
      {revoke.isSuccess && !token && (
        <Text size="sm" role="status">
          {text.tokenRevoked}
        </Text>
      )}
      {token && (
        <>
          <Group wrap="nowrap" mb={4}>
            <Text className={classes.mono ?? ""} flex={1} truncate data-token>
              {token.token}
            </Text>
            <Copy value={token.token} />
          </Group>
          <Text size="xs" c="dimmed" role="status">
            {text.tokenUntil(when(token.expires_at), when(token.refresh_at))}
          </Text>
        </>
      )}
    </section>
  );
}
