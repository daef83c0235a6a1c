/** What is known of the draft while it is edited: problems and the columns on its wires. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Checked, Column, Outline, Problem } from "../api/client";
import type { PortsOf } from "../draft/connect";
import { emptyGraph, findNode, type Graph } from "../draft/graph";
import { WIRING_CODES, type WiringProblem, wiringProblems } from "../draft/wiring";
import type { Text } from "../text/en";
import { useText } from "../text/useText";
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

/**
 * The server's check of the graph. Until it has answered for the graph as it is now, what it said last
 * stands for it, but for the problems of wires, which are found here at once.
 */
export function useCheck(graph: Graph | null, portsOf: PortsOf): Known {
  const text = useText();
  const { data, isPlaceholderData: late } = useQuery({
    ...checkQuery(graph ?? emptyGraph),
    enabled: graph !== null,
    placeholderData: keepPreviousData,
  });
  return useMemo(() => {
    if (!data || !graph) return NOTHING;
    const at = (place: number | null | undefined) =>
      place == null ? null : (data.outlines[place] ?? null);
    const input = (pin: string) => at(data.inputs[pin]);
    return {
      problems: late ? meanwhile(data, graph, portsOf, text) : data.problems,
      outline: (pin) => at(data.outputs[pin]),
      input,
      columns: (pin) => {
        const known = input(pin);
        return known?.kind === "table" ? known.columns : null;
      },
    };
  }, [data, late, graph, portsOf, text]);
}

/** The problems of a graph that the server has not seen yet. */
export function meanwhile(
  last: Checked,
  graph: Graph,
  portsOf: PortsOf,
  text: Text,
): readonly Problem[] {
  const key = (p: { code: string; node?: string | null; port?: string | null }) =>
    `${p.code} ${p.node ?? ""} ${p.port ?? ""}`;
  const told = new Map(last.problems.map((problem) => [key(problem), problem]));
  const wiring = wiringProblems(graph, portsOf).map(
    (found) => told.get(key(found)) ?? worded(found, graph, portsOf, text),
  );
  const ids = new Set(graph.nodes.map((node) => node.id));
  const others = last.problems.filter(
    ({ code, node }) =>
      !WIRING_CODES.has(code) &&
      (node === null || ids.has(node)) &&
      (code !== "empty-pipeline" || graph.nodes.length === 0),
  );
  return [...wiring, ...others];
}

function worded(found: WiringProblem, graph: Graph, portsOf: PortsOf, text: Text): Problem {
  const component = findNode(graph, found.node ?? "")?.component;
  const input = portsOf(component ?? "")?.inputs.find((port) => port.name === found.port);
  const [happened, remedy] = text.wiring[found.code](input?.title ?? found.port ?? "");
  return {
    ...found,
    severity: "error",
    message: `${happened} ${remedy}`,
    happened,
    remedy,
    parameter: null,
    column: null,
    fields: {},
    fix: null,
  };
}
