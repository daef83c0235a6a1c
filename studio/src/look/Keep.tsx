import { Button, Menu, Popover, TagsInput, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconBookmark, IconDownload } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, got, type Schemas } from "../api/client";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import classes from "./look.module.css";

interface Props {
  readonly runId: string;
  readonly node: string;
  readonly port: string;
  readonly digest: string;
  readonly table: boolean;
  /** Whether it is a fitted transformation. */
  readonly fitted?: boolean;
}

const FORMATS = [
  ["csv", "CSV"],
  ["parquet", "Parquet"],
  ["arrow", "Arrow"],
  ["jsonl", "JSON lines"],
] as const;

/** What can be kept of a port: a file of it, and a name under which it is found again. */
export function Keep({ runId, node, port, digest, table, fitted = false }: Props) {
  const text = useText();
  const cache = useQueryClient();
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const [without, setWithout] = useState<string[]>([]);
  const register = useMutation({
    mutationFn: () =>
      got<Schemas["RegisteredOutput"]>(
        api.POST("/api/runs/{run_id}/steps/{node}/outputs/{port}/register", {
          params: { path: { run_id: runId, node, port } },
          body: { name: name.trim(), description: "", tags: {}, without: [...without] },
        }),
      ),
    onSuccess: ({ dataset, model }) => {
      const made = dataset ?? model;
      setNaming(false);
      void cache.invalidateQueries({ queryKey: [dataset ? "datasets" : "models"] });
      if (made) {
        notifications.show({ message: text.importRegistered(made.name, made.version) });
      }
    },
  });
  const file = (format: string) =>
    `/api/artifacts/${digest}/download?format=${format}&name=${encodeURIComponent(`${node} ${port}`)}`;
  return (
    <div className={classes.keep}>
      {table ? (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button size="compact-xs" variant="default" leftSection={<IconDownload size={13} />}>
              {text.download}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {FORMATS.map(([format, title]) => (
              <Menu.Item key={format} component="a" href={file(format)} download>
                {title}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      ) : (
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconDownload size={13} />}
          component="a"
          href={file("files")}
          download
        >
          {text.download}
        </Button>
      )}
      <Popover opened={naming} onChange={setNaming} width={300} position="bottom-end" trapFocus>
        <Popover.Target>
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconBookmark size={13} />}
            onClick={() => {
              setNaming(!naming);
            }}
          >
            {table ? text.registerData : text.registerValue}
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              register.mutate();
            }}
          >
            <TextInput
              size="xs"
              label={text.dataName}
              description={table ? text.registerDataHint : text.registerValueHint}
              value={name}
              data-autofocus
              onChange={(event) => {
                setName(event.currentTarget.value);
              }}
            />
            {fitted && (
              <TagsInput
                size="xs"
                mt="xs"
                label={text.registerWithout}
                description={text.registerWithoutHint}
                value={without}
                onChange={setWithout}
              />
            )}
            {register.error && (
              <Refusal
                title={text.somethingWrong}
                error={register.error}
                otherwise={text.offline}
              />
            )}
            <Button
              type="submit"
              size="compact-xs"
              mt="xs"
              loading={register.isPending}
              disabled={!name.trim()}
            >
              {text.importRegister}
            </Button>
          </form>
        </Popover.Dropdown>
      </Popover>
    </div>
  );
}
