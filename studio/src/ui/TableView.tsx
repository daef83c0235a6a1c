import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { rowsInView } from "./rowsInView";
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
const HEAD = 40;
const NARROWEST = 132;
const WIDEST = 280;

/** So wide that the name fits in bold letters of 12 pixels, within bounds; no cell is looked at. */
function widthOf(name: string): number {
  return Math.min(Math.max(NARROWEST, 18 + 8 * name.length), WIDEST);
}

// What a column is for, where its head need not say so.
const UNSAID = ["feature", "none"];

function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") {
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(8)));
  }
  if (typeof value === "object") return "isNan" in value ? "NaN" : JSON.stringify(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The whole of a text that its cell may be too narrow for. */
function clipped(value: unknown, width: number): string | undefined {
  return typeof value === "string" && value.length * 6 > width ? value : undefined;
}

/** A table of any length: only the rows and columns in view are drawn. */
export function TableView({ label, columns, count, row, onSeen, onColumn, height }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ scrolled: 0, shown: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      const now = { scrolled: element.scrollTop, shown: element.clientHeight - HEAD };
      setSeen((before) =>
        before.scrolled === now.scrolled && before.shown === now.shown ? before : now,
      );
    };
    look();
    const sized = new ResizeObserver(look);
    sized.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      sized.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);
  const { first, last, top, height: tall } = rowsInView({ count, row: ROW, ...seen });
  const across = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => box.current,
    estimateSize: (place) => widthOf(columns[place]?.name ?? ""),
    overscan: 3,
  });
  useEffect(() => {
    onSeen(first, Math.max(first, last));
  }, [first, last, onSeen]);
  const items = Array.from({ length: Math.max(last - first + 1, 0) }, (_, at) => first + at);

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
          height: tall + HEAD,
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
                  {column && !UNSAID.includes(column.role) ? ` · ${column.role}` : ""}
                </small>
              </>
            );
            return (
              <div
                key={cell.key}
                role="columnheader"
                className={classes.header}
                data-numeric={numeric(cell.index) || undefined}
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
        {items.map((index) => {
          const values = row(index);
          return (
            <div
              key={index}
              role="row"
              aria-rowindex={index + 2}
              className={classes.row}
              style={{ top: top + (index - first) * ROW + HEAD, height: ROW }}
            >
              {cells.map((cell) => (
                <div
                  key={cell.key}
                  role="cell"
                  className={classes.cell}
                  data-numeric={numeric(cell.index) || undefined}
                  style={{ left: cell.start, width: cell.size }}
                  title={clipped(values?.[cell.index], cell.size)}
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
