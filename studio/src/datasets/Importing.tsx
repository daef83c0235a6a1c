import { Alert, Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconInfoCircle } from "@tabler/icons-react";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { api, got, type Schemas } from "../api/client";
import { datasetsQuery, uploadQuery } from "../api/queries";
import { useText } from "../text/useText";
import { Refusal } from "../ui/Refusal";
import { Waiting } from "../ui/Waiting";
import { ParseOptions } from "./ParseOptions";
import { PreviewTable } from "./PreviewTable";
import classes from "./datasets.module.css";
import { type Choices, MISSING } from "./choices";

type Preview = Schemas["Preview"];
type Added = Schemas["AddedDataset"];

function nameOf(file: string): string {
  return file.replace(/\.[^.]+$/, "").replaceAll("_", " ");
}

/** An uploaded file as it would be read, with every choice of the reading, until it is registered. */
export function Importing() {
  const { uploadId = "" } = useParams();
  const text = useText();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const upload = useQuery(uploadQuery(uploadId));
  const [choices, setChoices] = useState<Choices>({});
  const [typed, setTyped] = useState<string | null>(null);
  const options = {
    header: true,
    missing: [...MISSING],
    decimal: "." as const,
    quote: '"',
    skip_rows: 0,
    trim: false,
    ragged: "error" as const,
    types: {},
    ...choices,
  };
  const preview = useQuery({
    queryKey: ["preview", uploadId, options],
    queryFn: () =>
      got<Preview>(
        api.POST("/api/uploads/{upload_id}/preview", {
          params: { path: { upload_id: uploadId } },
          body: { options, rows: 100 },
        }),
      ),
    placeholderData: keepPreviousData,
    gcTime: 0,
    enabled: upload.isSuccess,
  });
  const name = typed ?? nameOf(upload.data?.name ?? "");
  const known = useQuery(datasetsQuery(""));
  const register = useMutation({
    mutationFn: (read: Preview) =>
      got<Added>(
        api.POST("/api/datasets", {
          body: {
            name: name.trim(),
            upload: uploadId,
            // What was guessed is what is seen, so that is what is kept.
            options: { ...read.options, ...choices },
            description: "",
            tags: {},
          },
        }),
      ),
    onSuccess: ({ dataset, is_new: isNew }) => {
      void cache.invalidateQueries({ queryKey: ["datasets"] });
      void cache.invalidateQueries({ queryKey: ["dataset-versions", dataset.name] });
      notifications.show({
        message: isNew ? text.importRegistered(dataset.name, dataset.version) : text.importSame,
      });
      void navigate(`/data/sets/${encodeURIComponent(dataset.name)}`);
    },
  });

  if (upload.error) {
    return (
      <Stack maw={720} mx="auto" p="xl">
        <Refusal title={text.importGone} error={upload.error} otherwise={text.offline} />
      </Stack>
    );
  }
  if (!upload.data) return <Waiting />;
  const choose = (more: Choices) => {
    setChoices((before) => ({ ...before, ...more }));
  };
  const found = preview.data;
  const isKnown = (known.data?.items ?? []).some((d) => d.name === name.trim());
  const ragged = found?.notes.find((n) => n.code === "ragged-rows");
  return (
    <Stack maw={1240} mx="auto" p="xl" gap="md">
      <Group justify="space-between" align="flex-end">
        <Title order={1} size="h3">
          {text.importTitle(upload.data.name)}
        </Title>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (found) register.mutate(found);
          }}
        >
          <Group gap="xs" align="flex-end">
            <TextInput
              size="xs"
              w={260}
              label={text.importName}
              value={name}
              onChange={(event) => {
                setTyped(event.currentTarget.value);
              }}
            />
            <Button
              type="submit"
              size="xs"
              disabled={!found || !name.trim() || (ragged !== undefined && !choices.ragged)}
              loading={register.isPending}
            >
              {text.importRegister}
            </Button>
          </Group>
        </form>
      </Group>
      {isKnown && (
        <Text size="xs" c="dimmed" ta="right" role="status">
          {text.importKnown}
        </Text>
      )}
      {register.error && (
        <Refusal title={text.somethingWrong} error={register.error} otherwise={text.offline} />
      )}
      {preview.error && (
        <Refusal title={text.somethingWrong} error={preview.error} otherwise={text.offline} />
      )}
      {found?.notes.map((note) => (
        <Alert
          key={note.code}
          color={note.code === "ragged-rows" && !choices.ragged ? "orange" : "blue"}
          variant="light"
          icon={<IconInfoCircle />}
          py="xs"
        >
          <Group justify="space-between">
            <Text size="sm" flex={1}>
              {note.text}
            </Text>
            {note.code === "ragged-rows" && (
              <Group gap="xs">
                <Button
                  size="compact-xs"
                  variant="default"
                  onClick={() => {
                    choose({ ragged: "pad" });
                  }}
                >
                  {text.importFill}
                </Button>
                <Button
                  size="compact-xs"
                  variant="default"
                  onClick={() => {
                    choose({ ragged: "skip" });
                  }}
                >
                  {text.importLeaveOut}
                </Button>
              </Group>
            )}
          </Group>
        </Alert>
      ))}
      <div className={classes.import}>
        <ParseOptions
          options={found ? { ...found.options, ...choices } : options}
          onChoose={choose}
        />
        {found ? (
          <PreviewTable
            preview={found}
            types={choices.types ?? {}}
            onType={(column, type) => {
              choose({ types: { ...choices.types, [column]: type } });
            }}
          />
        ) : (
          !preview.error && <Waiting />
        )}
      </div>
    </Stack>
  );
}
