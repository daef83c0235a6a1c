import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type KeyboardEvent, memo, useMemo, useRef, useState } from "react";
import type { Component } from "../api/client";
import { DRAGGED, draggedKind } from "../canvas/Canvas";
import { categoryColour } from "../canvas/colours";
import { useText } from "../text/useText";
import { type Dragged, entryKey, searched, useEntries } from "./entries";
import classes from "./Workbench.module.css";

interface Props {
  readonly library: ReadonlyMap<string, Component>;
  onAdd(dragged: Dragged): void;
}

/** What can be dragged onto the canvas, or added with Enter. */
export const Palette = memo(function Palette({ library, onAdd }: Props) {
  const text = useText();
  const [search, setSearch] = useState("");
  const [active, setActive] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const entries = useEntries(library);
  const found = useMemo(() => searched(entries, search), [entries, search]);
  const current = Math.min(active, Math.max(found.length - 1, 0));

  const show = (index: number) => {
    setActive(index);
    return list.current?.querySelectorAll<HTMLElement>("button")[index];
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const next = Math.max(0, Math.min(found.length - 1, current + step));
      show(next)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      const entry = found[current];
      if (entry) onAdd(entry.dragged);
    } else if (event.key === "Escape") {
      setSearch("");
      field.current?.blur();
    }
  };
  // One entry is in the order of the Tab key; arrows go on from it.
  const walk = (event: KeyboardEvent, index: number) => {
    const goes: Readonly<Record<string, number>> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      Home: 0,
      End: found.length - 1,
    };
    const next = goes[event.key];
    if (next === undefined || next < 0 || next >= found.length) return;
    event.preventDefault();
    event.stopPropagation();
    show(next)?.focus();
  };

  const headed = found.map((entry, index) => ({
    entry,
    index,
    heading: found[index - 1]?.category === entry.category ? null : entry.category,
  }));
  return (
    <aside className={classes.palette} aria-label={text.palette}>
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
      <div ref={list} className={classes.list}>
        {headed.map(({ entry, index, heading }) => (
          <div key={entryKey(entry)}>
            {heading && <div className={classes.category}>{heading}</div>}
            <button
              type="button"
              className={classes.entry}
              title={entry.summary}
              draggable
              tabIndex={index === current ? 0 : -1}
              data-active={(search && index === current) || undefined}
              onKeyDown={(event) => {
                walk(event, index);
              }}
              onFocus={() => {
                setActive(index);
              }}
              onDragStart={(event) => {
                event.dataTransfer.setData(DRAGGED, JSON.stringify(entry.dragged));
                event.dataTransfer.setData(draggedKind(entry.dragged.component), "");
                event.dataTransfer.effectAllowed = "copy";
              }}
              onClick={(event) => {
                // A click with the mouse alone does nothing: it is the beginning of a drag.
                if (event.detail === 0 || event.detail === 2) onAdd(entry.dragged);
              }}
            >
              <span
                className={classes.dot}
                style={{ background: categoryColour(entry.asset ? "Assets" : entry.category) }}
              />
              {entry.dragged.title}
            </button>
          </div>
        ))}
        {found.length === 0 && <div className={classes.category}>{text.nothingFound}</div>}
      </div>
    </aside>
  );
});
