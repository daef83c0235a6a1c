import { Button, Group, Progress, Text } from "@mantine/core";
import { IconFileUpload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import type { Schemas } from "../api/client";
import { sendFile } from "../api/upload";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import classes from "./datasets.module.css";

interface Props {
  onSent(upload: Schemas["Upload"]): void;
}

/** A place for a file, which is sent as soon as it is dropped or chosen. */
export function UploadZone({ onSent }: Props) {
  const text = useText();
  const [over, setOver] = useState(false);
  const [sent, setSent] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController | null>(null);
  const sending = useMutation({
    mutationFn: (file: File) => {
      setSent(0);
      stop.current = new AbortController();
      return sendFile(file, setSent, stop.current.signal);
    },
    onSuccess: onSent,
  });
  const { error } = sending;
  return (
    <>
      <div
        className={classes.zone}
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => {
          setOver(false);
        }}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          const [file] = event.dataTransfer.files;
          if (file && !sending.isPending) sending.mutate(file);
        }}
      >
        <IconFileUpload size={26} stroke={1.4} aria-hidden />
        {sending.isPending ? (
          <div className={classes.progress}>
            <Text size="sm" role="status">
              {text.dataUploading(sending.variables.name, Math.round(sent * 100))}
            </Text>
            <Progress
              value={sent * 100}
              size="sm"
              aria-label={text.dataUploading(sending.variables.name, Math.round(sent * 100))}
            />
          </div>
        ) : (
          <div>
            <Text size="sm" fw={500}>
              {text.dataDrop}
            </Text>
            <Text size="xs" c="dimmed">
              {text.dataHint}
            </Text>
          </div>
        )}
        <Group ml="auto">
          {sending.isPending ? (
            <Button size="xs" variant="default" onClick={() => stop.current?.abort()}>
              {text.cancel}
            </Button>
          ) : (
            <Button size="xs" onClick={() => input.current?.click()}>
              {text.dataChoose}
            </Button>
          )}
        </Group>
        <input
          ref={input}
          type="file"
          hidden
          aria-label={text.dataChoose}
          accept=".csv,.tsv,.txt,.parquet,.arrow,.feather,.jsonl,.ndjson"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file) sending.mutate(file);
            event.currentTarget.value = "";
          }}
        />
      </div>
      {error && error.name !== "AbortError" && (
        <Refusal title={text.somethingWrong} error={error} otherwise={text.offline} />
      )}
    </>
  );
}
