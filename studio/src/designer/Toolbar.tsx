import { ActionIcon, Badge, Divider, Group, Tooltip } from "@mantine/core";
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconDownload,
  IconKeyboard,
  IconListTree,
  IconSearch,
  IconSitemap,
} from "@tabler/icons-react";
import { memo, type ReactNode } from "react";
import { exportDraft } from "../api/exportDraft";
import { useDraft } from "../draft/store";
import { useText } from "../text/useText";
import { useStable } from "../ui/useStable";
import type { Action, Here } from "./actions/action";
import { find, outline, shortcuts } from "./actions/going";
import { spoken } from "./actions/keys";
import { redo, undo } from "./actions/structure";
import { tidy } from "./actions/tidy";
import { PipelineName } from "./PipelineName";
import { RunControls } from "./RunControls";
import type { Known } from "./useCheck";
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
  readonly known: Known;
  readonly here: Here;
  readonly outlined: boolean;
  readonly tools?: ReactNode;
}

export function Toolbar({ name, draftId, known, here, outlined, tools }: Props) {
  const text = useText();
  const { history, save } = useDraft();
  const act = useStable((action: Action) => action.does?.(here));
  const errors = known.problems.filter((p) => p.severity === "error").length;
  const states = {
    saved: text.saved,
    unsaved: text.unsaved,
    saving: text.saving,
    offline: text.offline,
    conflict: text.conflictTitle,
  };
  return (
    <div className={classes.bar} role="toolbar" aria-label={text.designer}>
      <PipelineName name={here.draft.graph.name || name} />
      <span className={classes.save} role="status">
        {states[save]}
      </span>
      <Group gap={2} ml="auto">
        {BUTTONS.map(([action, Icon]) => (
          <ToolButton
            key={action.id}
            action={action}
            Icon={Icon}
            {...(action === outline ? { pressed: outlined } : {})}
            disabled={
              action === undo
                ? !history?.past.length
                : action === redo
                  ? !history?.future.length
                  : action.enabled?.(here) === false
            }
            onAct={act}
          />
        ))}
        <Divider orientation="vertical" mx={4} />
        <Tooltip label={text.exportFile}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={text.exportFile}
            onClick={() => {
              void exportDraft(draftId);
            }}
          >
            <IconDownload size={18} />
          </ActionIcon>
        </Tooltip>
      </Group>
      {errors > 0 && (
        <Badge
          component="button"
          type="button"
          className={classes.problemCount ?? ""}
          color="orange"
          variant="light"
          size="lg"
          tt="none"
          onClick={() => {
            here.open("problems");
          }}
        >
          {text.problemCount(errors)}
        </Badge>
      )}
      {tools}
      <RunControls here={here} known={known} />
    </div>
  );
}

interface ToolProps {
  readonly action: Action;
  readonly Icon: typeof IconSearch;
  /** Of a button that stays down. */
  readonly pressed?: boolean;
  readonly disabled: boolean;
  onAct(action: Action): void;
}

const ToolButton = memo(function ToolButton(props: ToolProps) {
  const { action, Icon, pressed, disabled, onAct } = props;
  const text = useText();
  const title = text.actions[action.id];
  return (
    <Tooltip label={`${title} (${spoken(action.keys[0] ?? "", text.keyNames).join("+")})`}>
      <ActionIcon
        variant={pressed ? "light" : "subtle"}
        color={pressed ? "indigo" : "gray"}
        aria-label={title}
        {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
        disabled={disabled}
        onClick={() => {
          onAct(action);
        }}
      >
        <Icon size={18} />
      </ActionIcon>
    </Tooltip>
  );
});
