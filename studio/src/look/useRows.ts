/** Rows of a stored table, fetched page by page as they come into view. */

import { useQueries } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { api, type Column, got, type Schemas } from "../api/client";

const PAGE = 200;

type Page = Schemas["Rows"];

export interface Rows {
  readonly columns: readonly Column[];
  readonly count: number;
  readonly error: Error | null;
  row(index: number): readonly unknown[] | null;
  onSeen(first: number, last: number): void;
}

export function useRows(digest: string): Rows {
  const [pages, setPages] = useState<readonly number[]>([0]);
  const found = useQueries({
    queries: pages.map((page) => ({
      queryKey: ["rows", digest, page],
      queryFn: () =>
        got<Page>(
          api.POST("/api/artifacts/{digest}/rows", {
            params: { path: { digest } },
            body: { offset: page * PAGE, limit: PAGE, columns: null, sort: [], filters: [] },
          }),
        ),
      staleTime: Infinity,
    })),
  });
  const byPage = useMemo(
    () => new Map(pages.map((page, place) => [page, found[place]?.data])),
    [pages, found],
  );
  const first = found.find((f) => f.data)?.data;
  const onSeen = useCallback((from: number, to: number) => {
    const wanted: number[] = [];
    for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page += 1) {
      wanted.push(page);
    }
    setPages((before) => {
      const same = wanted.length === before.length && wanted.every((p, i) => p === before[i]);
      return same ? before : wanted;
    });
  }, []);
  return {
    columns: first?.columns ?? [],
    count: first?.total ?? 0,
    error: found.find((f) => f.error)?.error ?? null,
    row: (index) => byPage.get(Math.floor(index / PAGE))?.rows[index % PAGE] ?? null,
    onSeen,
  };
}
