import { ActionIcon, Group, Text } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { profileQuery } from "../api/queries";
import { useText } from "../text/useText";
import { Waiting } from "../ui/Waiting";
import { Spread } from "./Spread";
import { readable } from "./values";
import classes from "./look.module.css";

interface Props {
  readonly digest: string;
  readonly column: string;
  onClose(): void;
}

/** What is in one column of a stored table. */
export function ColumnCard({ digest, column: name, onClose }: Props) {
  const text = useText();
  const { data, error } = useQuery(profileQuery(digest));
  const column = data?.columns.find((c) => c.name === name);
  if (error) return <Text size="sm">{error.message || text.offline}</Text>;
  const figures: readonly (readonly [string, unknown])[] = column
    ? [
        [text.present, column.count],
        [text.missing, column.missing],
        [text.infinite, column.infinite || null],
        [text.unique, column.unique],
        [text.minimum, column.minimum],
        [text.mean, column.mean],
        [text.median, column.median],
        [text.maximum, column.maximum],
        [text.deviation, column.deviation],
        [text.skewness, column.skewness],
      ]
    : [];
  const total = Math.max(column?.count ?? 0, 1);
  return (
    <aside className={classes.card} aria-label={text.about(name)}>
      <Group justify="space-between" wrap="nowrap" gap={4}>
        <Text size="sm" fw={600} truncate title={name}>
          {name}
        </Text>
        <ActionIcon
          size="sm"
          variant="subtle"
          color="gray"
          aria-label={text.close}
          onClick={onClose}
        >
          <IconX size={14} />
        </ActionIcon>
      </Group>
      {!column ? (
        <Waiting />
      ) : (
        <>
          <Text size="xs" c="dimmed" mb={6}>
            {column.type}
            {column.role === "feature" ? "" : ` · ${column.role}`}
          </Text>
          {column.histogram.length > 0 && <Spread column={column} width={236} height={64} />}
          {column.top.length > 0 && (
            <ol className={classes.top}>
              {column.top.slice(0, 8).map((entry, place) => (
                <li
                  key={place}
                  style={{ "--share": String(entry.count / total) } as React.CSSProperties}
                >
                  <span>{readable(entry.value)}</span>
                  <span>{entry.count.toLocaleString()}</span>
                </li>
              ))}
            </ol>
          )}
          <dl className={classes.figures}>
            {figures
              .filter(([, value]) => value !== null && value !== undefined)
              .map(([label, value]) => (
                <div key={label}>
                  <dt>{label}</dt>
                  <dd title={typeof value === "string" ? value : undefined}>{readable(value)}</dd>
                </div>
              ))}
          </dl>
        </>
      )}
    </aside>
  );
}
