import { Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { profileQuery } from "../api/queries";
import { useText } from "../text/useText";
import { Failure } from "../ui/Failure";
import { Waiting } from "../ui/Waiting";
import { Spread } from "./Spread";
import { readable } from "./values";
import classes from "./look.module.css";

/** What is in a stored table, a line for each column. */
export function ProfileTable({ digest }: { readonly digest: string }) {
  const text = useText();
  const { data, error } = useQuery(profileQuery(digest));
  if (error) return <Failure title={text.somethingWrong} message={error.message || text.offline} />;
  if (!data) return <Waiting />;
  return (
    <Table.ScrollContainer minWidth={900} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table verticalSpacing={5} className={classes.profile}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{text.dataName}</Table.Th>
            <Table.Th>{text.type}</Table.Th>
            <Table.Th>{text.spread}</Table.Th>
            <Table.Th ta="right">{text.missing}</Table.Th>
            <Table.Th ta="right">{text.unique}</Table.Th>
            <Table.Th ta="right">{text.minimum}</Table.Th>
            <Table.Th ta="right">{text.mean}</Table.Th>
            <Table.Th ta="right">{text.maximum}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {data.columns.map((column) => (
            <Table.Tr key={column.name}>
              <Table.Th scope="row" fw={500}>
                {column.name}
              </Table.Th>
              <Table.Td>
                {column.type}
                {column.role !== "feature" && (
                  <Text span size="xs" c="dimmed">
                    {` · ${column.role}`}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <Spread column={column} width={140} height={26} />
              </Table.Td>
              <Table.Td ta="right" data-some={column.missing > 0 || undefined}>
                {readable(column.missing)}
              </Table.Td>
              <Table.Td ta="right">{readable(column.unique)}</Table.Td>
              <Table.Td ta="right" className={classes.short} title={readable(column.minimum)}>
                {readable(column.minimum)}
              </Table.Td>
              <Table.Td ta="right">{readable(column.mean)}</Table.Td>
              <Table.Td ta="right" className={classes.short} title={readable(column.maximum)}>
                {readable(column.maximum)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
