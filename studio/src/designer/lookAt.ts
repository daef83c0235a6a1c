import type { ReactNode } from "react";
import type { StoredValue } from "../api/client";
import type { Tried } from "../api/sweep";

/** What a port of a run gave. */
export interface Looked {
  readonly runId: string;
  readonly node: string;
  readonly port: string;
  readonly component: string;
  readonly value: StoredValue;
}

/** How a stored value is shown; null where nobody knows how. */
export type LookAt = (looked: Looked) => ReactNode;

/** How the settings that a step tried are shown. */
export type ShowTries = (tries: readonly Tried[]) => ReactNode;
