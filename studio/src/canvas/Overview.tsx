import { Panel, useReactFlow, useStore, useStoreApi } from "@xyflow/react";
import { type PointerEvent, useEffect, useMemo, useRef } from "react";
import { useText } from "../text/useText";
import { categoryColour } from "./colours";
import { type CanvasNode, NODE_HEIGHT, NODE_WIDTH, type NodeData } from "./toFlow";
import classes from "./canvas.module.css";

const WIDTH = 190;
const HEIGHT = 130;
const MARGIN = 8;

const STATES: Readonly<Record<string, string>> = {
  failed: "#e03131",
  running: "#4c6ef5",
  queued: "#91a7ff",
};

interface Area {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/**
 * The whole pipeline in small, to pan by click and drag. Its nodes are painted once for each change of
 * the pipeline; while the canvas is panned only the frame of what is in view moves.
 */
export function Overview({ dark }: { readonly dark: boolean }) {
  const text = useText();
  const flow = useReactFlow<CanvasNode>();
  const store = useStoreApi();
  const nodes = useStore((state) => state.nodes) as unknown as readonly CanvasNode[];
  const paper = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);

  const boxes = useMemo(
    () =>
      nodes
        .filter((node) => node.type === "pipeline")
        .map((node) => ({
          x: node.position.x,
          y: node.position.y,
          width: node.measured?.width ?? NODE_WIDTH,
          height: node.measured?.height ?? NODE_HEIGHT,
          data: node.data as NodeData,
        })),
    [nodes],
  );
  const area = useMemo<Area | null>(() => {
    if (boxes.length === 0) return null;
    const left = Math.min(...boxes.map((b) => b.x));
    const top = Math.min(...boxes.map((b) => b.y));
    const wide = Math.max(...boxes.map((b) => b.x + b.width)) - left;
    const high = Math.max(...boxes.map((b) => b.y + b.height)) - top;
    const scale = Math.min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high, 0.16);
    return {
      scale,
      x: left - (WIDTH / scale - wide) / 2,
      y: top - (HEIGHT / scale - high) / 2,
    };
  }, [boxes]);

  useEffect(() => {
    const brush = paper.current?.getContext("2d");
    if (!brush || !area) return;
    const sharp = window.devicePixelRatio || 1;
    brush.setTransform(sharp, 0, 0, sharp, 0, 0);
    brush.clearRect(0, 0, WIDTH, HEIGHT);
    for (const box of boxes) {
      brush.fillStyle = STATES[box.data.run?.status ?? ""] ?? categoryColour(box.data.category);
      brush.globalAlpha = box.data.run?.status === "stale" ? 0.45 : 1;
      brush.beginPath();
      brush.roundRect(
        (box.x - area.x) * area.scale,
        (box.y - area.y) * area.scale,
        Math.max(box.width * area.scale, 2),
        Math.max(box.height * area.scale, 2),
        1.5,
      );
      brush.fill();
    }
  }, [boxes, area, dark]);

  useEffect(() => {
    const place = () => {
      const shown = frame.current;
      if (!shown || !area) return;
      const { transform, width, height } = store.getState();
      const [x, y, zoom] = transform;
      shown.style.transform = `translate(${String((-x / zoom - area.x) * area.scale)}px, ${String((-y / zoom - area.y) * area.scale)}px)`;
      shown.style.width = `${String((width / zoom) * area.scale)}px`;
      shown.style.height = `${String((height / zoom) * area.scale)}px`;
    };
    place();
    return store.subscribe(place);
  }, [store, area]);

  if (!area) return null;
  const go = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    void flow.setCenter(
      area.x + (event.clientX - box.left) / area.scale,
      area.y + (event.clientY - box.top) / area.scale,
      { zoom: flow.getZoom(), duration: 0 },
    );
  };
  return (
    <Panel position="bottom-right">
      <div
        className={classes.overview}
        role="img"
        aria-label={text.overview}
        style={{ width: WIDTH, height: HEIGHT }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          go(event);
        }}
        onPointerMove={(event) => {
          if (event.buttons === 1) go(event);
        }}
      >
        <canvas
          ref={paper}
          width={WIDTH * (window.devicePixelRatio || 1)}
          height={HEIGHT * (window.devicePixelRatio || 1)}
          style={{ width: WIDTH, height: HEIGHT }}
        />
        <div ref={frame} className={classes.inView} />
      </div>
    </Panel>
  );
}
