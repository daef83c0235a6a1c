import {
  Background,
  BackgroundVariant,
  type Connection,
  Controls,
  type Edge,
  type EdgeChange,
  type FinalConnectionState,
  type NodeChange,
  type OnConnectStartParams,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import {
  type DragEvent,
  type FocusEvent,
  type KeyboardEvent,
  memo,
  type MouseEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Note, Point } from "../draft/graph";
import { isDirection, neighbour } from "../draft/walk";
import { useText } from "../text/useText";
import { useStable } from "../ui/useStable";
import { FarView } from "./FarView";
import { GroupFrame } from "./GroupFrame";
import { type Marks, MarksContext } from "./marks";
import { NotePaper } from "./NotePaper";
import { Overview } from "./Overview";
import { PortClicks } from "./portClicks";
import { Steady } from "./steady";
import { PipelineNode } from "./PipelineNode";
import {
  type CanvasNode,
  NODE_HEIGHT,
  type NodeData,
  portPlaces,
  type Shown,
  toEdges,
  toMarks,
  toNodes,
} from "./toFlow";
import { wiresUnder } from "./wiresUnder";
import classes from "./canvas.module.css";

type PointerEnd = globalThis.MouseEvent | TouchEvent;

type Sizes = Record<string, { width: number; height: number }>;

/** Below this zoom, words on nodes cannot be read. */
const FAR = 0.3;

/** So many nodes in view are painted by brush while they move. */
const CROWDED = 60;

// What React Flow is handed stays the same: each new value would make all its nodes look again.
const BUTTONS = [1, 2];
const GRID: [number, number] = [10, 10];
const SEVERAL = ["Shift", "Meta", "Control"];
const FITTING = { maxZoom: 1, padding: 0.2 };
const PRO = { hideAttribution: true };

const TYPES = { pipeline: PipelineNode, note: NotePaper, frame: GroupFrame };

/** What is dragged from the palette. */
export const DRAGGED = "application/x-modelwright-node";

/** The kind of data that names the component while it is dragged, when its text is still closed. */
export const draggedKind = (component: string) => `${DRAGGED}/${component}`;

/** What could be put onto a wire: a node of the draft or a component of the palette. */
export type Spliced = { readonly node: string } | { readonly component: string };

export interface CanvasActions {
  onSelect(nodes: readonly string[], wires: readonly string[]): void;
  /** Nodes were dropped, one of them perhaps onto a wire. */
  onMove(places: Readonly<Record<string, Point>>, onto: string | null): void;
  onMoveNotes?(notes: readonly Note[]): void;
  onConnect(source: string, target: string): void;
  /** A wire's end was taken to another port; without a new wire it was dropped on nothing. */
  onRewire?(wire: string, source: string | null, target: string | null): void;
  /** Why a wire must not be drawn, in words, or null when it may. */
  refusal(source: string, target: string): string | null;
  onPort?(node: string, port: string): void;
  maySplice?(wire: string, spliced: Spliced): boolean;
  onDrop(dragged: string, at: Point, onto: string | null): void;
  /** A wire from a port was dropped on nothing. */
  onWireToEmpty(pin: string, side: "source" | "target", at: Point, screen: Point): void;
  onAddAt(at: Point, screen: Point): void;
  onOpen?(node: string): void;
  onMenu?(node: string, screen: Point): void;
}

const ignored = () => undefined;

interface Props extends CanvasActions, Partial<Marks> {
  readonly shown: Shown;
  readonly wires: ReadonlySet<string>;
  readonly dark: boolean;
  /** A node to bring into view; the object changes with each wish. */
  readonly focus: { readonly node: string } | null;
}

export const Canvas = memo(function Canvas(props: Props) {
  return (
    <ReactFlowProvider>
      <Inner {...props} />
    </ReactFlowProvider>
  );
});

function Inner(props: Props) {
  const { shown, wires, dark, focus } = props;
  const text = useText();
  const flow = useReactFlow<CanvasNode>();
  // On an empty canvas the first node stays where it is dropped.
  const [begunWithNodes] = useState(shown.draft.graph.nodes.length > 0);
  // While nodes are dragged their places are the view's; the draft learns them at the drop.
  const [moving, setMoving] = useState<Readonly<Record<string, Point>>>({});
  // Sizes are kept where the very next drawing finds them.
  const [measures] = useState(() => createStore<Sizes>(() => ({})));
  const sizes = useStore(measures);

  // The wire that what is dragged would be put onto; the drop reads it from the reference.
  const over = useRef<string | null>(null);
  const [splice, setSplice] = useState<string | null>(null);
  const hover = useCallback((wire: string | null) => {
    over.current = wire;
    setSplice(wire);
  }, []);

  const [steadyNodes] = useState(() => new Steady<CanvasNode>());
  const [steadyEdges] = useState(() => new Steady<Edge>());
  const nodes = useMemo<CanvasNode[]>(() => {
    const drawn = toNodes(shown).map((node) => {
      const position = moving[node.id] ?? node.position;
      return { ...node, position };
    });
    // One node is a stop of the Tab key; arrows go on from it.
    const stop = (drawn.find((node) => node.selected) ?? drawn[0])?.id;
    return steadyNodes.keep(
      [...toMarks(shown, moving, sizes), ...drawn].map((given) => {
        if (given.type !== "pipeline") return given;
        const node = { ...given, focusable: given.id === stop };
        const measured = sizes[node.id];
        const handles = portPlaces(node.data as NodeData, measured?.height ?? NODE_HEIGHT);
        return measured ? { ...node, measured, handles } : { ...node, handles };
      }),
    );
  }, [shown, moving, sizes, steadyNodes]);
  const edges = useMemo(
    () => steadyEdges.keep(toEdges(shown.draft, shown.runs, wires, splice)),
    [shown, wires, splice, steadyEdges],
  );

  useEffect(() => {
    if (focus) {
      void flow.fitView({ nodes: [{ id: focus.node }], duration: 250, maxZoom: 1.1, padding: 0.6 });
    }
  }, [focus, flow]);

  const { onSelect, onMove, onMoveNotes, maySplice } = props;
  const nodesChanged = useStable((changes: NodeChange<CanvasNode>[]) => {
    const { notes, groups } = shown.draft.layout;
    const chosen = new Set(shown.selected);
    const places: Record<string, Point> = {};
    const measured: Record<string, { width: number; height: number }> = {};
    let selecting = false;
    let dropped = false;
    for (const change of changes) {
      if (change.type === "select") {
        selecting = true;
        if (change.selected) chosen.add(change.id);
        else chosen.delete(change.id);
      } else if (change.type === "dimensions" && change.dimensions) {
        measured[change.id] = change.dimensions;
      } else if (change.type === "position" && change.position && change.dragging !== undefined) {
        dropped ||= !change.dragging;
        const group = groups.find((g) => g.id === change.id);
        if (group) {
          // A frame has no place of its own: it takes its nodes along.
          const frame = toMarks(shown, {}, sizes).find((mark) => mark.id === group.id);
          for (const id of group.nodes) {
            const at = shown.draft.layout.positions[id];
            if (!frame || !at) continue;
            places[id] = {
              x: at.x + change.position.x - frame.position.x,
              y: at.y + change.position.y - frame.position.y,
            };
          }
        } else places[change.id] = change.position;
      }
    }
    if (Object.keys(measured).length > 0) measures.setState(measured);
    if (selecting) onSelect([...chosen], []);
    if (Object.keys(places).length === 0) return;
    if (!dropped) {
      setMoving((before) => ({ ...before, ...places }));
      return;
    }
    setMoving({});
    const onto = over.current;
    hover(null);
    const moved = notes.flatMap((n) => (places[n.id] ? [{ ...n, ...places[n.id] }] : []));
    if (moved.length > 0) onMoveNotes?.(moved);
    const known = new Set(shown.draft.graph.nodes.map((n) => n.id));
    const nodePlaces = Object.entries(places).filter(([id]) => known.has(id));
    if (nodePlaces.length > 0) onMove(Object.fromEntries(nodePlaces), onto);
  });

  const dragged = useStable(
    (event: { altKey: boolean }, node: CanvasNode, together: readonly CanvasNode[]) => {
      const alone = node.type === "pipeline" && together.length === 1 && !event.altKey;
      const box = alone
        ? document.querySelector(`.react-flow__node[data-id="${CSS.escape(node.id)}"]`)
        : null;
      const under = box ? wiresUnder(box.getBoundingClientRect()) : [];
      hover(under.find((wire) => maySplice?.(wire, { node: node.id })) ?? null);
    },
  );

  const { onNote, onGroup } = props;
  const marks = useMemo<Marks>(
    () => ({ onNote: onNote ?? ignored, onGroup: onGroup ?? ignored }),
    [onNote, onGroup],
  );

  const walk = useStable((event: KeyboardEvent) => {
    const element = event.target as HTMLElement;
    const id = element.matches(".react-flow__node") ? element.dataset.id : undefined;
    const held = event.shiftKey || event.ctrlKey || event.metaKey || event.altKey;
    if (id === undefined || held) return;
    if (event.key === "Enter") {
      event.preventDefault();
      props.onOpen?.(id);
    } else if (isDirection(event.key)) {
      event.preventDefault();
      const next = neighbour(shown.draft, id, event.key);
      if (next === null) return;
      onSelect([next], []);
      focusNode(next);
    }
  });

  const edgesChanged = useStable((changes: EdgeChange[]) => {
    const chosen = new Set(wires);
    for (const change of changes) {
      if (change.type !== "select") continue;
      if (change.selected) chosen.add(change.id);
      else chosen.delete(change.id);
    }
    if (changes.some((c) => c.type === "select")) onSelect([...shown.selected], [...chosen]);
  });

  // How far and how fast the canvas is looked at is told to the styles alone: nothing is drawn anew.
  const box = useRef<HTMLDivElement>(null);
  const moved = useCallback((moving: boolean, zoom: number) => {
    const canvas = box.current;
    if (!canvas) return;
    canvas.toggleAttribute("data-far", zoom < FAR);
    if (moving && canvas.hasAttribute("data-moving")) return;
    canvas.toggleAttribute("data-moving", moving);
    const drawn = canvas.getElementsByClassName("react-flow__node").length;
    canvas.toggleAttribute("data-brushed", moving && drawn > CROWDED);
  }, []);

  // False from the moment that a wire's end is taken, true when it got another port.
  const rewired = useRef<boolean | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const linking = (pin: string | null, side: "source" | "target" | null) => {
    setRefused(null);
    const ports = box.current?.querySelectorAll<HTMLElement>(".react-flow__handle") ?? [];
    for (const port of ports) {
      const other = `${port.dataset.nodeid ?? ""}.${port.dataset.handleid ?? ""}`;
      const wanted = port.classList.contains(side === "source" ? "target" : "source");
      const ends = side === "source" ? ([pin, other] as const) : ([other, pin] as const);
      const [source, target] = ends;
      const fits =
        wanted && source !== null && target !== null && props.refusal(source, target) === null;
      port.toggleAttribute("data-fits", fits);
    }
    box.current?.toggleAttribute("data-linking", pin !== null);
  };

  const pins = (c: Pick<Connection, "source" | "target" | "sourceHandle" | "targetHandle">) =>
    [`${c.source}.${c.sourceHandle ?? ""}`, `${c.target}.${c.targetHandle ?? ""}`] as const;

  const opensMenu = useStable((event: MouseEvent, node: CanvasNode) => {
    if (node.type !== "pipeline" || !props.onMenu) return;
    event.preventDefault();
    props.onMenu(node.id, { x: event.clientX, y: event.clientY });
  });
  const opens = useStable((_: MouseEvent, node: CanvasNode) => {
    if (node.type === "pipeline") props.onOpen?.(node.id);
  });
  const focused = useStable((event: FocusEvent<HTMLElement>) => {
    // Whoever goes from node to node with the keyboard sees its settings at once.
    const id = event.target.dataset.id;
    if (!event.target.matches(".react-flow__node:focus-visible") || id === undefined) return;
    if (!shown.selected.has(id)) onSelect([id], []);
  });
  const connected = useStable((connection: Connection) => {
    props.onConnect(...pins(connection));
  });
  const mayConnect = useStable((connection: Connection | Edge) => {
    const why = props.refusal(
      ...pins({
        source: connection.source,
        target: connection.target,
        sourceHandle: connection.sourceHandle ?? null,
        targetHandle: connection.targetHandle ?? null,
      }),
    );
    setRefused(why);
    return why === null;
  });
  const connectBegun = useStable((_: unknown, from: OnConnectStartParams) => {
    linking(`${from.nodeId ?? ""}.${from.handleId ?? ""}`, from.handleType);
  });
  const connectOver = useStable((event: PointerEnd, state: FinalConnectionState) => {
    linking(null, null);
    // A wire whose end is moved is no new one.
    if (rewired.current !== null) return;
    if (state.toNode || !state.fromNode || !state.fromHandle) return;
    const at = "clientX" in event ? event : event.changedTouches[0];
    if (!at) return;
    const screen = { x: at.clientX, y: at.clientY };
    props.onWireToEmpty(
      `${state.fromNode.id}.${state.fromHandle.id ?? ""}`,
      state.fromHandle.type,
      flow.screenToFlowPosition(screen),
      screen,
    );
  });
  const reconnected = useStable((edge: Edge, connection: Connection) => {
    rewired.current = true;
    props.onRewire?.(edge.id, ...pins(connection));
  });
  const reconnectBegun = useStable(() => {
    rewired.current = false;
  });
  const reconnectOver = useStable((_: unknown, edge: Edge) => {
    if (!rewired.current) props.onRewire?.(edge.id, null, null);
    rewired.current = null;
  });
  const begun = useStable((made: { getZoom(): number }) => {
    moved(false, made.getZoom());
  });
  const moves = useStable((_: unknown, { zoom }: { zoom: number }) => {
    moved(true, zoom);
  });
  const moveOver = useStable((_: unknown, { zoom }: { zoom: number }) => {
    moved(false, zoom);
  });
  const paneClicked = useStable((event: MouseEvent) => {
    if (event.detail !== 2) return;
    const screen = { x: event.clientX, y: event.clientY };
    props.onAddAt(flow.screenToFlowPosition(screen), screen);
  });
  const draggedOver = useStable((event: DragEvent) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    const kind = event.dataTransfer.types.find((type) => type.startsWith(`${DRAGGED}/`));
    if (kind === undefined || event.altKey) {
      hover(null);
      return;
    }
    const component = kind.slice(DRAGGED.length + 1);
    const under = wiresUnder(new DOMRect(event.clientX - 8, event.clientY - 8, 16, 16));
    hover(under.find((wire) => maySplice?.(wire, { component })) ?? null);
  });
  const dragLeft = useStable(() => {
    hover(null);
  });
  const dropped = useStable((event: DragEvent) => {
    event.preventDefault();
    const what = event.dataTransfer.getData(DRAGGED);
    if (what) {
      const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
      props.onDrop(what, at, over.current);
    }
    hover(null);
  });
  const portClicked = useStable((node: string, port: string) => {
    props.onPort?.(node, port);
  });

  return (
    <MarksContext value={marks}>
      <PortClicks value={portClicked}>
        <div ref={box} data-canvas className={classes.canvas}>
          {refused !== null && (
            <div className={classes.refused} role="status">
              {refused}
            </div>
          )}
          {shown.draft.graph.nodes.length === 0 && (
            <div className={classes.empty}>{text.emptyCanvas}</div>
          )}
          <ReactFlow<CanvasNode>
            aria-label={text.canvas}
            nodes={nodes}
            edges={edges}
            nodeTypes={TYPES}
            colorMode={dark ? "dark" : "light"}
            onNodesChange={nodesChanged}
            onEdgesChange={edgesChanged}
            onNodeDrag={dragged}
            onNodeContextMenu={opensMenu}
            onNodeDoubleClick={opens}
            onKeyDown={walk}
            onFocus={focused}
            // Arrow keys follow the wires here, instead of moving the node.
            disableKeyboardA11y
            edgesFocusable={false}
            onConnect={connected}
            isValidConnection={mayConnect}
            connectOnClick={false}
            onConnectStart={connectBegun}
            onReconnect={reconnected}
            onReconnectStart={reconnectBegun}
            onReconnectEnd={reconnectOver}
            onConnectEnd={connectOver}
            onInit={begun}
            onMove={moves}
            onMoveEnd={moveOver}
            onPaneClick={paneClicked}
            onDragOver={draggedOver}
            onDragLeave={dragLeft}
            onDrop={dropped}
            // The draft owns deletion, so that it can be undone.
            deleteKeyCode={null}
            zoomOnDoubleClick={false}
            multiSelectionKeyCode={SEVERAL}
            selectionOnDrag
            panOnDrag={BUTTONS}
            panActivationKeyCode="Space"
            panOnScroll
            snapToGrid
            snapGrid={GRID}
            minZoom={0.1}
            fitView={begunWithNodes}
            fitViewOptions={FITTING}
            onlyRenderVisibleElements={shown.draft.graph.nodes.length > 150}
            proOptions={PRO}
          >
            <Background variant={BackgroundVariant.Dots} gap={20} size={1} />
            <Controls showInteractive={false} position="bottom-left" />
            <Overview dark={dark} />
            <FarView dark={dark} />
          </ReactFlow>
        </div>
      </PortClicks>
    </MarksContext>
  );
}

/** Gives a node the keyboard's focus; React Flow draws it first where it was out of view. */
export function focusNode(id: string): void {
  requestAnimationFrame(() => {
    document
      .querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`)
      ?.focus({ preventScroll: true });
  });
}
