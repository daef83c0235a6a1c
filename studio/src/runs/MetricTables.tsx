import { Table, Text } from "@mantine/core";
import type { Run } from "../api/client";
import { useText } from "../text/useText";
import { figure } from "./figure";

/** The figures that the steps of a run measured. */
export function MetricTables({ run }: { readonly run: Run }) {
  const text = useText();
  if (run.metrics.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {text.noMetrics}
      </Text>
    );
  }
  return run.metrics.map((table) => (
    <Table key={table.node} maw={640} mb="md" verticalSpacing={4}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{run.steps.find((s) => s.node === table.node)?.title ?? table.node}</Table.Th>
          {table.columns.map((column) => (
            <Table.Th key={column} ta="right">
              {column.replaceAll("_", " ")}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {table.rows.map((row) => (
          <Table.Tr key={row.name}>
            <Table.Td>{row.name.replaceAll("_", " ")}</Table.Td>
            {row.values.map((value, place) => (
              <Table.Td key={table.columns[place] ?? place} ta="right">
                {figure(value)}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  ));
}
