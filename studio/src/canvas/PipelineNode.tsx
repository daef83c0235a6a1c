import { Handle, type NodeProps, Position } from "@xyflow/react";
import {
  IconAlertTriangle,
  IconCheck,
  IconCircleX,
  IconClock,
  IconLoader2,
  IconPlayerSkipForward,
  IconPlayerStop,
  IconRecycle,
  IconRefreshAlert,
} from "@tabler/icons-react";
import { memo, type ReactNode, useContext } from "react";
import { useText } from "../text/useText";
import type { PortKind } from "../draft/connect";
import { categoryColour } from "./colours";
import { PortClicks } from "./portClicks";
import type { NodeStatus, PipelineFlowNode } from "./toFlow";
import classes from "./canvas.module.css";

const ICONS: Record<NodeStatus, ReactNode> = {
  stale: <IconRefreshAlert size={14} aria-hidden />,
  queued: <IconClock size={14} aria-hidden />,
  running: <IconLoader2 size={14} aria-hidden className={classes.spin} />,
  reused: <IconRecycle size={14} aria-hidden />,
  done: <IconCheck size={14} aria-hidden />,
  failed: <IconCircleX size={14} aria-hidden />,
  skipped: <IconPlayerSkipForward size={14} aria-hidden />,
  cancelled: <IconPlayerStop size={14} aria-hidden />,
};

function place(index: number, count: number): string {
  return `${String(((index + 1) * 100) / (count + 1))}%`;
}

export const PipelineNode = memo(function PipelineNode({
  id,
  data,
  selected,
}: NodeProps<PipelineFlowNode>) {
  const text = useText();
  const portClicked = useContext(PortClicks);
  const { run } = data;
  const status = run ? text.status[run.status] : null;
  const told = (port: PortKind) => `${port.title} · ${text.portTypes[port.type] ?? port.type}`;
  const seconds = run?.seconds == null ? null : text.seconds(run.seconds);
  return (
    <div
      className={classes.node}
      data-selected={selected || undefined}
      data-status={run?.status}
      data-missing={data.missing || undefined}
      data-found={data.found || undefined}
      data-tinted={data.tint ? true : undefined}
      style={
        {
          "--category": categoryColour(data.category),
          "--tint": data.tint?.colour,
        } as React.CSSProperties
      }
    >
      {data.inputs.map((port, index) => (
        <Handle
          key={port.name}
          id={port.name}
          type="target"
          position={Position.Top}
          style={{ left: place(index, data.inputs.length) }}
          title={told(port)}
          aria-label={port.title}
          role="img"
          className={classes.port}
          data-type={port.type}
        />
      ))}
      {data.tint && <span className={classes.tint}>{data.tint.label}</span>}
      <div className={classes.title} title={data.title}>
        {data.title}
      </div>
      <div className={classes.line}>
        {status && run ? (
          <span className={classes.status} data-status={run.status}>
            {ICONS[run.status]} {status}
            {seconds && run.status === "done" ? ` · ${seconds}` : ""}
            {run.status === "running" && run.fraction !== undefined
              ? ` · ${String(Math.round(run.fraction * 100))} %`
              : ""}
          </span>
        ) : (
          <span className={classes.kind}>
            {data.title === data.kind ? data.category : data.kind}
          </span>
        )}
        {data.problems > 0 && (
          <span
            className={classes.problem}
            data-problems={data.problems}
            title={text.problemCount(data.problems)}
          >
            <IconAlertTriangle size={14} aria-hidden /> {data.problems}
          </span>
        )}
        {data.problems === 0 && data.warnings > 0 && (
          <span className={classes.warning} title={text.warningCount(data.warnings)}>
            <IconAlertTriangle size={14} aria-hidden /> {data.warnings}
          </span>
        )}
      </div>
      {data.comment && (
        <div className={classes.comment} title={data.comment}>
          <span>{data.comment}</span>
        </div>
      )}
      {data.outputs.map((port, index) => (
        <Handle
          key={port.name}
          id={port.name}
          type="source"
          position={Position.Bottom}
          style={{ left: place(index, data.outputs.length) }}
          title={told(port)}
          aria-label={port.title}
          role="img"
          className={classes.port}
          data-type={port.type}
          onClick={() => {
            portClicked(id, port.name);
          }}
        />
      ))}
    </div>
  );
});
