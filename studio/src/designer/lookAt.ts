import type { ReactNode } from "react";
import type { StoredValue } from "../api/client";

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
