import type { NodeProps } from "@xyflow/react";
import { memo, use, useState } from "react";
import { useText } from "../text/useText";
import { markColour, MarksContext } from "./marks";
import { Swatches } from "./Swatches";
import type { GroupFlowNode } from "./toFlow";
import classes from "./canvas.module.css";

/** The frame around the nodes of a group; its title moves them, a double click renames it. */
export const GroupFrame = memo(function GroupFrame({ data, selected }: NodeProps<GroupFlowNode>) {
  const text = useText();
  const { onGroup } = use(MarksContext);
  const [naming, setNaming] = useState(false);
  const { group } = data;
  return (
    <div
      className={classes.frame}
      data-selected={selected || undefined}
      style={{ "--mark": markColour(group.colour) } as React.CSSProperties}
    >
      <Swatches
        shown={selected}
        colour={group.colour}
        onChoose={(colour) => {
          onGroup({ ...group, colour }, null);
        }}
      />
      <div
        className={`${classes.frameTitle ?? ""} group-title`}
        role="heading"
        aria-level={2}
        onDoubleClick={() => {
          setNaming(true);
        }}
      >
        {naming ? (
          <input
            className="nodrag"
            aria-label={text.groupTitle}
            // The user just asked to write here.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            value={group.title}
            onChange={(event) => {
              onGroup({ ...group, title: event.currentTarget.value }, `${group.id} title`);
            }}
            onBlur={() => {
              setNaming(false);
            }}
            onKeyDown={(event) => {
              if (event.key === "Enter" || event.key === "Escape") setNaming(false);
            }}
          />
        ) : (
          group.title
        )}
      </div>
    </div>
  );
});
