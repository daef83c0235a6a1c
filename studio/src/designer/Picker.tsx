import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import type { Component } from "../api/client";
import { samplesQuery } from "../api/queries";
import { categoryColour } from "../canvas/colours";
import type { PortsOf } from "../draft/connect";
import { findNode, type Graph, parsePin, type Point } from "../draft/graph";
import { joint } from "../draft/place";
import { useText } from "../text/useText";
import { type Dragged, type Entry, entryKey, searched, useEntries } from "./entries";
import { neighbours } from "./follow";
import classes from "./Workbench.module.css";

/** Where something is to be added, and the port that it is to be wired to. */
export interface Pick {
  readonly at: Point;
  /** On the page; in the middle of the canvas when absent. */
  readonly screen: Point | null;
  readonly pin: string | null;
  readonly side: "source" | "target";
}

interface Props {
  readonly pick: Pick;
  readonly graph: Graph;
  readonly library: ReadonlyMap<string, Component>;
  readonly portsOf: PortsOf;
  onAdd(dragged: Dragged): void;
  onDone(): void;
}

const MOST = 60;
const WIDTH = 320;
const HEIGHT = 340;

/** The search box at the pointer: what can be added there, the usual ones first. */
export function Picker({ pick, graph, library, portsOf, onAdd, onDone }: Props) {
  const text = useText();
  const [search, setSearch] = useState("");
  const [active, setActive] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const list = useId();
  const entries = useEntries(library);
  const { data: samples } = useQuery(samplesQuery);

  useEffect(() => {
    field.current?.focus();
    const away = (event: globalThis.PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) onDone();
    };
    // The click that opened it is still on its way.
    const timer = setTimeout(() => {
      window.addEventListener("pointerdown", away, { capture: true });
    });
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pointerdown", away, { capture: true });
    };
  }, [onDone]);

  const offered = useMemo(() => {
    if (pick.pin === null) return entries;
    const component = findNode(graph, parsePin(pick.pin).node)?.component ?? "";
    const pipelines = [...(samples?.items ?? []).map((s) => s.graph), graph];
    const counts = neighbours(pipelines, component, pick.side);
    const usual = ({ dragged }: Entry) => counts.get(dragged.component) ?? 0;
    return entries
      .filter(
        ({ dragged }) =>
          joint(graph, { pin: pick.pin ?? "", side: pick.side }, dragged.component, portsOf) !==
          null,
      )
      .sort((a, b) => usual(b) - usual(a));
  }, [pick, graph, entries, samples, portsOf]);
  const found = useMemo(() => searched(offered, search).slice(0, MOST), [offered, search]);
  const current = Math.min(active, Math.max(found.length - 1, 0));

  useEffect(() => {
    document.getElementById(`${list}-${String(current)}`)?.scrollIntoView({ block: "nearest" });
  }, [list, current]);

  const keys = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive(Math.max(0, Math.min(found.length - 1, current + step)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const entry = found[current];
      if (entry) onAdd(entry.dragged);
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      onDone();
    }
  };

  return (
    <div
      ref={box}
      className={classes.picker}
      role="dialog"
      aria-label={text.addHere}
      style={place(pick.screen)}
    >
      <div className={classes.pickerField}>
        <IconSearch size={15} aria-hidden />
        <input
          ref={field}
          role="combobox"
          aria-label={text.paletteSearch}
          aria-expanded
          aria-controls={list}
          aria-autocomplete="list"
          {...(found.length > 0 ? { "aria-activedescendant": `${list}-${String(current)}` } : {})}
          placeholder={text.paletteSearch}
          value={search}
          onChange={(event) => {
            setSearch(event.currentTarget.value);
            setActive(0);
          }}
          onKeyDown={keys}
        />
      </div>
      <div id={list} role="listbox" aria-label={text.palette} className={classes.pickerList}>
        {found.map((entry, index) => (
          // The keys of the options are those of the field.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <div
            key={entryKey(entry)}
            id={`${list}-${String(index)}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === current}
            className={classes.option}
            data-active={index === current || undefined}
            onPointerMove={() => {
              setActive(index);
            }}
            onClick={() => {
              onAdd(entry.dragged);
            }}
          >
            <span
              className={classes.dot}
              style={{ background: categoryColour(entry.asset ? "Assets" : entry.category) }}
              aria-hidden
            />
            <span className={classes.optionTitle}>{entry.dragged.title}</span>
            <span className={classes.optionCategory}>{entry.category.split(" / ").at(-1)}</span>
          </div>
        ))}
        {found.length === 0 && <div className={classes.category}>{text.nothingFound}</div>}
      </div>
    </div>
  );
}

/** On the page, where there is room for it. */
function place(screen: Point | null): React.CSSProperties {
  if (!screen) return { left: `calc(50% - ${String(WIDTH / 2)}px)`, top: 120 };
  return {
    left: Math.max(8, Math.min(screen.x - 20, window.innerWidth - WIDTH - 8)),
    top: Math.max(8, Math.min(screen.y - 12, window.innerHeight - HEIGHT - 8)),
  };
}
