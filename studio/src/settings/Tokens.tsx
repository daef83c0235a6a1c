import {
  Alert,
  Button,
  Code,
  CopyButton,
  Group,
  NumberInput,
  Table,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, got, type Schemas } from "../api/client";
import { useLanguage, useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";

const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: () => got<Schemas["Listed_ApiToken_"]>(api.GET("/api/tokens")),
});

/** What lets programs in: made here, shown once, taken back at any time. */
export function Tokens() {
  const text = useText();
  const language = useLanguage((s) => s.language);
  const cache = useQueryClient();
  const { data, error } = useQuery(tokensQuery);
  const [name, setName] = useState("");
  const [days, setDays] = useState<number | null>(90);
  const refresh = () => cache.invalidateQueries({ queryKey: ["tokens"] });
  const create = useMutation({
    mutationFn: () =>
      got<Schemas["CreatedToken"]>(api.POST("/api/tokens", { body: { name: name.trim(), days } })),
    onSuccess: () => {
      setName("");
      void refresh();
    },
  });
  const revoke = useMutation({
    mutationFn: (id: number) =>
      got(api.DELETE("/api/tokens/{token_id}", { params: { path: { token_id: id } } })),
    onSuccess: refresh,
  });
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const day = (moment: string | null, otherwise: string) =>
    moment === null ? otherwise : when.format(new Date(moment));
  const failed = error ?? create.error ?? revoke.error;
  return (
    <section aria-labelledby="tokens">
      <Title order={2} size="h4" id="tokens">
        {text.tokens}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {text.tokensHint}
      </Text>
      {failed && <Refusal title={text.somethingWrong} error={failed} otherwise={text.offline} />}
      {create.data && (
        <Alert color="teal" icon={<IconKey />} mb="sm" title={text.tokenMade}>
          <Group gap="xs">
            <Code>{create.data.secret}</Code>
            <CopyButton value={create.data.secret}>
              {({ copied, copy }) => (
                <Button size="compact-xs" variant="default" onClick={copy}>
                  {copied ? text.copied : text.copy}
                </Button>
              )}
            </CopyButton>
          </Group>
        </Alert>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <Group align="flex-end" mb="md">
          <TextInput
            size="xs"
            w={260}
            label={text.tokenName}
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value);
            }}
          />
          <NumberInput
            size="xs"
            w={120}
            label={text.tokenDays}
            placeholder={text.tokenForever}
            min={1}
            max={3650}
            value={days ?? ""}
            onChange={(given) => {
              setDays(typeof given === "number" ? given : null);
            }}
          />
          <Button type="submit" size="xs" disabled={!name.trim()} loading={create.isPending}>
            {text.tokenCreate}
          </Button>
        </Group>
      </form>
      {data && data.items.length > 0 && (
        <Table verticalSpacing={5}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.tokenName}</Table.Th>
              <Table.Th>{text.tokenUsed}</Table.Th>
              <Table.Th>{text.tokenEnds}</Table.Th>
              <Table.Td />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.items.map((token) => (
              <Table.Tr key={token.id}>
                <Table.Td>{token.name}</Table.Td>
                <Table.Td>{day(token.last_used_at, text.tokenUnused)}</Table.Td>
                <Table.Td>{day(token.expires_at, text.tokenForever)}</Table.Td>
                <Table.Td ta="right">
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    color="red"
                    aria-label={`${text.tokenRevoke}: ${token.name}`}
                    onClick={() => {
                      revoke.mutate(token.id);
                    }}
                  >
                    {text.tokenRevoke}
                  </Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </section>
  );
}
