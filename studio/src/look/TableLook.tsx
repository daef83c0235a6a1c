import { Text } from "@mantine/core";
import { useState } from "react";
import { useText } from "../text/useText";
import { TableView } from "../ui/TableView";
import { ColumnCard } from "./ColumnCard";
import { useRows } from "./useRows";
import classes from "./look.module.css";

interface Props {
  readonly digest: string;
  readonly height?: number | string;
}

/** The rows of a stored table, and what is in the column whose head was chosen. */
export function TableLook({ digest, height = "100%" }: Props) {
  const text = useText();
  const rows = useRows(digest);
  const [column, setColumn] = useState<string | null>(null);
  if (rows.error) return <Text size="sm">{rows.error.message || text.offline}</Text>;
  const chosen = rows.columns.some((c) => c.name === column) ? column : null;
  return (
    <div className={classes.beside} style={{ height }}>
      <div className={classes.rows}>
        <TableView
          label={text.results}
          columns={rows.columns}
          count={rows.count}
          row={rows.row}
          onSeen={rows.onSeen}
          height="100%"
          onColumn={{
            chosen,
            label: text.showColumn,
            act: (name) => {
              setColumn(name === chosen ? null : name);
            },
          }}
        />
      </div>
      {chosen && (
        <ColumnCard
          digest={digest}
          column={chosen}
          onClose={() => {
            setColumn(null);
          }}
        />
      )}
    </div>
  );
}
