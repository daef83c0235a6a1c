import { ActionIcon, Text, TextInput } from "@mantine/core";
import { IconChevronDown, IconChevronUp, IconSearch, IconX } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { type Shown, toNodes } from "../canvas/toFlow";
import { useText } from "../text/useText";
import { search, type Searched } from "./search";
import classes from "./Workbench.module.css";

interface Props {
  readonly shown: Shown;
  onFound(nodes: ReadonlySet<string>): void;
  onFocus(node: string): void;
  onClose(): void;
}

/** The search box over the canvas: all that fits is marked, one after the other comes into view. */
export function Find({ shown, onFound, onFocus, onClose }: Props) {
  const text = useText();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const nodes = useMemo(() => searched(shown), [shown]);
  const hits = useMemo(() => search(query, nodes), [query, nodes]);
  const current = hits && hits.length > 0 ? at % hits.length : 0;

  useEffect(() => {
    field.current?.focus();
  }, []);
  const list = hits?.join("\n") ?? "";
  useEffect(() => {
    onFound(new Set(list ? list.split("\n") : []));
    return () => {
      onFound(new Set());
    };
  }, [list, onFound]);

  const go = (step: number) => {
    if (!hits || hits.length === 0) return;
    const next = (current + step + hits.length) % hits.length;
    setAt(next);
    const node = hits[next];
    if (node !== undefined) onFocus(node);
  };
  return (
    <div className={classes.find} role="search">
      <TextInput
        ref={field}
        size="xs"
        style={{ flex: 1 }}
        aria-label={text.findLabel}
        placeholder={text.findPlaceholder}
        leftSection={<IconSearch size={14} />}
        value={query}
        onChange={(event) => {
          const wish = event.currentTarget.value;
          setQuery(wish);
          setAt(0);
          const [first] = search(wish, nodes) ?? [];
          if (first !== undefined) onFocus(first);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
          if (event.key === "Escape") onClose();
        }}
      />
      <Text size="xs" c="dimmed" role="status" miw={48} ta="center">
        {hits === null
          ? ""
          : hits.length === 0
            ? text.findNone
            : text.findCount(current + 1, hits.length)}
      </Text>
      <ActionIcon
        size="sm"
        variant="subtle"
        color="gray"
        aria-label={text.findPrevious}
        onClick={() => {
          go(-1);
        }}
      >
        <IconChevronUp size={15} />
      </ActionIcon>
      <ActionIcon
        size="sm"
        variant="subtle"
        color="gray"
        aria-label={text.findNext}
        onClick={() => {
          go(1);
        }}
      >
        <IconChevronDown size={15} />
      </ActionIcon>
      <ActionIcon size="sm" variant="subtle" color="gray" aria-label={text.close} onClick={onClose}>
        <IconX size={15} />
      </ActionIcon>
    </div>
  );
}

function searched(shown: Shown): Searched[] {
  const drawn = new Map(toNodes(shown).map((n) => [n.id, n.data]));
  return shown.draft.graph.nodes.map((node) => {
    const data = drawn.get(node.id);
    const run = shown.runs.get(node.id);
    return {
      id: node.id,
      text: [data?.title, data?.kind, node.id, node.comment, JSON.stringify(node.parameters)].join(
        "\n",
      ),
      facts: {
        status: run?.status ?? "notrun",
        runstatus: run?.status ?? "notrun",
        reuse: String(run?.status === "reused"),
        ...(run?.seconds == null ? {} : { duration: String(run.seconds) }),
        component: node.component,
        category: data?.category ?? "",
        problems: String(data?.problems ?? 0),
      },
    };
  });
}
