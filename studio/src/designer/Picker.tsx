import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Component } from "../api/client";
import { samplesQuery } from "../api/queries";
import { categoryColour } from "../canvas/colours";
import type { PortsOf } from "../draft/connect";
import { findNode, type Graph, parsePin, type Point } from "../draft/graph";
import { joint } from "../draft/place";
import { useText } from "../text/useText";
import { SearchList } from "../ui/SearchList";
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
  const box = useRef<HTMLDivElement>(null);
  const entries = useEntries(library);
  const { data: samples } = useQuery(samplesQuery);

  useEffect(() => {
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
  const items = useMemo(
    () =>
      found.map((entry) => ({
        key: entryKey(entry),
        title: entry.dragged.title,
        hint: entry.category.split(" / ").at(-1) ?? "",
        mark: (
          <span
            className={classes.dot}
            style={{ background: categoryColour(entry.asset ? "Assets" : entry.category) }}
            aria-hidden
          />
        ),
      })),
    [found],
  );
  return (
    <div
      ref={box}
      className={classes.picker}
      role="dialog"
      aria-label={text.addHere}
      style={place(pick.screen)}
    >
      <SearchList
        label={text.paletteSearch}
        listLabel={text.palette}
        none={text.nothingFound}
        search={search}
        items={items}
        onSearch={setSearch}
        onChoose={(place) => {
          const entry = found[place];
          if (entry) onAdd(entry.dragged);
        }}
        onLeave={onDone}
      />
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
