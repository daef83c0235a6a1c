import { SegmentedControl } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useText } from "../text/useText";
import { DifferenceLook } from "./DifferenceLook";
import { Keep } from "./Keep";
import { ScatterLook } from "./ScatterLook";
import { TableLook } from "./TableLook";
import classes from "./look.module.css";

interface Props {
  readonly runId: string;
  readonly node: string;
  readonly port: string;
  readonly digest: string;
  readonly height?: number | string | undefined;
  /** Another view of the same table that comes first, such as that of an evaluation. */
  readonly first?: { readonly label: string; readonly view: ReactNode };
}

type View = "first" | "rows" | "scatter" | "difference";

/** A table that a run left on a port: its rows, two columns as a cloud, and how it differs from others. */
export function PortLook({ runId, node, port, digest, height = "100%", first }: Props) {
  const text = useText();
  const [view, setView] = useState<View>(first ? "first" : "rows");
  return (
    <div className={classes.port} style={{ height }}>
      <div className={classes.tools}>
        <SegmentedControl
          size="xs"
          aria-label={text.lookView}
          value={view}
          onChange={(chosen) => {
            setView(chosen as View);
          }}
          data={[
            ...(first ? [{ value: "first", label: first.label }] : []),
            { value: "rows", label: text.rowsTab },
            { value: "scatter", label: text.scatter },
            { value: "difference", label: text.difference },
          ]}
        />
        <Keep runId={runId} node={node} port={port} digest={digest} table />
      </div>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, by the arrow keys too */}
      <div className={classes.view} tabIndex={0} role="region" aria-label={text.lookedAt}>
        {view === "first" && first?.view}
        {view === "rows" && <TableLook digest={digest} height="100%" />}
        {view === "scatter" && <ScatterLook digest={digest} />}
        {view === "difference" && <DifferenceLook runId={runId} node={node} digest={digest} />}
      </div>
    </div>
  );
}
