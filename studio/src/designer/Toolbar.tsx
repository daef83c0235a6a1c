import { ActionIcon, Badge, Button, Divider, Group, Tooltip } from "@mantine/core";
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconDownload,
  IconKeyboard,
  IconListTree,
  IconPlayerPlay,
  IconPlayerStop,
  IconPlayerTrackNext,
  IconSearch,
  IconSitemap,
} from "@tabler/icons-react";
import { api, got, type Schemas } from "../api/client";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import type { Action, Here } from "./actions/action";
import { find, outline, shortcuts } from "./actions/going";
import { spoken } from "./actions/keys";
import { redo, undo } from "./actions/structure";
import { tidy } from "./actions/tidy";
import { PipelineName } from "./PipelineName";
import type { Known } from "./useCheck";
import type { Runs } from "./useRun";
import classes from "./Workbench.module.css";

const BUTTONS: readonly (readonly [Action, typeof IconSearch])[] = [
  [undo, IconArrowBackUp],
  [redo, IconArrowForwardUp],
  [tidy, IconSitemap],
  [find, IconSearch],
  [outline, IconListTree],
  [shortcuts, IconKeyboard],
];

interface Props {
  readonly name: string;
  readonly draftId: string;
  readonly runs: Runs;
  readonly known: Known;
  readonly selected: string | null;
  readonly here: Here;
  readonly outlined: boolean;
  onSaid(what: string): void;
}

export function Toolbar({ name, draftId, runs, known, selected, here, outlined, onSaid }: Props) {
  const text = useText();
  const { history, save } = useDraft();
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
      <PipelineName name={here.draft.graph.name || name} />
      <span className={classes.save} role="status">
        {states[save]}
      </span>
      <Group gap={2} ml="auto">
        {BUTTONS.map(([action, Icon]) => (
          <Tooltip
            key={action.id}
            label={`${text.actions[action.id]} (${spoken(action.keys[0] ?? "", text.keyNames).join("+")})`}
          >
            <ActionIcon
              variant={action === outline && outlined ? "light" : "subtle"}
              color={action === outline && outlined ? "indigo" : "gray"}
              aria-label={text.actions[action.id]}
              {...(action === outline ? { "aria-pressed": outlined } : {})}
              disabled={
                action === undo
                  ? !history?.past.length
                  : action === redo
                    ? !history?.future.length
                    : action.enabled?.(here) === false
              }
              onClick={() => action.does?.(here)}
            >
              <Icon size={18} />
            </ActionIcon>
          </Tooltip>
        ))}
        <Divider orientation="vertical" mx={4} />
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
