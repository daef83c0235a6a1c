import { Group, Select, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, type Column, got, type Schemas } from "../api/client";
import { artifactQuery } from "../api/queries";
import { useText } from "../text/useText";
import { Waiting } from "../ui/Waiting";
import { Plot } from "./Plot";
import { cloud } from "./plots";
import { pieces } from "./sample";

const NUMBERS = new Set(["Integer", "Double", "Date", "DateTime", "Time"]);

/** Two columns of a table as a cloud of points, a third as their colour. */
export function ScatterLook({ digest }: { readonly digest: string }) {
  const text = useText();
  const { data, error } = useQuery(artifactQuery(digest));
  if (error) return <Text size="sm">{error.message || text.offline}</Text>;
  if (!data) return <Waiting />;
  if (data.content.kind !== "table") return null;
  const { columns, rows } = data.content;
  const drawable = columns.filter((c) => NUMBERS.has(c.type));
  if (drawable.length < 2 || rows === 0) {
    return (
      <Text size="sm" c="dimmed">
        {text.scatterNone}
      </Text>
    );
  }
  return <Cloud digest={digest} columns={columns} drawable={drawable} rows={rows} />;
}

interface Props {
  readonly digest: string;
  readonly columns: readonly Column[];
  readonly drawable: readonly Column[];
  readonly rows: number;
}

function Cloud({ digest, columns, drawable, rows }: Props) {
  const text = useText();
  const label = drawable.find((c) => c.role === "label")?.name;
  const names = drawable.map((c) => c.name);
  const [x, setX] = useState(names.find((n) => n !== label) ?? "");
  const [y, setY] = useState(label ?? names.find((n) => n !== x) ?? "");
  const [tint, setTint] = useState<string | null>(null);
  const wanted = [...new Set([x, y, ...(tint === null ? [] : [tint])])];
  const points = useQuery({
    queryKey: ["points", digest, wanted],
    queryFn: async () => {
      const found = await Promise.all(
        pieces(rows).map((piece) =>
          got<Schemas["Rows"]>(
            api.POST("/api/artifacts/{digest}/rows", {
              params: { path: { digest } },
              body: { ...piece, columns: wanted, sort: [], filters: [] },
            }),
          ),
        ),
      );
      return found.flatMap((page) => page.rows);
    },
    staleTime: Infinity,
  });
  const typeOf = (name: string) => columns.find((c) => c.name === name)?.type ?? "String";
  const spec = useMemo(
    () =>
      points.data
        ? cloud(
            points.data.map((row) =>
              Object.fromEntries(wanted.map((name, place) => [name, row[place]])),
            ),
            { x, y, tint },
            (name) => (NUMBERS.has(typeOf(name)) ? typeOf(name) : "String"),
          )
        : null,
    // The columns of a stored table never change.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [points.data, x, y, tint],
  );
  const choose = (
    title: string,
    value: string | null,
    data: string[],
    set: (v: string) => void,
  ) => (
    <Select
      size="xs"
      w={190}
      label={title}
      data={data}
      value={value}
      searchable
      allowDeselect={false}
      onChange={(chosen) => {
        if (chosen !== null) set(chosen);
      }}
    />
  );
  return (
    <Group align="flex-start" gap="lg">
      <div style={{ display: "grid", gap: 8 }}>
        {choose(text.acrossAxis, x, names, setX)}
        {choose(text.upAxis, y, names, setY)}
        <Select
          size="xs"
          w={190}
          label={text.tint}
          data={columns.map((c) => c.name)}
          value={tint}
          searchable
          clearable
          onChange={setTint}
        />
        <Text size="xs" c="dimmed" role="status">
          {points.data ? text.pointsOf(points.data.length, rows) : ""}
        </Text>
      </div>
      {spec ? <Plot title={text.against(y, x)} spec={spec} /> : <Waiting />}
    </Group>
  );
}
