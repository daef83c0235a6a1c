import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import classes from "./TableView.module.css";

interface ShownColumn {
  readonly name: string;
  readonly type: string;
  readonly role: string;
}

interface Props {
  readonly label: string;
  readonly columns: readonly ShownColumn[];
  readonly count: number;
  row(index: number): readonly unknown[] | null;
  /** The rows that are in view now. */
  onSeen(first: number, last: number): void;
  /** Makes the heads of columns buttons. */
  readonly onColumn?: {
    readonly chosen: string | null;
    readonly label: (name: string) => string;
    readonly act: (name: string) => void;
  };
  readonly height?: number | string;
}

const ROW = 26;
const WIDTH = 132;

function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") {
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(8)));
  }
  if (typeof value === "object") return "isNan" in value ? "NaN" : JSON.stringify(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A table of any length: only the rows and columns in view are drawn. */
export function TableView({ label, columns, count, row, onSeen, onColumn, height }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const across = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => box.current,
    estimateSize: () => WIDTH,
    overscan: 3,
  });
  const items = rows.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    onSeen(first, last);
  }, [first, last, onSeen]);

  const cells = across.getVirtualItems();
  const numeric = (place: number) => ["Integer", "Double"].includes(columns[place]?.type ?? "");
  return (
    <div
      ref={box}
      className={classes.box}
      role="region"
      aria-label={label}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolled region must be reachable by keyboard
      tabIndex={0}
      style={height === undefined ? undefined : { height }}
    >
      <div
        role="table"
        aria-label={label}
        aria-rowcount={count + 1}
        aria-colcount={columns.length}
        style={{
          width: across.getTotalSize(),
          height: rows.getTotalSize() + 40,
          position: "relative",
        }}
      >
        <div role="row" className={classes.head}>
          {cells.map((cell) => {
            const column = columns[cell.index];
            const words = (
              <>
                <span>{column?.name}</span>
                <small>
                  {column?.type}
                  {column && column.role !== "feature" ? ` · ${column.role}` : ""}
                </small>
              </>
            );
            return (
              <div
                key={cell.key}
                role="columnheader"
                className={classes.header}
                style={{ left: cell.start, width: cell.size }}
                title={column?.name}
              >
                {column && onColumn ? (
                  <button
                    type="button"
                    className={classes.choose}
                    aria-label={onColumn.label(column.name)}
                    aria-pressed={onColumn.chosen === column.name}
                    onClick={() => {
                      onColumn.act(column.name);
                    }}
                  >
                    {words}
                  </button>
                ) : (
                  words
                )}
              </div>
            );
          })}
        </div>
        {items.map((item) => {
          const values = row(item.index);
          return (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 2}
              className={classes.row}
              style={{ top: item.start + 40, height: ROW }}
            >
              {cells.map((cell) => (
                <div
                  key={cell.key}
                  role="cell"
                  className={classes.cell}
                  data-numeric={numeric(cell.index) || undefined}
                  style={{ left: cell.start, width: cell.size }}
                >
                  {values ? shown(values[cell.index]) : "…"}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
