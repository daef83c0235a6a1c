import { IconSearch } from "@tabler/icons-react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import classes from "./SearchList.module.css";

export interface ListedItem {
  readonly key: string;
  readonly title: string;
  /** Told small at the right. */
  readonly hint?: string;
  readonly mark?: ReactNode;
}

interface Props {
  readonly label: string;
  readonly listLabel: string;
  /** Said when there is nothing. */
  readonly none: string;
  readonly search: string;
  readonly items: readonly ListedItem[];
  onSearch(search: string): void;
  onChoose(place: number): void;
  onLeave(): void;
}

/** A field to search in, and what was found: arrows go through it, Enter takes one, Escape leaves. */
export function SearchList(props: Props) {
  const { label, listLabel, none, search, items, onSearch, onChoose, onLeave } = props;
  const [active, setActive] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const list = useId();
  const current = Math.min(active, Math.max(items.length - 1, 0));

  useEffect(() => {
    field.current?.focus();
  }, []);
  useEffect(() => {
    document.getElementById(`${list}-${String(current)}`)?.scrollIntoView({ block: "nearest" });
  }, [list, current]);

  const keys = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive(Math.max(0, Math.min(items.length - 1, current + step)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (items.length > 0) onChoose(current);
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      onLeave();
    }
  };
  return (
    <>
      <div className={classes.field}>
        <IconSearch size={15} aria-hidden />
        <input
          ref={field}
          role="combobox"
          aria-label={label}
          aria-expanded
          aria-controls={list}
          aria-autocomplete="list"
          {...(items.length > 0 ? { "aria-activedescendant": `${list}-${String(current)}` } : {})}
          placeholder={label}
          value={search}
          onChange={(event) => {
            onSearch(event.currentTarget.value);
            setActive(0);
          }}
          onKeyDown={keys}
        />
      </div>
      <div id={list} role="listbox" aria-label={listLabel} className={classes.list}>
        {items.map((item, index) => (
          // The keys of the options are those of the field.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <div
            key={item.key}
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
              onChoose(index);
            }}
          >
            {item.mark}
            <span className={classes.title}>{item.title}</span>
            {item.hint && <span className={classes.hint}>{item.hint}</span>}
          </div>
        ))}
      </div>
      {items.length === 0 && (
        <div className={classes.none} role="status">
          {none}
        </div>
      )}
    </>
  );
}
