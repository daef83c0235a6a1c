import {
  Background,
  BackgroundVariant,
  type Connection,
  Controls,
  type EdgeChange,
  MiniMap,
  type NodeChange,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { type DragEvent, useCallback, useEffect, useMemo, useState } from "react";
import type { Point } from "../draft/graph";
import { useText } from "../text/useText";
import { categoryColour } from "./colours";
import { PipelineNode } from "./PipelineNode";
import { type NodeData, type PipelineFlowNode, type Shown, toEdges, toNodes } from "./toFlow";
import classes from "./canvas.module.css";

const TYPES = { pipeline: PipelineNode };

/** What is dragged from the palette. */
export const DRAGGED = "application/x-modelwright-node";

export interface CanvasActions {
  onSelect(nodes: readonly string[], wires: readonly string[]): void;
  onMove(places: Readonly<Record<string, Point>>): void;
  onConnect(source: string, target: string): void;
  mayConnect(source: string, target: string): boolean;
  onDrop(dragged: string, at: Point): void;
  onWireToEmpty(source: string, at: Point, screen: Point): void;
  onAddAt(at: Point, screen: Point): void;
}

interface Props extends CanvasActions {
  readonly shown: Shown;
  readonly wires: ReadonlySet<string>;
  readonly dark: boolean;
  /** A node to bring into view; the object changes with each wish. */
  readonly focus: { readonly node: string } | null;
}

export function Canvas(props: Props) {
  return (
    <ReactFlowProvider>
      <Inner {...props} />
    </ReactFlowProvider>
  );
}

function Inner(props: Props) {
  const { shown, wires, dark, focus } = props;
  const text = useText();
  const flow = useReactFlow<PipelineFlowNode>();
  // On an empty canvas the first node stays where it is dropped.
  const [begunWithNodes] = useState(shown.draft.graph.nodes.length > 0);
  // While nodes are dragged their places are the view's; the draft learns them at the drop.
  const [moving, setMoving] = useState<Readonly<Record<string, Point>>>({});
  // The minimap draws nodes by their measured sizes, which only the drawing knows.
  const [sizes, setSizes] = useState<Readonly<Record<string, { width: number; height: number }>>>(
    {},
  );

  const nodes = useMemo(() => {
    return toNodes(shown).map((node) => {
      const measured = sizes[node.id];
      const position = moving[node.id] ?? node.position;
      return measured ? { ...node, position, measured } : { ...node, position };
    });
  }, [shown, moving, sizes]);
  const edges = useMemo(() => toEdges(shown.draft, shown.runs, wires), [shown, wires]);

  useEffect(() => {
    if (focus) {
      void flow.fitView({ nodes: [{ id: focus.node }], duration: 250, maxZoom: 1.1, padding: 0.6 });
    }
  }, [focus, flow]);

  const { onSelect, onMove } = props;
  const nodesChanged = useCallback(
    (changes: NodeChange<PipelineFlowNode>[]) => {
      const chosen = new Set(shown.selected);
      const places: Record<string, Point> = {};
      const dropped: Record<string, Point> = {};
      const measured: Record<string, { width: number; height: number }> = {};
      let selecting = false;
      for (const change of changes) {
        if (change.type === "select") {
          selecting = true;
          if (change.selected) chosen.add(change.id);
          else chosen.delete(change.id);
        } else if (change.type === "dimensions" && change.dimensions) {
          measured[change.id] = change.dimensions;
        } else if (change.type === "position" && change.position) {
          if (change.dragging) places[change.id] = change.position;
          else dropped[change.id] = change.position;
        }
      }
      if (Object.keys(measured).length > 0) setSizes((before) => ({ ...before, ...measured }));
      if (selecting) onSelect([...chosen], []);
      if (Object.keys(places).length > 0) setMoving((before) => ({ ...before, ...places }));
      if (Object.keys(dropped).length > 0) {
        setMoving({});
        onMove(dropped);
      }
    },
    [shown.selected, onSelect, onMove],
  );

  const edgesChanged = useCallback(
    (changes: EdgeChange[]) => {
      const chosen = new Set(wires);
      for (const change of changes) {
        if (change.type !== "select") continue;
        if (change.selected) chosen.add(change.id);
        else chosen.delete(change.id);
      }
      if (changes.some((c) => c.type === "select")) onSelect([...shown.selected], [...chosen]);
    },
    [wires, shown.selected, onSelect],
  );

  const pins = (c: Pick<Connection, "source" | "target" | "sourceHandle" | "targetHandle">) =>
    [`${c.source}.${c.sourceHandle ?? ""}`, `${c.target}.${c.targetHandle ?? ""}`] as const;

  return (
    <div className={classes.canvas}>
      {shown.draft.graph.nodes.length === 0 && (
        <div className={classes.empty}>{text.emptyCanvas}</div>
      )}
      <ReactFlow<PipelineFlowNode>
        aria-label={text.canvas}
        nodes={nodes}
        edges={edges}
        nodeTypes={TYPES}
        colorMode={dark ? "dark" : "light"}
        onNodesChange={nodesChanged}
        onEdgesChange={edgesChanged}
        onConnect={(connection) => {
          props.onConnect(...pins(connection));
        }}
        isValidConnection={(connection) =>
          props.mayConnect(
            ...pins({
              source: connection.source,
              target: connection.target,
              sourceHandle: connection.sourceHandle ?? null,
              targetHandle: connection.targetHandle ?? null,
            }),
          )
        }
        onConnectEnd={(event, state) => {
          if (state.toNode || !state.fromNode || state.fromHandle?.type !== "source") return;
          const at = "clientX" in event ? event : event.changedTouches[0];
          if (!at) return;
          const screen = { x: at.clientX, y: at.clientY };
          props.onWireToEmpty(
            `${state.fromNode.id}.${state.fromHandle.id ?? ""}`,
            flow.screenToFlowPosition(screen),
            screen,
          );
        }}
        onPaneClick={(event) => {
          if (event.detail === 2) {
            const screen = { x: event.clientX, y: event.clientY };
            props.onAddAt(flow.screenToFlowPosition(screen), screen);
          }
        }}
        onDragOver={(event: DragEvent) => {
          event.preventDefault();
          event.dataTransfer.dropEffect = "copy";
        }}
        onDrop={(event: DragEvent) => {
          event.preventDefault();
          const dragged = event.dataTransfer.getData(DRAGGED);
          if (dragged) {
            props.onDrop(
              dragged,
              flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }),
            );
          }
        }}
        // The draft owns deletion, so that it can be undone.
        deleteKeyCode={null}
        zoomOnDoubleClick={false}
        multiSelectionKeyCode={["Shift", "Meta", "Control"]}
        selectionOnDrag
        panOnDrag={[1, 2]}
        panActivationKeyCode="Space"
        panOnScroll
        snapToGrid
        snapGrid={[10, 10]}
        minZoom={0.1}
        fitView={begunWithNodes}
        fitViewOptions={{ maxZoom: 1, padding: 0.2 }}
        onlyRenderVisibleElements={shown.draft.graph.nodes.length > 150}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1} />
        <Controls showInteractive={false} position="bottom-left" />
        <MiniMap
          pannable
          zoomable
          position="bottom-right"
          nodeColor={(node) => categoryColour((node.data as NodeData).category)}
        />
      </ReactFlow>
    </div>
  );
}
