import { NodeToolbar, Position } from "@xyflow/react";
import { useText } from "../text/useText";
import { MARK_COLOURS, type MarkColour } from "./marks";
import classes from "./canvas.module.css";

interface Props {
  readonly colour: string;
  readonly shown: boolean;
  onChoose(colour: MarkColour): void;
}

/** The colours of a note or a group, beside it while it is selected. */
export function Swatches({ colour, shown, onChoose }: Props) {
  const text = useText();
  return (
    <NodeToolbar isVisible={shown} position={Position.Top} align="end" offset={6}>
      <div className={classes.swatches} role="group" aria-label={text.noteColour}>
        {Object.entries(MARK_COLOURS).map(([name, value]) => (
          <button
            key={name}
            type="button"
            aria-label={text.colours[name as MarkColour]}
            aria-pressed={name === colour}
            style={{ background: value }}
            onClick={() => {
              onChoose(name as MarkColour);
            }}
          />
        ))}
      </div>
    </NodeToolbar>
  );
}
