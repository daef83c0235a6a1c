import type { Schemas } from "../api/client";

interface Props {
  readonly graph: Schemas["Graph"];
  readonly layout: Schemas["Layout"];
}

const WIDTH = 220;
const HEIGHT = 62;

/** A pipeline drawn small: boxes and wires only. */
export function Thumbnail({ graph, layout }: Props) {
  const places = layout.positions ?? {};
  const at = (id: string) => places[id] ?? [0, 0];
  const points = (graph.nodes ?? []).map((n) => at(n.id));
  const xs = points.map((p) => p[0] ?? 0);
  const ys = points.map((p) => p[1] ?? 0);
  const left = Math.min(...xs, 0) - 40;
  const top = Math.min(...ys, 0) - 40;
  const right = Math.max(...xs, 0) + WIDTH + 40;
  const bottom = Math.max(...ys, 0) + HEIGHT + 40;
  return (
    <svg
      viewBox={[left, top, right - left, bottom - top].map(String).join(" ")}
      width="100%"
      height={150}
      aria-hidden
    >
      {(graph.wires ?? []).map((wire) => {
        const [x1 = 0, y1 = 0] = at(wire.source.split(".")[0] ?? "");
        const [x2 = 0, y2 = 0] = at(wire.target.split(".")[0] ?? "");
        return (
          <line
            key={`${wire.source} ${wire.target}`}
            x1={x1 + WIDTH / 2}
            y1={y1 + HEIGHT}
            x2={x2 + WIDTH / 2}
            y2={y2}
            stroke="light-dark(#b6bdca, #565b66)"
            strokeWidth={6}
          />
        );
      })}
      {(graph.nodes ?? []).map((node) => {
        const [x = 0, y = 0] = at(node.id);
        return (
          <rect
            key={node.id}
            x={x}
            y={y}
            width={WIDTH}
            height={HEIGHT}
            rx={12}
            fill="light-dark(#8ea0dc, #5a6ab0)"
          />
        );
      })}
    </svg>
  );
}
