import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { VisualizationSpec } from "vega-embed";
import { useText } from "../text/useText";
import classes from "./look.module.css";

interface Props {
  readonly title: string;
  /** Of Vega-Lite, without size and colours. */
  readonly spec: object;
}

const WIDTH = 250;
const HEIGHT = 190;

/** A plot; what draws it is loaded with the first one. */
export function Plot({ title, spec }: Props) {
  const text = useText();
  const dark = useComputedColorScheme("light") === "dark";
  const box = useRef<HTMLDivElement>(null);
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    let gone = false;
    let finish: (() => void) | null = null;
    void (async () => {
      try {
        const { default: embed } = await import("vega-embed");
        const place = box.current;
        if (gone || !place) return;
        const drawn = await embed(place, complete(spec, dark) as VisualizationSpec, {
          actions: false,
          // Expressions are read, never evaluated as code, as the page's policy wants it.
          ast: true,
          renderer: "svg",
          tooltip: false,
          defaultStyle: false,
        });
        finish = () => {
          drawn.finalize();
        };
        // The effect may have ended while the plot was being drawn.
        if (gone) finish();
      } catch {
        setFailed(true);
      }
    })();
    return () => {
      gone = true;
      finish?.();
    };
  }, [spec, dark]);

  return (
    <figure className={classes.plot}>
      <figcaption>{title}</figcaption>
      {failed ? (
        <span>{text.plotFailed}</span>
      ) : (
        <div ref={box} style={{ minWidth: WIDTH + 60, minHeight: HEIGHT + 40 }} />
      )}
    </figure>
  );
}

function complete(spec: object, dark: boolean): object {
  const ink = dark ? "#c5c9d1" : "#3b4454";
  const line = dark ? "#3a3d44" : "#e6e8ed";
  const axis = {
    labelColor: ink,
    titleColor: ink,
    gridColor: line,
    domainColor: line,
    tickColor: line,
    titleFontWeight: 500,
    labelFontSize: 11,
    titleFontSize: 11,
    tickCount: 5,
  };
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: WIDTH,
    height: HEIGHT,
    background: "transparent",
    ...spec,
    config: {
      axis,
      view: { stroke: null },
      legend: { labelColor: ink, titleColor: ink, orient: "bottom", title: null },
      range: { category: dark ? ["#8fa2f5", "#f0a868"] : ["#4c63d2", "#c2600c"] },
      bar: { color: dark ? "#8fa2f5" : "#5b70d8" },
      point: { color: dark ? "#8fa2f5" : "#4c63d2" },
      font: "Inter, system-ui, sans-serif",
    },
  };
}
