import { Designer } from "../designer/Designer";
import { InferenceNotice } from "../inference/InferenceNotice";
import { InferenceTools } from "../inference/InferenceTools";
import { Look } from "../look/Look";
import { Sweep } from "../look/Sweep";

/** A draft, whose results are looked at with the views of stored values, and what can be made of it. */
export function DraftRoute() {
  return (
    <Designer
      lookAt={(looked) => <Look {...looked} height="100%" />}
      showTries={(tries) => <Sweep tries={tries} />}
      tools={<InferenceTools />}
      notice={<InferenceNotice />}
    />
  );
}
