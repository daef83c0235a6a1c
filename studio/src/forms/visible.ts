/** Which lines of a form matter, and whether what stands in them is allowed. */

import type { Parameter } from "../api/client";
import type { Json } from "../draft/graph";

export function valueOf(parameter: Parameter, values: Readonly<Record<string, Json>>): Json {
  const value = values[parameter.name];
  return value === undefined ? ((parameter.default ?? null) as Json) : value;
}

/** The parameters that matter, given the values of the others. */
export function visible(
  parameters: readonly Parameter[],
  values: Readonly<Record<string, Json>>,
): readonly Parameter[] {
  const byName = new Map(parameters.map((p) => [p.name, p]));
  const holds = (when: Readonly<Record<string, readonly unknown[]>>) =>
    Object.entries(when).every(([name, allowed]) => {
      const other = byName.get(name);
      return other !== undefined && allowed.includes(valueOf(other, values));
    });
  return parameters.filter((parameter) =>
    [parameter.visible_when ?? {}, ...(parameter.or_visible_when ?? [])].some(holds),
  );
}
