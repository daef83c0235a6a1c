import { Look } from "../look/Look";
import { Sweep } from "../look/Sweep";
import { RunPage } from "../runs/RunPage";

/** A run, whose results are looked at with the views of stored values. */
export function RunRoute() {
  return (
    <RunPage
      lookAt={(looked) => <Look {...looked} height="100%" />}
      showTries={(tries) => <Sweep tries={tries} />}
    />
  );
}
