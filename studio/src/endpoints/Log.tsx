import { Button, Group, Text, TextInput } from "@mantine/core";
import { IconDownload, IconSearch } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useText } from "../text/useText";
import { recent } from "./recent";
import classes from "./endpoints.module.css";

const KEPT = 5000;

/** What the processes of an endpoint write, as they write it. */
export function Log({ name }: { readonly name: string }) {
  const text = useText();
  const [lines, setLines] = useState<readonly string[]>([]);
  const [search, setSearch] = useState("");
  const [lost, setLost] = useState(false);
  const box = useRef<HTMLPreElement>(null);
  const following = useRef(true);

  useEffect(() => {
    const address = `/api/endpoints/${encodeURIComponent(name)}/log/stream?lines=1000`;
    const source = new EventSource(address);
    source.onopen = () => {
      setLost(false);
    };
    source.onerror = () => {
      setLost(true);
    };
    source.onmessage = (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as { kind: string; text?: string };
      if (event.kind !== "log" || !event.text) return;
      const more = event.text.replace(/\n$/, "").split("\n");
      setLines((before) => recent(before, more, KEPT));
    };
    return () => {
      source.close();
    };
  }, [name]);

  const shown = useMemo(() => {
    const words = search.trim().toLowerCase();
    return words ? lines.filter((line) => line.toLowerCase().includes(words)) : lines;
  }, [lines, search]);

  useEffect(() => {
    if (following.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown]);

  return (
    <>
      <Group mb="xs" justify="space-between">
        <TextInput
          size="xs"
          w={320}
          aria-label={text.logSearch}
          placeholder={text.logSearch}
          leftSection={<IconSearch size={14} />}
          value={search}
          onChange={(event) => {
            setSearch(event.currentTarget.value);
          }}
        />
        <Group gap="sm">
          <Text size="xs" c="dimmed" role="status">
            {lost ? text.logLost : text.logLines(shown.length, lines.length)}
          </Text>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} />}
            disabled={lines.length === 0}
            onClick={() => {
              save(`${name}.log`, lines.join("\n"));
            }}
          >
            {text.download}
          </Button>
        </Group>
      </Group>
      <pre
        ref={box}
        className={classes.log}
        role="region"
        aria-label={text.endpointLogs}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolled region must be reachable by keyboard
        tabIndex={0}
        onScroll={(event) => {
          const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
          following.current = scrollTop + clientHeight > scrollHeight - 24;
        }}
      >
        {shown.length > 0 ? shown.join("\n") : text.logNone}
      </pre>
    </>
  );
}

function save(name: string, content: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "text/plain" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
