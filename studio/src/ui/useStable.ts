import { useCallback, useLayoutEffect, useRef } from "react";

/** A function that stays the same for ever and does what it was last handed: nothing is drawn for it. */
export function useStable<A extends unknown[], R>(does: (...given: A) => R): (...given: A) => R {
  const latest = useRef(does);
  useLayoutEffect(() => {
    latest.current = does;
  });
  return useCallback((...given: A) => latest.current(...given), []);
}
