import {
  Background,
  BackgroundVariant,
  Controls,
  ReactFlow,
  ReactFlowProvider,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { useMemo } from "react";
import { useText } from "../text/useText";
import { PipelineNode } from "./PipelineNode";
import { type Shown, toEdges, toNodes } from "./toFlow";
import classes from "./canvas.module.css";

const TYPES = { pipeline: PipelineNode };
const NO_WIRES: ReadonlySet<string> = new Set();

interface Props {
  readonly shown: Shown;
  readonly dark: boolean;
  onChoose(node: string | null): void;
}

/** A pipeline to look at: its nodes can be chosen, and nothing can be changed. */
export function Snapshot({ shown, dark, onChoose }: Props) {
  const text = useText();
  const nodes = useMemo(() => toNodes(shown), [shown]);
  const edges = useMemo(() => toEdges(shown.draft, shown.runs, NO_WIRES), [shown]);
  return (
    <ReactFlowProvider>
      <div className={classes.canvas}>
        <ReactFlow
          aria-label={text.canvas}
          nodes={nodes}
          edges={edges}
          nodeTypes={TYPES}
          colorMode={dark ? "dark" : "light"}
          nodesDraggable={false}
          nodesConnectable={false}
          edgesFocusable={false}
          deleteKeyCode={null}
          onNodesChange={(changes) => {
            for (const change of changes) {
              if (change.type === "select" && change.selected) onChoose(change.id);
            }
          }}
          onPaneClick={() => {
            onChoose(null);
          }}
          panOnScroll
          minZoom={0.1}
          fitView
          fitViewOptions={{ maxZoom: 1, padding: 0.1 }}
          onlyRenderVisibleElements={nodes.length > 150}
          proOptions={{ hideAttribution: true }}
        >
          <Background variant={BackgroundVariant.Dots} gap={20} size={1} />
          <Controls showInteractive={false} position="bottom-left" />
        </ReactFlow>
      </div>
    </ReactFlowProvider>
  );
}
