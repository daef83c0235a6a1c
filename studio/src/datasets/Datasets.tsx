import { Anchor, Badge, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { datasetsQuery } from "../api/queries";
import { useLanguage, useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { UploadZone } from "./UploadZone";
import classes from "./datasets.module.css";

/** The registered data sets, and a place to drop a file for a new one. */
export function Datasets() {
  const text = useText();
  const language = useLanguage((s) => s.language);
  const navigate = useNavigate();
  const [search, setSearch] = useState("");
  const [settled] = useDebouncedValue(search, 150);
  const { data, error, isSuccess } = useQuery(datasetsQuery(settled));
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const items = data?.items ?? [];
  return (
    <Stack maw={1080} mx="auto" p="xl" gap="lg">
      <div className={classes.heading}>
        <Title order={1} size="h2">
          {text.dataTitle}
        </Title>
        <TextInput
          size="xs"
          w={240}
          placeholder={text.search}
          aria-label={text.search}
          leftSection={<IconSearch size={14} />}
          value={search}
          onChange={(event) => {
            setSearch(event.currentTarget.value);
          }}
        />
      </div>
      <UploadZone
        onSent={(upload) => {
          void navigate(`/data/import/${upload.id}`);
        }}
      />
      {error && <Refusal title={text.somethingWrong} error={error} otherwise={text.offline} />}
      {isSuccess && items.length === 0 ? (
        <Text size="sm" c="dimmed">
          {search ? text.nothingFound : text.dataNone}
        </Text>
      ) : (
        <Table highlightOnHover verticalSpacing={7} className={classes.table}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.dataName}</Table.Th>
              <Table.Th w={90}>{text.dataVersion}</Table.Th>
              <Table.Th w={170} ta="right">
                {text.dataSize}
              </Table.Th>
              <Table.Th w={200}>{text.dataChanged}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map((dataset) => (
              <Table.Tr key={dataset.name}>
                <Table.Td>
                  <Anchor
                    component={Link}
                    to={`/data/sets/${encodeURIComponent(dataset.name)}`}
                    size="sm"
                    fw={500}
                  >
                    {dataset.name}
                  </Anchor>
                  {dataset.description && (
                    <Text size="xs" c="dimmed" lineClamp={1}>
                      {dataset.description}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>
                  <Badge variant="light" color="gray" tt="none">
                    {dataset.version}
                  </Badge>
                </Table.Td>
                <Table.Td ta="right">
                  {dataset.rows?.toLocaleString(language) ?? "–"} × {dataset.columns.length}
                </Table.Td>
                <Table.Td>{when.format(new Date(dataset.created_at))}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  );
}
