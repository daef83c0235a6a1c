import { NodeResizer, type NodeProps } from "@xyflow/react";
import { memo, use, useState } from "react";
import { useText } from "../text/useText";
import { markColour, MarksContext } from "./marks";
import { Swatches } from "./Swatches";
import type { NoteFlowNode } from "./toFlow";
import classes from "./canvas.module.css";

/** A note that lies behind the nodes; a double click writes on it. */
export const NotePaper = memo(function NotePaper({ data, selected }: NodeProps<NoteFlowNode>) {
  const text = useText();
  const { onNote } = use(MarksContext);
  const [writing, setWriting] = useState(false);
  const { note } = data;
  return (
    <>
      <NodeResizer
        isVisible={selected}
        minWidth={120}
        minHeight={60}
        color={markColour(note.colour)}
        onResizeEnd={(_, { x, y, width, height }) => {
          onNote({ ...note, x, y, width, height }, null);
        }}
      />
      <Swatches
        shown={selected}
        colour={note.colour}
        onChoose={(colour) => {
          onNote({ ...note, colour }, null);
        }}
      />
      <div
        className={classes.paper}
        role="note"
        aria-label={text.note}
        data-selected={selected || undefined}
        style={{ "--mark": markColour(note.colour) } as React.CSSProperties}
        onDoubleClick={() => {
          setWriting(true);
        }}
      >
        {writing || (selected && note.text === "") ? (
          <textarea
            className="nodrag nowheel"
            aria-label={text.noteText}
            // The user just asked to write here.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            value={note.text}
            placeholder={text.noteText}
            onChange={(event) => {
              setWriting(true);
              onNote({ ...note, text: event.currentTarget.value }, `${note.id} text`);
            }}
            onBlur={() => {
              setWriting(false);
            }}
            onKeyDown={(event) => {
              if (event.key === "Escape") setWriting(false);
            }}
          />
        ) : (
          note.text || <span className={classes.hint}>{text.noteEmpty}</span>
        )}
      </div>
    </>
  );
});
