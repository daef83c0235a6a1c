import { memo } from "react";
import type { StoredValue } from "../api/client";
import { useText } from "../text/useText";
import { ContentLook } from "./ContentLook";
import { EvaluationLook } from "./EvaluationLook";
import { Keep } from "./Keep";
import { PortLook } from "./PortLook";
import classes from "./look.module.css";

interface Props {
  readonly runId: string;
  readonly node: string;
  readonly port: string;
  readonly component: string;
  readonly value: StoredValue;
  readonly height?: number | string;
}

const EVALUATE = "evaluate-model";

/** What a port of a run gave, in the view of its kind. */
export const Look = memo(function Look(props: Props) {
  const { runId, node, port, component, value, height } = props;
  const text = useText();
  const where = { runId, node, port, digest: value.digest };
  const key = `${runId} ${node} ${port} ${value.digest}`;
  if (value.kind === "table") {
    const first =
      component === EVALUATE
        ? { label: text.evaluation, view: <EvaluationLook runId={runId} node={node} /> }
        : null;
    return <PortLook key={key} {...where} height={height} {...(first ? { first } : {})} />;
  }
  return (
    <div key={key}>
      <div className={classes.tools}>
        <Keep {...where} table={false} fitted={value.kind === "transform"} />
      </div>
      <ContentLook digest={value.digest} />
    </div>
  );
});
