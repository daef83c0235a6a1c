import { Designer } from "../designer/Designer";
import { Look } from "../look/Look";

/** A draft, whose results are looked at with the views of stored values. */
export function DraftRoute() {
  return <Designer lookAt={(looked) => <Look {...looked} height={170} />} />;
}
