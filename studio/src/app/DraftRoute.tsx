import { Designer } from "../designer/Designer";
import { TableLook } from "../look/TableLook";

/** A draft, whose results are looked at with the views of stored values. */
export function DraftRoute() {
  return (
    <Designer
      lookAt={({ value }) =>
        value.kind === "table" ? <TableLook key={value.digest} digest={value.digest} /> : null
      }
    />
  );
}
