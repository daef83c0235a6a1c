import { ContentLook } from "../look/ContentLook";
import { ModelPage } from "../models/ModelPage";

/** A registered model or transformation, with what it learnt. */
export function ModelRoute({ kind }: { readonly kind: "model" | "transformation" }) {
  return (
    <ModelPage kind={kind} learnt={(digest) => <ContentLook key={digest} digest={digest} />} />
  );
}
