import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import type { Component } from "../api/client";
import { datasetsQuery } from "../api/queries";
import { DRAGGED, draggedKind } from "../canvas/Canvas";
import { categoryColour } from "../canvas/colours";
import type { NewNode } from "../draft/edits";
import type { Point } from "../draft/graph";
import { useText } from "../text/useText";
import classes from "./Workbench.module.css";

/** An entry of the palette, as it travels with the pointer. */
export interface Dragged {
  readonly component: string;
  readonly version: number;
  readonly title: string;
  /** Of a data set. */
  readonly dataset?: string;
}

export function fromDragged(dragged: Dragged): NewNode {
  const { component, version, dataset } = dragged;
  return { component, version, ...(dataset ? { parameters: { name: dataset } } : {}) };
}

interface Props {
  readonly library: ReadonlyMap<string, Component>;
  /** The user asked to add something at a place, perhaps fed by an output. */
  readonly pick: { readonly at: Point; readonly source: string | null } | null;
  /** The kind that output gives: only what takes it is offered. */
  readonly sourceType: string | null;
  onAdd(dragged: Dragged): void;
  onDone(): void;
}

interface Entry {
  readonly dragged: Dragged;
  readonly category: string;
  readonly summary: string;
}

export function Palette({ library, pick, sourceType, onAdd, onDone }: Props) {
  const text = useText();
  const [search, setSearch] = useState("");
  const [active, setActive] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const { data: datasets } = useQuery(datasetsQuery(""));

  useEffect(() => {
    if (pick) {
      field.current?.focus();
      field.current?.select();
    }
  }, [pick]);

  const entries = useMemo<readonly Entry[]>(() => {
    const data: Entry[] = (datasets?.items ?? []).map((d) => ({
      dragged: { component: "dataset", version: 1, title: d.name, dataset: d.name },
      category: text.paletteData,
      summary: d.description,
    }));
    const parts: Entry[] = [...library.values()]
      .filter((c) => !c.hidden)
      .map((c) => ({
        dragged: { component: c.id, version: c.version, title: c.title },
        category: c.category,
        summary: c.summary,
      }));
    return [...data, ...parts];
  }, [datasets, library, text]);

  const found = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    return entries.filter((entry) => {
      const takes =
        sourceType === null ||
        library.get(entry.dragged.component)?.inputs.some((p) => p.type === sourceType);
      const where = `${entry.dragged.title} ${entry.category}`.toLowerCase();
      return takes && words.every((word) => where.includes(word));
    });
  }, [entries, search, sourceType, library]);
  const current = Math.min(active, Math.max(found.length - 1, 0));

  const keys = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive(Math.max(0, Math.min(found.length - 1, current + step)));
    } else if (event.key === "Enter") {
      const entry = found[current];
      if (entry) {
        onAdd(entry.dragged);
        setSearch("");
        field.current?.blur();
      }
    } else if (event.key === "Escape") {
      setSearch("");
      field.current?.blur();
      onDone();
    }
  };

  let category = "";
  return (
    <aside
      className={classes.palette}
      aria-label={text.palette}
      data-picking={pick ? true : undefined}
    >
      <div className={classes.search}>
        <TextInput
          ref={field}
          size="xs"
          aria-label={text.paletteSearch}
          placeholder={text.paletteSearch}
          leftSection={<IconSearch size={14} />}
          value={search}
          onChange={(event) => {
            setSearch(event.currentTarget.value);
            setActive(0);
          }}
          onKeyDown={keys}
        />
      </div>
      <div className={classes.list}>
        {found.map((entry, index) => {
          const heading = entry.category === category ? null : entry.category;
          category = entry.category;
          return (
            <div key={`${entry.dragged.component} ${entry.dragged.title}`}>
              {heading && <div className={classes.category}>{heading}</div>}
              <button
                type="button"
                className={classes.entry}
                title={entry.summary}
                draggable
                data-active={(search || pick) && index === current ? true : undefined}
                onDragStart={(event) => {
                  event.dataTransfer.setData(DRAGGED, JSON.stringify(entry.dragged));
                  event.dataTransfer.setData(draggedKind(entry.dragged.component), "");
                  event.dataTransfer.effectAllowed = "copy";
                }}
                onClick={(event) => {
                  // A click with the mouse alone does nothing: it is the beginning of a drag.
                  if (event.detail === 0 || event.detail === 2 || pick) onAdd(entry.dragged);
                }}
              >
                <span
                  className={classes.dot}
                  style={{
                    background: categoryColour(entry.dragged.dataset ? "Assets" : entry.category),
                  }}
                />
                {entry.dragged.title}
              </button>
            </div>
          );
        })}
        {found.length === 0 && <div className={classes.category}>{text.nothingFound}</div>}
      </div>
    </aside>
  );
}
