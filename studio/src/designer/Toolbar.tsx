import { ActionIcon, Badge, Button, Group, Tooltip } from "@mantine/core";
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconDownload,
  IconPlayerPlay,
  IconPlayerStop,
  IconPlayerTrackNext,
} from "@tabler/icons-react";
import { api, got, type Schemas } from "../api/client";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import type { Known } from "./useCheck";
import type { Runs } from "./useRun";
import classes from "./Workbench.module.css";

interface Props {
  readonly name: string;
  readonly draftId: string;
  readonly runs: Runs;
  readonly known: Known;
  readonly selected: string | null;
  onSaid(what: string): void;
}

export function Toolbar({ name, draftId, runs, known, selected, onSaid }: Props) {
  const text = useText();
  const { history, save, undo, redo } = useDraft();
  const errors = known.problems.filter((p) => p.severity === "error").length;
  const states = {
    saved: text.saved,
    unsaved: text.unsaved,
    saving: text.saving,
    offline: text.offline,
    conflict: text.conflictTitle,
  };
  const run = (until: string | null) => {
    runs.submit(until);
    onSaid(text.runStarted);
  };
  return (
    <div className={classes.bar} role="toolbar" aria-label={text.designer}>
      <h1 className={classes.name}>{history?.present.draft.graph.name || name}</h1>
      <span className={classes.save} role="status">
        {states[save]}
      </span>
      <Group gap={2} ml="auto">
        <Tooltip label={text.undo}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={text.undo}
            disabled={!history?.past.length}
            onClick={undo}
          >
            <IconArrowBackUp size={18} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={text.redo}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={text.redo}
            disabled={!history?.future.length}
            onClick={redo}
          >
            <IconArrowForwardUp size={18} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={text.exportFile}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={text.exportFile}
            onClick={() => {
              void download(draftId);
            }}
          >
            <IconDownload size={18} />
          </ActionIcon>
        </Tooltip>
      </Group>
      {errors > 0 && (
        <Badge color="orange" variant="light" size="lg" tt="none">
          {text.problemCount(errors)}
        </Badge>
      )}
      {runs.running ? (
        <Button
          size="xs"
          color="red"
          variant="light"
          leftSection={<IconPlayerStop size={15} />}
          onClick={runs.cancel}
        >
          {text.runStop}
        </Button>
      ) : (
        <Button.Group>
          <Button
            size="xs"
            leftSection={<IconPlayerPlay size={15} />}
            disabled={errors > 0}
            onClick={() => {
              run(null);
            }}
          >
            {text.run}
          </Button>
          <Tooltip label={text.runToHere}>
            <Button
              size="xs"
              px={8}
              aria-label={text.runToHere}
              disabled={errors > 0 || selected === null}
              onClick={() => {
                run(selected);
              }}
            >
              <IconPlayerTrackNext size={15} />
            </Button>
          </Tooltip>
        </Button.Group>
      )}
    </div>
  );
}

async function download(draftId: string): Promise<void> {
  const file = await got<Schemas["PipelineFile"]>(
    api.GET("/api/drafts/{draft_id}/file", { params: { path: { draft_id: draftId } } }),
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([file.text], { type: "application/yaml" }));
  link.download = file.name;
  link.click();
  URL.revokeObjectURL(link.href);
}
