/** What the server knows of the draft while it is edited: problems and the columns on its wires. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDebouncedValue } from "@mantine/hooks";
import { useMemo } from "react";
import type { Column, Outline, Problem } from "../api/client";
import type { Graph } from "../draft/graph";
import { checkQuery } from "./queries";

export interface Known {
  readonly problems: readonly Problem[];
  outline(pin: string): Outline | null;
  input(pin: string): Outline | null;
  /** The columns that arrive at an input, null where they are not known. */
  columns(pin: string): readonly Column[] | null;
}

const NOTHING: Known = {
  problems: [],
  outline: () => null,
  input: () => null,
  columns: () => null,
};

export function useCheck(graph: Graph | null): Known {
  const [settled] = useDebouncedValue(graph, 60, { leading: true });
  const { data } = useQuery({
    ...checkQuery(settled ?? { name: "", description: "", nodes: [], wires: [], parameters: [] }),
    enabled: settled !== null,
    placeholderData: keepPreviousData,
  });
  return useMemo(() => {
    if (!data) return NOTHING;
    const at = (place: number | null | undefined) =>
      place == null ? null : (data.outlines[place] ?? null);
    const input = (pin: string) => at(data.inputs[pin]);
    return {
      problems: data.problems,
      outline: (pin) => at(data.outputs[pin]),
      input,
      columns: (pin) => {
        const known = input(pin);
        return known?.kind === "table" ? known.columns : null;
      },
    };
  }, [data]);
}
