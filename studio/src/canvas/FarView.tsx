import { useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { categoryColour } from "./colours";
import { type CanvasNode, NODE_HEIGHT, NODE_WIDTH, type NodeData } from "./toFlow";
import classes from "./canvas.module.css";

interface Ink {
  readonly paper: string;
  readonly line: string;
  readonly border: string;
  readonly words: string;
}

const LIGHT: Ink = { paper: "#fff", line: "#98a1b0", border: "#d5d9e0", words: "#1c2430" };
const DARK: Ink = { paper: "#242424", line: "#747c89", border: "#3b3f46", words: "#e8eaed" };

/** From this zoom on titles can be read. */
const READABLE = 0.3;

/**
 * The pipeline in strokes of a brush, for the time that many nodes move at once: the browser cannot
 * move a thousand of them as elements often enough. Shown by the attribute `data-brushed` of the canvas.
 */
export function FarView({ dark }: { readonly dark: boolean }) {
  const store = useStoreApi();
  const paper = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    const ink = dark ? DARK : LIGHT;
    const draw = () => {
      const canvas = paper.current;
      const brush = canvas?.getContext("2d");
      if (!canvas || !brush || !canvas.closest("[data-brushed]")) return;
      const { transform, width, height, nodeLookup, edges } = store.getState();
      const [x, y, zoom] = transform;
      const sharp = window.devicePixelRatio || 1;
      if (canvas.width !== width * sharp || canvas.height !== height * sharp) {
        canvas.width = width * sharp;
        canvas.height = height * sharp;
      }
      brush.setTransform(sharp, 0, 0, sharp, 0, 0);
      brush.clearRect(0, 0, width, height);
      brush.setTransform(sharp * zoom, 0, 0, sharp * zoom, sharp * x, sharp * y);

      const left = -x / zoom;
      const top = -y / zoom;
      const seen = (box: { x: number; y: number }) =>
        box.x + NODE_WIDTH > left &&
        box.x < left + width / zoom &&
        box.y + 2 * NODE_HEIGHT > top &&
        box.y < top + height / zoom;

      brush.strokeStyle = ink.line;
      brush.lineWidth = 1.5;
      brush.beginPath();
      for (const edge of edges) {
        const from = nodeLookup.get(edge.source);
        const to = nodeLookup.get(edge.target);
        if (!from || !to || !(seen(from.position) || seen(to.position))) continue;
        const out = from.handles?.find((h) => h.type === "source" && h.id === edge.sourceHandle);
        const into = to.handles?.find((h) => h.type === "target" && h.id === edge.targetHandle);
        const fromX = from.position.x + (out?.x ?? NODE_WIDTH / 2) + 5;
        const fromY = from.position.y + (from.measured.height ?? NODE_HEIGHT);
        const toX = to.position.x + (into?.x ?? NODE_WIDTH / 2) + 5;
        const bend = Math.abs(to.position.y - fromY) / 2;
        brush.moveTo(fromX, fromY);
        brush.bezierCurveTo(fromX, fromY + bend, toX, to.position.y - bend, toX, to.position.y);
      }
      brush.stroke();

      brush.font = "600 13px Inter, system-ui, sans-serif";
      for (const { internals } of nodeLookup.values()) {
        const node = internals.userNode as unknown as CanvasNode;
        if (node.type !== "pipeline" || !seen(node.position)) continue;
        const data = node.data as NodeData;
        const { x: at, y: down } = node.position;
        const high = node.measured?.height ?? NODE_HEIGHT;
        brush.fillStyle = ink.paper;
        brush.fillRect(at, down, NODE_WIDTH, high);
        brush.strokeStyle = node.selected ? "#5c7cfa" : ink.border;
        brush.strokeRect(at, down, NODE_WIDTH, high);
        brush.fillStyle = categoryColour(data.category);
        brush.fillRect(at, down, 4, high);
        if (zoom < READABLE) continue;
        brush.fillStyle = ink.words;
        brush.fillText(data.title, at + 14, down + 22, NODE_WIDTH - 26);
      }
    };
    // The first stroke is there in the very frame in which the elements go.
    const begun = new MutationObserver(draw);
    const box = paper.current?.closest("[data-canvas]");
    if (box) begun.observe(box, { attributeFilter: ["data-brushed"] });
    const moves = store.subscribe(draw);
    return () => {
      begun.disconnect();
      moves();
    };
  }, [store, dark]);

  return <canvas ref={paper} className={classes.far} aria-hidden />;
}
