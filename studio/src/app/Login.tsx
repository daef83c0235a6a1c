import { Button, Center, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { api, ApiError, got, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Failure } from "../ui/Failure";

export function Login() {
  const text = useText();
  const navigate = useNavigate();
  const { hash, state } = useLocation();
  const cache = useQueryClient();
  const [token, setToken] = useState("");
  const [failed, setFailed] = useState<Error | null>(null);
  const tried = useRef(false);
  const from = (state as { from?: string } | null)?.from ?? "/";

  const logIn = useCallback(
    async (given: string) => {
      try {
        const session = await got<Schemas["Session"]>(
          api.POST("/api/session", { body: { token: given } }),
        );
        cache.setQueryData(["session"], session);
        await navigate(from, { replace: true });
      } catch (error) {
        setFailed(error as Error);
      }
    },
    [cache, from, navigate],
  );

  useEffect(() => {
    const given = new URLSearchParams(hash.slice(1)).get("token");
    // The token opens one session only, so it is sent once.
    if (given && !tried.current) {
      tried.current = true;
      void logIn(given);
    }
  }, [hash, logIn]);

  return (
    <Center mih="100vh" component="main">
      <Paper withBorder p="xl" w={380} shadow="sm">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void logIn(token);
          }}
        >
          <Stack gap="md">
            <Title order={1} size="h3">
              {text.appName}
            </Title>
            <Text size="sm" c="dimmed">
              {from === "/" ? text.loginHow : text.loginExpired}
            </Text>
            {failed && (
              <Failure
                title={text.somethingWrong}
                message={failed instanceof ApiError ? failed.message : text.offline}
                {...(failed instanceof ApiError ? { remedy: failed.remedy } : {})}
              />
            )}
            <TextInput
              label={text.loginToken}
              value={token}
              onChange={(event) => {
                setToken(event.currentTarget.value);
              }}
              autoComplete="off"
              data-autofocus
            />
            <Button type="submit" disabled={!token.trim()}>
              {text.loginButton}
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
