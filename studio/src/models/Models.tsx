import { Anchor, Group, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { useLanguage, useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { figures } from "./figures";
import { type Kind, modelsQuery } from "./queries";

/** The latest version of every registered model, or of every fitted transformation. */
export function Models({ kind }: { readonly kind: Kind }) {
  const text = useText();
  const language = useLanguage((chosen) => chosen.language);
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed, 150);
  const { data, error } = useQuery({
    ...modelsQuery(kind, search),
    placeholderData: keepPreviousData,
  });
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const place = kind === "model" ? "models" : "transformations";
  return (
    <Stack maw={1120} mx="auto" p="xl" gap="lg">
      <Group justify="space-between">
        <Title order={1} size="h2">
          {kind === "model" ? text.models : text.transformations}
        </Title>
        <TextInput
          size="xs"
          w={260}
          aria-label={text.search}
          placeholder={text.search}
          leftSection={<IconSearch size={14} />}
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
          }}
        />
      </Group>
      <Text size="sm" c="dimmed">
        {kind === "model" ? text.modelsHint : text.transformationsHint}
      </Text>
      {error && <Refusal title={text.somethingWrong} error={error} otherwise={text.offline} />}
      {!data ? (
        !error && <Waiting />
      ) : data.items.length === 0 ? (
        <Text size="sm" c="dimmed">
          {search ? text.nothingFound : text.modelsNone}
        </Text>
      ) : (
        <Table verticalSpacing={6} highlightOnHover fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.draftName}</Table.Th>
              <Table.Th w={90} ta="right">
                {text.dataVersion}
              </Table.Th>
              {kind === "model" && <Table.Th>{text.metrics}</Table.Th>}
              <Table.Th w={190}>{text.modelMade}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.items.map((model) => (
              <Table.Tr key={model.name}>
                <Table.Td>
                  <Anchor
                    component={Link}
                    to={`/${place}/${encodeURIComponent(model.name)}`}
                    size="sm"
                    fw={500}
                  >
                    {model.name}
                  </Anchor>
                  {model.description && (
                    <Text size="xs" c="dimmed">
                      {model.description}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td ta="right">{model.version}</Table.Td>
                {kind === "model" && <Table.Td>{figures(model.metrics, 2)}</Table.Td>}
                <Table.Td>{when.format(new Date(model.created_at))}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  );
}
