import type { StoredValue } from "../api/client";
import { ContentLook } from "./ContentLook";
import { EvaluationLook } from "./EvaluationLook";
import { TableLook } from "./TableLook";

interface Props {
  readonly runId: string;
  readonly node: string;
  readonly component: string;
  readonly value: StoredValue;
  readonly height?: number | string;
}

const EVALUATE = "evaluate-model";

/** What a port of a run gave, in the view of its kind. */
export function Look({ runId, node, component, value, height }: Props) {
  const key = value.digest;
  if (component === EVALUATE)
    return <EvaluationLook key={`${runId} ${node}`} runId={runId} node={node} />;
  if (value.kind === "table") {
    return <TableLook key={key} digest={key} {...(height === undefined ? {} : { height })} />;
  }
  return <ContentLook key={key} digest={key} />;
}
