/** What can be put onto the canvas: data sets, saved models and transformations, components. */

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Component } from "../api/client";
import { datasetsQuery } from "../api/queries";
import type { NewNode } from "../draft/edits";
import type { Json } from "../draft/graph";
import { useText } from "../text/useText";
import { sampleDatasetsQuery, savedQuery } from "./queries";

/** An entry as it travels with the pointer. */
export interface Dragged {
  readonly component: string;
  readonly version: number;
  readonly title: string;
  /** Of a data set or a saved value: which one. */
  readonly parameters?: Readonly<Record<string, Json>>;
}

export interface Entry {
  readonly dragged: Dragged;
  readonly category: string;
  readonly summary: string;
  readonly asset: boolean;
}

export function fromDragged({ component, version, parameters }: Dragged): NewNode {
  return { component, version, ...(parameters ? { parameters } : {}) };
}

export function entryKey({ dragged }: Entry): string {
  return `${dragged.component} ${dragged.title}`;
}

const SAVED = { model: "saved-model", transformation: "saved-transformation" } as const;

export function useEntries(library: ReadonlyMap<string, Component>): readonly Entry[] {
  const text = useText();
  const { data: datasets } = useQuery(datasetsQuery(""));
  const { data: samples } = useQuery(sampleDatasetsQuery);
  const { data: saved } = useQuery(savedQuery);
  return useMemo(() => {
    const given = new Set((samples?.items ?? []).map((s) => s.name));
    const asset = (dragged: Dragged, category: string, summary: string): Entry => ({
      dragged,
      category,
      summary,
      asset: true,
    });
    const data = (datasets?.items ?? []).map((d) =>
      asset(
        { component: "dataset", version: 1, title: d.name, parameters: { name: d.name } },
        given.has(d.name) ? text.paletteSamples : text.paletteData,
        d.description,
      ),
    );
    const kept = (saved?.items ?? []).map((m) =>
      asset(
        {
          component: SAVED[m.kind],
          version: library.get(SAVED[m.kind])?.version ?? 1,
          title: m.name,
          parameters: { name: m.name, digest: m.digest },
        },
        m.kind === "model" ? text.paletteModels : text.paletteTransformations,
        m.description,
      ),
    );
    const order = [
      text.paletteSamples,
      text.paletteData,
      text.paletteModels,
      text.paletteTransformations,
    ];
    const assets = [...data, ...kept].sort(
      (a, b) => order.indexOf(a.category) - order.indexOf(b.category),
    );
    const parts = [...library.values()]
      .filter((c) => !c.hidden)
      .map((c) => ({
        dragged: { component: c.id, version: c.version, title: c.title },
        category: c.category,
        summary: c.summary,
        asset: false,
      }));
    return [...assets, ...parts];
  }, [datasets, samples, saved, library, text]);
}

/** Entries whose title, category or summary has all words; those whose title begins so come first. */
export function searched(entries: readonly Entry[], search: string): readonly Entry[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return entries;
  const rank = ({ dragged, category, summary }: Entry): number => {
    const title = dragged.title.toLowerCase();
    if (title.startsWith(words.join(" "))) return 0;
    if (words.every((w) => title.includes(w))) return 1;
    if (words.every((w) => `${title} ${category.toLowerCase()}`.includes(w))) return 2;
    return words.every((w) => `${title} ${category} ${summary}`.toLowerCase().includes(w)) ? 3 : 4;
  };
  return entries
    .map((entry) => ({ entry, rank: rank(entry) }))
    .filter(({ rank }) => rank < 4)
    .sort((a, b) => a.rank - b.rank)
    .map(({ entry }) => entry);
}
